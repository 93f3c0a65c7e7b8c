import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '../../../src/lib/clock.ts';
import { seededRandom } from '../../../src/lib/random.ts';
import { ocppVersions } from '../../../src/ocpp/version.ts';
import { signatureFormats } from '../../../src/signing/verify.ts';
import { startSimulatedCharger } from '../../../src/sim/charger/charger.ts';
import { startSimulatedCsms } from '../../../src/sim/csms/csms.ts';
import type { Traffic } from '../../../src/sim/protocol/traffic.ts';
import { converse, withoutRandomIds } from '../../interop/converse.ts';
import { quick } from '../../sim/pair.ts';
import { type LiveGateway, startLiveGateway } from '../../support/live-gateway.ts';
import { type LiveSigner, startSigner } from './live-signer.ts';

// Goal: with `gatewatt sign` in front of it, a CSMS that knows nothing of signatures commands chargers
// that know nothing of them, through a gateway that lets nothing pass that is not signed.
// Method: the three boxes of docs/operating/signing.md, with our simulated CSMS and with one of
// ocpp-rpc, whose whole day must look to both ends as it does without signer and gateway.

interface Boxes {
  readonly signer: LiveSigner;
  readonly gateway: LiveGateway;
  /** Where chargers connect; the identity is appended. */
  readonly url: string;
  /** Messages that the gateway refused or the signer did not sign. */
  problems(): readonly string[];
  [Symbol.asyncDispose](): Promise<void>;
}

async function threeBoxes(
  csmsUrl: string,
  {
    format = 'ocpp',
    named = 'kid',
    preset = 'strict',
  }: Parameters<typeof startSigner>[1] & {
    readonly preset?: string;
  },
): Promise<Boxes> {
  const stack = new AsyncDisposableStack();
  const signer = stack.use(await startSigner(csmsUrl, { format, named }));
  const pinned =
    named === 'kid' ? { keysFile: signer.pinnedFile } : { certificateFiles: [signer.pinnedFile] };
  const url = `ws://127.0.0.1:${signer.running.port}/sign`;
  const gateway = stack.use(
    await startLiveGateway(url, {
      csms: { url, signing: { required: true, ...pinned } },
      rules: { preset },
    }),
  );
  return {
    signer,
    gateway,
    url: `ws://127.0.0.1:${gateway.port}/ocpp`,
    problems: () =>
      [...gateway.events, ...signer.events].flatMap((it) => {
        if (it.name === 'FrameRefused' || it.name === 'CallRefused') return [it.code];
        return it.name === 'FrameNotSigned' ? [it.name] : [];
      }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe('gatewatt sign beside a simulated CSMS', () => {
  for (const version of ocppVersions) {
    for (const format of signatureFormats) {
      test(`rule 0: ${version}, ${format}: boot, heartbeat, start and stop, and the charger gets what the CSMS sent`, async () => {
        const sent: string[] = [];
        const got: string[] = [];
        const clock = systemClock();
        const random = seededRandom(7);
        const named = format === 'ocpp' ? 'kid' : 'certificate';
        const csms = await startSimulatedCsms({
          clock,
          random,
          onTraffic: ({ direction, text }: Traffic) => {
            if (direction === 'sent') sent.push(text);
          },
        });
        await using stack = new AsyncDisposableStack();
        stack.defer(() => csms.close());
        const boxes = stack.use(await threeBoxes(csms.url, { format, named, preset: 'standard' }));
        const charger = startSimulatedCharger({
          clock,
          random,
          url: boxes.url,
          identity: 'CP-1',
          version,
          ...quick,
          onTraffic: ({ direction, text }: Traffic) => {
            if (direction === 'received') got.push(text);
          },
        });
        stack.defer(() => charger.close());
        await csms.waitForCharger('CP-1');
        await charger.call('Heartbeat', {});
        const is16 = version === 'ocpp1.6';
        const idToken = { idToken: 'TAG', type: 'Central' };
        const start = is16
          ? { action: 'RemoteStartTransaction', payload: { connectorId: 1, idTag: 'TAG' } }
          : {
              action: 'RequestStartTransaction',
              payload: { evseId: 1, remoteStartId: 1, idToken },
            };
        const began = csms.waitFor('CP-1', is16 ? 'StartTransaction' : 'TransactionEvent');
        assert.equal((await csms.call('CP-1', start.action, start.payload))['status'], 'Accepted');
        await began;
        const ended = is16
          ? csms.waitFor('CP-1', 'StopTransaction')
          : csms.waitFor('CP-1', 'TransactionEvent', ({ eventType }) => eventType === 'Ended');
        let id: unknown;
        for (let turns = 0; id === undefined && turns < 200; turns += 1) {
          id = csms.transactions().at(-1)?.transactionId;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        const stop = is16
          ? { action: 'RemoteStopTransaction', payload: { transactionId: Number(id) } }
          : { action: 'RequestStopTransaction', payload: { transactionId: String(id) } };
        assert.equal((await csms.call('CP-1', stop.action, stop.payload))['status'], 'Accepted');
        await ended;
        assert.deepEqual(boxes.problems(), []);
        // Whatever the charger got is what the CSMS sent, byte for byte and in its order.
        assert.ok(got.length >= 5);
        assert.deepEqual(got, sent.slice(0, got.length));
      });
    }
  }
});

describe('gatewatt sign beside a CSMS of ocpp-rpc', { timeout: 120_000 }, () => {
  for (const version of ocppVersions) {
    for (const format of signatureFormats) {
      test(`rule 0: ${version}, ${format}: a day looks to both ends as it does without signatures`, async () => {
        const direct = await converse(version, async (csmsUrl) => csmsUrl);
        await using stack = new AsyncDisposableStack();
        let boxes: Boxes | undefined;
        const through = await converse(version, async (csmsUrl) => {
          boxes = stack.use(await threeBoxes(csmsUrl, { format }));
          return boxes.url;
        });
        assert.deepEqual(boxes?.problems(), []);
        assert.deepEqual(withoutRandomIds(through), withoutRandomIds(direct));
      });
    }
  }
});
