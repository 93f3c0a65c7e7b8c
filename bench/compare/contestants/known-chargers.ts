import type { ChargerId } from '../../../src/chargers/charger-id.ts';
import { setPassword } from '../../../src/chargers/credentials.ts';
import { addCharger } from '../../../src/chargers/registry.ts';
import { hashGeneratedKey } from '../../../src/identity/password-hash.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { secretBytes } from '../../../src/lib/random.ts';
import { openStore } from '../../../src/store/open-store.ts';
import { identityOf } from '../loads/fleet.ts';

/** Bytes of the passwords that the gateway makes. */
const passwordLength = 20;

/**
 * Makes a store of Gatewatt in `directory` that knows `count` chargers, each with a password as the
 * gateway gives them: random bytes, of which it keeps a fast hash. It is what the documentation advises;
 * passwords that people have chosen cost 20 ms each after a start of the gateway, on purpose.
 *
 * @returns the passwords by identity.
 */
export async function makeKnownChargers(
  directory: string,
  count: number,
): Promise<ReadonlyMap<string, Buffer>> {
  const store = await openStore({ type: 'sqlite', directory, isGateway: true }, systemClock());
  const passwords = new Map(
    Array.from({ length: count }, (_, index) => [identityOf(index), secretBytes(passwordLength)]),
  );
  const nowMs = store.nowMs();
  await store.transact(async (db) => {
    for (const [identity, password] of passwords) {
      // These are as the gateway itself would parse them.
      const id = identity as ChargerId;
      await addCharger(db, id, {}, nowMs);
      const hash = hashGeneratedKey(password);
      await setPassword(db, id, { hash, origin: 'provisioned' }, nowMs);
    }
  });
  await store.close();
  return passwords;
}
