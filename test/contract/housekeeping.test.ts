import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChargerId } from '../../src/chargers/charger-id.ts';
import { Claims } from '../../src/chargers/claims.ts';
import { ChargerDirectory } from '../../src/chargers/directory.ts';
import { type ChargerRecord, recordsFromList } from '../../src/chargers/record.ts';
import { addCharger, setCharger } from '../../src/chargers/registry.ts';
import { Housekeeping } from '../../src/gateway/housekeeping.ts';
import { type ClaimHolder, Sessions } from '../../src/gateway/sessions.ts';
import { WaitingHolder } from '../../src/gateway/waiting-holder.ts';
import { seededRandom } from '../../src/lib/random.ts';
import type { Store } from '../../src/store/store.ts';
import { manualClock } from '../support/manual-clock.ts';
import { describeEachStore } from '../support/stores.ts';
import { until } from '../support/until.ts';

// Goal: what is written down about a charger that waits for its turn is applied when it is in, and
//   costs the store nothing while it waits: a whole fleet may be changed while it waits for minutes.
// Method: the real housekeeping, claims and directory over each store; time moves by hand, and look-ups
//   are counted.

describeEachStore('housekeeping', (open) => {
  test('looks a charger that waits up once when it is changed, and once when it is in', async () => {
    await using opened = await open();
    const { store } = opened;
    const charger = 'CP-1' as ChargerId;
    await store.transact((db) => addCharger(db, charger, {}, 1));
    const clock = manualClock();
    const claimOptions = {
      gatewayId: 'one',
      leaseMs: 3_600_000,
      takeoversPerHourMax: 6,
      quarantineMs: 600_000,
    };
    const claims = new Claims(store, claimOptions, seededRandom(1));
    await claims.start();
    const sessions = new Sessions(claims, { policy: 'probe', remoteProbeMs: 1000 }, clock);
    const claimed = await sessions.claim(charger, new AbortController().signal, true);
    assert.ok(claimed.is === 'claimed');

    let finds = 0;
    let looks = 0;
    class CountingDirectory extends ChargerDirectory {
      override find(...asked: Parameters<ChargerDirectory['find']>) {
        finds += 1;
        return super.find(...asked);
      }
    }
    const { emit, failures } = collectFailures();
    const housekeeping = new Housekeeping({
      store: {
        isAvailable: true,
        query: (...asked: Parameters<Store['query']>) => {
          looks += 1;
          return store.query(...asked);
        },
      } as unknown as Store,
      claims,
      sessions,
      directory: new CountingDirectory(store, recordsFromList([]), 10),
      clock,
      emit,
      leaseMs: claimOptions.leaseMs,
      admitsUnknown: false,
      prune: async () => false,
    });
    await housekeeping.start();
    /** Lets it look some times more. */
    const look = async (times: number): Promise<void> => {
      const enough = looks + times;
      await until(
        () => {
          clock.advance(500);
          return looks > enough;
        },
        () => `${looks} of ${enough} looks`,
      );
    };

    sessions.hold(claimed.claim, new WaitingHolder({ securityProfile: 1, isProven: true }));
    const settings = { recordsMessages: true };
    await store.transact((db) => setCharger(db, charger, settings, 2));
    await look(5);
    assert.equal(finds, 1);

    const applied: (ChargerRecord | undefined)[] = [];
    sessions.hold(
      claimed.claim,
      sessionThat((record) => applied.push(record)),
    );
    await look(5);
    assert.deepEqual(
      applied.map((record) => record?.recordsMessages),
      [true],
    );
    assert.equal(finds, 2);
    await housekeeping.stop();
    assert.deepEqual(failures, []);
  });
});

function collectFailures() {
  const failures: string[] = [];
  return { failures, emit: ({ name }: { readonly name: string }) => void failures.push(name) };
}

/** A session, as far as housekeeping tells it anything. */
function sessionThat(applies: (record: ChargerRecord | undefined) => void): ClaimHolder {
  return {
    shown: { securityProfile: 1, isProven: true, certificates: [] },
    isOnItsWay: false,
    probe: () => Promise.resolve('alive'),
    end: () => assert.fail('the charger may stay'),
    applyRecord: applies,
    applyCredential: () => {},
    review: () => false,
  };
}
