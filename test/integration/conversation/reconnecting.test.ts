import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { startLiveGateway } from '../../support/live-gateway.ts';
import { connectCharger, startHandCsms } from '../../support/text-peer.ts';
import {
  assertNothingElseToCharger,
  assertNothingElseToCsms,
  assertRefused,
  boot,
  type LiveConversation,
  startConversation,
} from './live-conversation.ts';

// Goal: a charger that connects again is the charger that it was: accepted or not, with its
// transactions, whether it boots or not and whether the gateway was restarted meanwhile; and nothing
// that was asked before is answered now.
// Method: a hand-driven charger that loses its connection and comes back, at a real gateway; then
// two gateways, one after the other, on one data directory.

const heartbeat = (id: string): string => JSON.stringify([2, id, 'Heartbeat', {}]);
const reset = (id: string): string => JSON.stringify([2, id, 'Reset', { type: 'Soft' }]);
const accepted = (id: string): string => JSON.stringify([3, id, { status: 'Accepted' }]);

/** The charger loses its connection and comes back. */
async function reconnect(conversation: LiveConversation): Promise<LiveConversation> {
  const { charger, csms, gateway, server, version } = conversation;
  const before = sessionsClosed(conversation);
  charger.socket.terminate();
  await csms.closed;
  await gateway.event('SessionClosed', () => sessionsClosed(conversation) > before);
  const again = await connectCharger(gateway.url('CP-1'), [version]);
  return { ...conversation, charger: again, csms: await server.nextConnection() };
}

const sessionsClosed = ({ gateway }: LiveConversation): number =>
  gateway.events.filter(({ name }) => name === 'SessionClosed').length;

const findings = ({ gateway }: LiveConversation): readonly string[] =>
  gateway.events.flatMap((event) =>
    event.name === 'FrameRefused' || event.name === 'FrameFlagged'
      ? [`${event.from} ${event.code}`]
      : [],
  );

/** Both sides have a call open. */
async function openCalls({ charger, csms }: LiveConversation): Promise<void> {
  charger.send(heartbeat('up'));
  assert.equal(await csms.next(), heartbeat('up'));
  csms.send(reset('down'));
  assert.equal(await charger.next(), reset('down'));
}

describe('replies to calls from before a reconnect', { timeout: 40_000 }, () => {
  for (const preset of ['standard', 'strict']) {
    test(`T2-15: are dropped in both directions, and are no strike (${preset})`, async () => {
      const changes = { rules: { preset, strikesMax: 1 } };
      await using first = await startConversation({ changes });
      await boot(first.charger, first.csms, 'ocpp1.6');
      await openCalls(first);
      const again = await reconnect(first);
      for (let times = 0; times < 3; times += 1) {
        again.charger.send(accepted('down'));
        again.csms.sendMessage(4, 'up', 'InternalError', '', {});
      }
      await assertNothingElseToCsms(again);
      await assertNothingElseToCharger(again);
      const stale = (from: string) => Array.from({ length: 3 }, () => `${from} MATCH_STALE`);
      assert.deepEqual([...findings(again)].sort(), [...stale('charger'), ...stale('csms')]);
      // The same id, asked again, is a new call.
      again.csms.send(reset('down'));
      assert.equal(await again.charger.next(), reset('down'));
      again.charger.send(accepted('down'));
      assert.equal(await again.csms.next(), accepted('down'));
      await again.charger.close();
    });
  }

  test('T2-15: a reply to a call that never was is a strike as ever', async () => {
    await using first = await startConversation({ changes: { rules: { strikesMax: 1 } } });
    await openCalls(first);
    const again = await reconnect(first);
    again.charger.send(accepted('ghost'));
    again.charger.send(accepted('up'));
    assert.equal((await again.charger.closed).code, 1008);
    assert.deepEqual(findings(again).slice(-2), [
      'charger MATCH_UNSOLICITED',
      'charger MATCH_UNSOLICITED',
    ]);
  });

  test('are forgotten with the connection after', async () => {
    await using first = await startConversation();
    await openCalls(first);
    const third = await reconnect(await reconnect(first));
    third.charger.send(accepted('down'));
    await assertNothingElseToCsms(third);
    assert(findings(third).includes('charger MATCH_UNSOLICITED'));
    await third.charger.close();
  });
});

describe('a charger that connects again without BootNotification', { timeout: 40_000 }, () => {
  test('C16: is still accepted', async () => {
    await using first = await startConversation();
    await boot(first.charger, first.csms, 'ocpp1.6');
    const again = await reconnect(first);
    await assertNothingElseToCsms(again);
    assert.deepEqual(findings(again), []);
    await again.charger.close();
  });

  for (const status of ['Pending', 'Rejected'] as const) {
    test(`T2-19: is still ${status}`, async () => {
      await using first = await startConversation();
      await boot(first.charger, first.csms, 'ocpp1.6', status);
      const again = await reconnect(first);
      again.charger.send(heartbeat('1'));
      await assertRefused(again.charger, 'ocpp1.6', '1', 'BOOT_NOT_ACCEPTED');
      again.csms.send('[2,"2","RemoteStartTransaction",{"idTag":"A"}]');
      await assertRefused(again.csms, 'ocpp1.6', '2', 'BOOT_NOT_ACCEPTED');
      await boot(again.charger, again.csms, 'ocpp1.6');
      await assertNothingElseToCsms(again);
      await again.charger.close();
    });
  }

  test('T2-19: an answer to a BootNotification from before does not accept it', async () => {
    await using first = await startConversation();
    await boot(first.charger, first.csms, 'ocpp1.6', 'Pending');
    const payload = { chargePointVendor: 'V', chargePointModel: 'M' };
    first.charger.sendMessage(2, 'late', 'BootNotification', payload);
    await first.csms.next();
    const again = await reconnect(first);
    const answer = { status: 'Accepted', currentTime: '2026-01-01T00:00:00Z', interval: 60 };
    again.csms.sendMessage(3, 'late', answer);
    await again.gateway.event('FrameRefused', ({ code }) => code === 'MATCH_STALE');
    again.charger.send(heartbeat('1'));
    await assertRefused(again.charger, 'ocpp1.6', '1', 'BOOT_NOT_ACCEPTED');
    await again.charger.close();
  });
});

describe('a charger that connects again to a gateway that was restarted', {
  timeout: 40_000,
}, () => {
  test('C16, T2-15, T2-19, T2-20: is the charger that it was', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'gatewatt-restart-'));
    try {
      const changes = { gateway: { dataDir: directory, drainSeconds: 0 } };
      {
        await using first = await startConversation({ changes });
        const { charger, csms, gateway, server } = first;
        await boot(charger, csms, 'ocpp1.6');
        const start = { connectorId: 1, idTag: 'A', meterStart: 0 };
        const call = [2, 's', 'StartTransaction', { ...start, timestamp: '2026-01-01T00:00:00Z' }];
        charger.sendMessage(...call);
        await csms.next();
        csms.sendMessage(3, 's', { transactionId: 7, idTagInfo: { status: 'Accepted' } });
        await charger.next();
        await openCalls(first);
        const pending = await connectCharger(gateway.url('CP-2'));
        await boot(pending, await server.nextConnection(), 'ocpp1.6', 'Pending');
      }

      await using server = await startHandCsms();
      await using gateway = await startLiveGateway(server.url, changes);
      const charger = await connectCharger(gateway.url('CP-1'));
      const csms = await server.nextConnection();
      const again: LiveConversation = {
        version: 'ocpp1.6',
        gateway,
        server,
        charger,
        csms,
        [Symbol.asyncDispose]: async () => {},
      };
      charger.send(accepted('down'));
      csms.sendMessage(3, 'up', { currentTime: '2026-01-01T00:00:00Z' });
      await assertNothingElseToCsms(again);
      await assertNothingElseToCharger(again);
      assert.deepEqual([...findings(again)].sort(), ['charger MATCH_STALE', 'csms MATCH_STALE']);

      const other = await connectCharger(gateway.url('CP-2'));
      const otherUpstream = await server.nextConnection();
      other.send(heartbeat('1'));
      await assertRefused(other, 'ocpp1.6', '1', 'BOOT_NOT_ACCEPTED');
      await boot(other, otherUpstream, 'ocpp1.6');
      const end = { transactionId: 7, meterStop: 1, timestamp: '2026-01-01T00:00:00Z' };
      const stop = (id: string): string => JSON.stringify([2, id, 'StopTransaction', end]);
      other.send(stop('attack'));
      await assertRefused(other, 'ocpp1.6', 'attack', 'TRANSACTION_FOREIGN');
      charger.send(stop('own'));
      assert.equal(await csms.next(), stop('own'));
      await other.close();
      await charger.close();
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});
