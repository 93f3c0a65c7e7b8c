import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ocppVersions } from '../../src/ocpp/version.ts';
import { startLiveGateway } from '../support/live-gateway.ts';
import { configFor, portOf, serve, setUp } from '../support/serve-process.ts';
import { startHandCsms } from '../support/text-peer.ts';
import { converse, withoutRandomIds } from './converse.ts';
import { answerBy, record, rpcCharger, type SeenFrame, startRpcCsms } from './ocpp-rpc-pair.ts';
import { scripts } from './scripts.ts';

// Goal: a foreign charger and a foreign CSMS cannot tell whether there is a gateway between them.
// Method: the npm package ocpp-rpc on both sides, in its strict mode, runs one scripted
// conversation directly and one through a gateway; what both ends see must be equal byte for byte,
// but for the random message ids, which are numbered by their first appearance.

function texts(seen: readonly SeenFrame[], outbound: boolean): readonly string[] {
  return seen.filter((frame) => frame.outbound === outbound).map(({ text }) => text);
}

describe('ocpp-rpc', { timeout: 60_000 }, () => {
  for (const version of ocppVersions) {
    for (const preset of ['standard', 'strict'] as const) {
      test(`T4-06: ${version} through the gateway looks as it does without it (${preset})`, async () => {
        const direct = await converse(version, async (csmsUrl) => csmsUrl);
        await using stack = new AsyncDisposableStack();
        let refused: readonly string[] = [];
        const through = await converse(version, async (csmsUrl) => {
          const gateway = stack.use(await startLiveGateway(csmsUrl, { rules: { preset } }));
          stack.defer(() => {
            refused = gateway.events.flatMap((event) =>
              event.name === 'FrameRefused' || event.name === 'CallRefused' ? [event.code] : [],
            );
          });
          return `ws://127.0.0.1:${gateway.port}/ocpp`;
        });
        await stack.disposeAsync();
        assert.deepEqual(refused, []);
        assert.deepEqual(withoutRandomIds(through), withoutRandomIds(direct));
        // Within the run the ids are the real ones: what one end sent is what the other got.
        assert.deepEqual(texts(through.csms, false), texts(through.charger, true));
        assert.deepEqual(texts(through.charger, false), texts(through.csms, true));
        assert.ok(through.charger.length >= 2 * scripts[version].length);
      });
    }
  }

  test('a conversation through `gatewatt serve` is the one without it', async () => {
    const direct = await converse('ocpp1.6', async (csmsUrl) => csmsUrl);
    await using stack = new AsyncDisposableStack();
    const through = await converse('ocpp1.6', async (csmsUrl) => {
      const { configFile } = stack.use(await setUp(configFor({ csms: csmsUrl })));
      const process = stack.use(serve(configFile));
      return `ws://127.0.0.1:${await portOf(process)}/ocpp`;
    });
    assert.deepEqual(withoutRandomIds(through), withoutRandomIds(direct));
  });

  test('R9: eight chargers with four calls in flight each, and a CSMS that calls them all', async () => {
    const version = 'ocpp1.6';
    const script = scripts[version];
    await using csms = await startRpcCsms([version], (client) => answerBy(client, script, 'csms'));
    // Eighty resets at once are more than the limiter lets through by default.
    const rampLimit = { unassigned: { commandsPerInterval: 1000 } };
    await using gateway = await startLiveGateway(csms.url, { rampLimit });
    const endpoint = `ws://127.0.0.1:${gateway.port}/ocpp`;
    const chargers = Array.from({ length: 8 }, (_, index) =>
      rpcCharger({ identity: `CP-${index}`, endpoint, version, callConcurrency: 4 }),
    );
    for (const charger of chargers) answerBy(charger, script, 'charger');
    await Promise.all(chargers.map((charger) => charger.connect()));
    const clients = await Promise.all(chargers.map(() => csms.nextClient()));
    const answers = await Promise.all([
      ...chargers.flatMap((charger) =>
        Array.from({ length: 25 }, () => charger.call('Heartbeat', {})),
      ),
      ...clients.flatMap((client) =>
        Array.from({ length: 10 }, () => client.call('Reset', { type: 'Soft' })),
      ),
    ]);
    assert.equal(answers.length, 280);
    const isRefusal = /^(?:FrameRefused|CallRefused|SessionFailed)$/;
    assert.deepEqual(
      gateway.events.filter(({ name }) => isRefusal.test(name)),
      [],
    );
    await Promise.all(chargers.map((charger) => charger.close()));
  });

  test('C15: an ocpp-rpc charger finds its way back after the gateway was restarted', async () => {
    const version = 'ocpp2.0.1';
    const script = scripts[version];
    await using csms = await startRpcCsms([version], (client) => answerBy(client, script, 'csms'));
    const first = await startLiveGateway(csms.url);
    const endpoint = `ws://127.0.0.1:${first.port}/ocpp`;
    const charger = rpcCharger({ identity: 'CP-1', endpoint, version });
    answerBy(charger, script, 'charger');
    await charger.connect();
    await csms.nextClient();
    await charger.call('Heartbeat', {});
    const dropped = new Promise<{ code: number }>((resolve) => charger.once('disconnect', resolve));
    await first[Symbol.asyncDispose]();
    assert.equal((await dropped).code, 1012);

    await using second = await startLiveGateway(
      csms.url,
      {},
      { address: `127.0.0.1:${first.port}` },
    );
    await second.event('SessionOpened');
    const client = await csms.nextClient();
    await charger.call('Heartbeat', {});
    assert.deepEqual(await client.call('Reset', { type: 'OnIdle' }), { status: 'Accepted' });
    await charger.close();
  });

  test('R6: a call without parameters travels as null, and passes in 1.6', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url);
    const endpoint = `ws://127.0.0.1:${gateway.port}/ocpp`;
    const charger = rpcCharger({
      identity: 'CP-1',
      endpoint,
      version: 'ocpp1.6',
      strictMode: false,
    });
    // Without a result of its own a handler answers null as well.
    charger.handle('GetLocalListVersion', async () => ({ listVersion: 1 }));
    await charger.connect();
    const upstream = await csms.nextConnection();
    const result = charger.call('Heartbeat');
    const [, id, action, params] = await upstream.nextMessage();
    assert.equal(action, 'Heartbeat');
    assert.equal(params, null);
    upstream.sendMessage(3, id, { currentTime: '2026-01-01T00:00:00Z' });
    assert.deepEqual(await result, { currentTime: '2026-01-01T00:00:00Z' });
    await charger.close();
  });

  test('R13: a SEND passes to an ocpp-rpc CSMS, and its complaint does not reach the charger', async () => {
    // ocpp-rpc does not know SEND and answers each with an error under the id "-1".
    const version = 'ocpp2.1';
    const script = scripts[version];
    let seen: readonly SeenFrame[] = [];
    await using csms = await startRpcCsms([version], (client) => {
      seen = record(client);
      answerBy(client, script, 'csms');
    });
    await using gateway = await startLiveGateway(csms.url, { rules: { strikesMax: 3 } });
    const endpoint = `ws://127.0.0.1:${gateway.port}/ocpp`;
    const charger = rpcCharger({ identity: 'CP-1', endpoint, version });
    const chargerSeen = record(charger);
    await charger.connect();
    const send = JSON.stringify([
      6,
      's',
      'NotifyPeriodicEventStream',
      { id: 1, pending: 0, basetime: '2026-01-01T00:00:00Z', data: [{ t: 0, v: '1' }] },
    ]);
    for (let count = 0; count < 10; count += 1) charger.sendRaw(send);
    // It follows the letter of OCPP 2.x, so however many there are, they are no strikes.
    const refusals = (): readonly string[] =>
      gateway.events.flatMap((event) =>
        event.name === 'FrameRefused' ? [`${event.from} ${event.code}`] : [],
      );
    await gateway.event('FrameRefused', () => refusals().length === 10);
    assert.deepEqual(new Set(refusals()), new Set(['csms MATCH_UNSOLICITED']));
    assert.deepEqual(
      texts(seen, false),
      Array.from({ length: 10 }, () => send),
    );
    await charger.call('Heartbeat', {});
    assert.equal(texts(chargerSeen, false).length, 1);
    await charger.close();
  });
});
