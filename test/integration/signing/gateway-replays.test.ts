import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { stringify } from 'yaml';
import { signatureFormats } from '../../../src/signing/verify.ts';
import { type LiveGateway, startLiveGateway } from '../../support/live-gateway.ts';
import { configFor, portOf, serve } from '../../support/serve-process.ts';
import { describePostgres } from '../../support/stores.ts';
import { connectCharger, type HandCsms, startHandCsms } from '../../support/text-peer.ts';
import { layCable } from '../store/cable.ts';
import { attempt, until } from '../store/exchanges.ts';
import { leaseSeconds, sharedPlace } from '../store/places.ts';
import { keysFile, refusal, type SignedThrough, sign, startSignedWorld } from './signing-csms.ts';

// Goal: a signed command counts once, whatever dies or moves between the two times.
// Method: a command that passed is sent again after a reconnect, after the gateway was killed, and at
// another gateway on the same database; within the time in which its signature is still good, so
// that nothing but the memory of it is in the way. Its twin, signed anew, passes each time.

const command = '[2,"unlock","Reset",{"type":"Hard"}]';
/** Longer than a lease and a restart: all that the floor of a session would let in. */
const clockSkewSeconds = 120;

async function givenOnce({ charger, csms }: SignedThrough, text: string): Promise<void> {
  csms.send(text);
  assert.equal(await charger.next(), command);
  charger.sendMessage(3, 'unlock', { status: 'Accepted' });
  await csms.next();
}

async function refusedAsReplay({ charger, csms }: SignedThrough, text: string): Promise<void> {
  csms.send(text);
  assert.equal(await csms.next(), refusal('unlock', 'SIGNATURE_REPLAYED'));
  await givenOnce({ charger, csms }, sign(command));
}

describe('a signed command that comes again', () => {
  for (const format of signatureFormats) {
    test(`T1-18: ${format}: to the next connection of the charger, it is refused as replayed`, async () => {
      await using world = await startSignedWorld({ signing: { clockSkewSeconds } });
      const text = sign(command, { format });
      await givenOnce(world, text);
      await world.charger.close();
      await world.gateway.event('SessionClosed');
      await refusedAsReplay(await world.connect(), text);
    });
  }

  test('T1-18: to another charger, it is refused, and its memory is not used up by that', async () => {
    await using world = await startSignedWorld();
    const two = await world.connect('CP-2');
    const text = sign(command, { charger: 'CP-2' });
    world.csms.send(text);
    assert.equal(await world.csms.next(), refusal('unlock', 'SIGNATURE_OTHER_CHARGER'));
    await givenOnce(two, text);
  });

  test('rule 0: nonces are told apart by charger', async () => {
    await using world = await startSignedWorld();
    const two = await world.connect('CP-2');
    await givenOnce(world, sign(command, { nonce: 'same' }));
    await givenOnce(two, sign(command, { nonce: 'same', charger: 'CP-2' }));
  });

  test('T1-18: after gatewatt serve was killed, it is refused as replayed', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'gatewatt-replay-'));
    await using csms = await startHandCsms();
    await using keys = await keysFile();
    try {
      const configFile = path.join(directory, 'gatewatt.yaml');
      const signing = { required: true, keysFile: keys.path, clockSkewSeconds };
      const base = configFor({ csms: csms.url }) as { readonly csms: object };
      await writeFile(configFile, stringify({ ...base, csms: { ...base.csms, signing } }));
      const text = sign(command);
      using first = serve(configFile);
      await givenOnce(await connected(await portOf(first), csms), text);
      first.child.kill('SIGKILL');
      await first.exit;
      using second = serve(configFile);
      await refusedAsReplay(await connected(await portOf(second), csms), text);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});

describePostgres('signed commands over a database', () => {
  test('T1-18: at a second gateway, it is refused as replayed', async () => {
    await using place = await sharedPlace();
    await using csms = await startHandCsms();
    await using keys = await keysFile();
    const start = async (id: string): Promise<LiveGateway> =>
      startLiveGateway(csms.url, {
        gateway: { id, drainSeconds: 0 },
        store: await place.section(),
        csms: {
          url: csms.url,
          signing: { required: true, keysFile: keys.path, clockSkewSeconds },
        },
      });
    await using a = await start('gw-a');
    await using b = await start('gw-b');
    const text = sign(command);
    const atA = await connected(a.port, csms);
    await givenOnce(atA, text);
    await atA.charger.close();
    await until(async () => {
      const { charger } = await attempt(b.url('CP-1'));
      await charger?.close();
      if (charger !== undefined) await csms.nextConnection();
      return charger !== undefined;
    });
    await delay(200);
    await refusedAsReplay(await connected(b.port, csms), text);
  });

  test('rule 0: while the store is away, only what an earlier session may have been given is refused', async () => {
    await using place = await sharedPlace();
    await using cable = await layCable(Number(new URL(place.url).port));
    await using csms = await startHandCsms();
    await using keys = await keysFile();
    await using gateway = await startLiveGateway(csms.url, {
      gateway: { id: 'gw', drainSeconds: 0 },
      store: { ...(await place.section(cable)), leaseSeconds: leaseSeconds * 20 },
      csms: {
        url: csms.url,
        signing: { required: true, keysFile: keys.path, clockSkewSeconds: 1 },
      },
    });
    const through = await connected(gateway.port, csms);
    await delay(1_500);
    cable.cut();
    // Signed about when the session began.
    through.csms.send(sign('[2,"early","ClearCache",{}]', { agoMs: 1_600 }));
    assert.equal(await through.csms.next(), refusal('early', 'SIGNATURE_UNCHECKED'));
    const text = sign('[2,"now","ClearCache",{}]');
    through.csms.send(text);
    assert.equal(await through.charger.next(), '[2,"now","ClearCache",{}]');
    through.charger.sendMessage(3, 'now', { status: 'Accepted' });
    await through.csms.next();
    // The session itself remembers.
    through.csms.send(text);
    assert.equal(await through.csms.next(), refusal('now', 'SIGNATURE_REPLAYED'));
    cable.mend();
  });
});

async function connected(port: number, csms: HandCsms): Promise<SignedThrough> {
  const charger = await connectCharger(`ws://127.0.0.1:${port}/ocpp/CP-1`);
  return { charger, csms: await csms.nextConnection() };
}
