import assert from 'node:assert/strict';
import { createConnection } from 'node:net';
import { describe, test } from 'node:test';
import type { ChargerId } from '../../../src/chargers/charger-id.ts';
import { setPassword } from '../../../src/chargers/credentials.ts';
import { addCharger } from '../../../src/chargers/registry.ts';
import { hashPassword } from '../../../src/identity/password-hash.ts';
import { type Shown, startCredentialGateway } from '../../support/credential-gateway.ts';
import { startHandCsms, type TextPeer } from '../../support/text-peer.ts';

// Goal: when a thousand chargers come back at once while somebody guesses passwords, all of them get
// in; and the one whose password is guessed is not locked out.
// Method: a live gateway; chargers from one address of loopback, as behind one router, and guessers
// from others, and from the same one.

const chargerCount = 1000;
const password = 'one-long-password-for-this-test';

describe('a reconnect storm', () => {
  test('T2-02, T2-28: a thousand chargers come back while an attacker guesses', async () => {
    await using csms = await startHandCsms();
    // How soon they are let in is another matter: test/integration/connection/dial-rate.test.ts.
    const changes = { csms: { dialsPerSecond: 0 } };
    await using gateway = await startCredentialGateway(csms.url, { changes });
    const identities = Array.from({ length: chargerCount }, (_, index) => `CP-${index}`);
    await gateway.inStore(async (store) => {
      // One hash for all: it is their checking that is looked at.
      const hash = await hashPassword(Buffer.from(password));
      await store.transact(async (db) => {
        for (const identity of identities) {
          await addCharger(db, identity as ChargerId, {}, 0);
          await setPassword(db, identity as ChargerId, { hash, origin: 'operator' }, 0);
        }
      });
    });
    const connectAll = (): Promise<readonly TextPeer[]> =>
      Promise.all(
        identities.map((identity) =>
          untilConnected(() => gateway.connect(identity, { password, profile: 1 })),
        ),
      );
    const stop = new AbortController();
    const guesses = guessPasswords(gateway.running.gateway.listeners[1]?.port ?? 0, stop.signal);
    const before = await connectAll();
    const hashedAtFirst = gateway.running.gateway.passwordChecks();
    // The network fails for all of them, and comes back.
    for (const { socket } of before) socket.terminate();
    const after = await connectAll();
    assert.equal(after.length, chargerCount);
    stop.abort();
    const guessed = await guesses;
    assert(guessed > 0, 'nobody guessed');
    const refused = gateway.events.filter((it) => it.name === 'UpgradeRefused').length;
    assert(refused > 0);
    // Those who had been there before cost nothing the second time.
    const hashedAgain = gateway.running.gateway.passwordChecks() - hashedAtFirst;
    assert(hashedAgain < chargerCount / 2, `${hashedAgain} computations`);
    for (const { socket } of after) socket.terminate();
  });

  for (const localAddress of ['127.0.0.9', '127.0.0.1']) {
    const where = localAddress === '127.0.0.1' ? 'from its own address' : 'from elsewhere';

    test(`T2-02: guesses at one charger ${where} do not lock it out`, async () => {
      await using csms = await startHandCsms();
      await using gateway = await startCredentialGateway(csms.url);
      await gateway.add('CP-1', password);
      const charger: Shown = { password, profile: 1, localAddress: '127.0.0.1' };
      assert.equal(await gateway.status('CP-1', charger), 101);
      const statuses = new Map<number, number>();
      for (let guess = 0; guess < 100; guess += 1) {
        const shown = { password: `guess number ${guess}`, profile: 1, localAddress };
        const status = await gateway.status('CP-1', shown);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
      assert.deepEqual([...statuses.keys()].sort(), [401, 429]);
      // The guesser is slowed down, and the charger is not.
      assert((statuses.get(429) ?? 0) > (statuses.get(401) ?? 0));
      assert.equal(await gateway.status('CP-1', charger), 101);
    });
  }
});

/** Chargers come again when they are told that too many came at once. */
async function untilConnected(connect: () => Promise<TextPeer>): Promise<TextPeer> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await connect();
    } catch (error) {
      const { status } = error as { readonly status?: number };
      if (attempt === 50 || (status !== 503 && status !== 409)) throw error;
    }
  }
}

/** Guesses passwords of some chargers, one connection after the other, from one address. */
async function guessPasswords(port: number, signal: AbortSignal): Promise<number> {
  let count = 0;
  while (!signal.aborted && count < 5000) {
    count += 1;
    const credential = Buffer.from(`CP-${count % 7}:guess ${count}`).toString('base64');
    await new Promise<void>((resolve) => {
      const socket = createConnection({ host: '127.0.0.1', port, localAddress: '127.0.0.66' });
      socket.on('error', () => {});
      socket.on('close', () => resolve());
      socket.resume();
      socket.write(
        `GET /ocpp/CP-${count % 7} HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\n` +
          'connection: upgrade\r\nsec-websocket-version: 13\r\n' +
          'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-protocol: ocpp1.6\r\n' +
          `authorization: Basic ${credential}\r\n\r\n`,
      );
    });
  }
  return count;
}
