import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { systemClock } from '../../../src/lib/clock.ts';
import { openStore, type StoreLocation } from '../../../src/store/open-store.ts';
import type { ConfigChanges } from '../../support/live-gateway.ts';
import { mountSmallDisk } from '../../support/small-disk.ts';
import { describePostgres } from '../../support/stores.ts';
import { layCable } from '../store/cable.ts';
import { exchange, until } from '../store/exchanges.ts';
import { leaseSeconds, sharedPlace } from '../store/places.ts';
import { profile16 } from './action-cases.ts';
import {
  assertAnswered,
  assertCsmsRefused,
  assertNothingToCharger,
  assertNothingToCsms,
  begin,
  callText,
  every,
  idOf,
  reportIdle,
  sendThrough,
  startRampSite,
  startText,
  stopText,
  takesReleased,
} from './ramp-site.ts';

// Goal: while nobody can know what the budgets have left, a car can be stopped, one at a time, and
//   nothing else moves load; what does not, passes; and when the store is back it knows what passed,
//   and what waited is released.
// Method: a real gateway whose database is cut off, or has no room left, and comes back.

const intervalSeconds = 3;

describePostgres('a gateway whose PostgreSQL is away', () => {
  test('lets single stops pass, and refuses what else would change load', async () => {
    await using place = await sharedPlace();
    await using cable = await layCable(Number(new URL(place.url).port));
    await goesAway({
      section: await place.section(cable),
      location: place.database.location,
      leave: async () => cable.cut(),
      comeBack: async () => cable.mend(),
    });
  });
});

describe('a gateway whose SQLite file has no room left', () => {
  test('lets single stops pass, and refuses what else would change load', async (t) => {
    const disk = await mountSmallDisk(t);
    if (disk === undefined) return;
    await using small = disk;
    const directory = path.join(small.directory, 'data');
    await goesAway({
      section: { type: 'sqlite', leaseSeconds },
      dataDir: directory,
      location: { type: 'sqlite', directory, isGateway: false },
      leave: () => small.fill(),
      comeBack: () => small.free(),
    });
  });
});

interface Away {
  /** The `store` section. */
  readonly section: ConfigChanges;
  /** Of SQLite. */
  readonly dataDir?: string;
  readonly location: StoreLocation;
  leave(): Promise<void>;
  comeBack(): Promise<void>;
}

async function goesAway(away: Away): Promise<void> {
  const gateway = away.dataDir === undefined ? {} : { dataDir: away.dataDir };
  await using site = await startRampSite(
    { openSecondsMax: 1, unassigned: every(intervalSeconds, 1) },
    { chargers: 5, changes: { gateway: { drainSeconds: 0, ...gateway }, store: away.section } },
  );
  const [first, second, third, fourth, idle] = [0, 1, 2, 3, 4].map((index) => site.station(index));
  assert.ok(first && second && third && fourth && idle);
  for (const [index, station] of [first, second, third, fourth].entries()) {
    await begin(station, index + 1);
  }
  await reportIdle(idle);
  await sendThrough(first, startText('spent', first));
  second.upstream.send(stopText('held', second, 2));
  await assertAnswered(second, 'held');

  await away.leave();
  const others = [
    startText('start', fourth),
    callText('limit', 'SetChargingProfile', profile16(0)),
    callText('reset', 'Reset', { type: 'Hard' }),
    callText('unlock', 'UnlockConnector', { connectorId: 1 }),
  ];
  for (const text of others) {
    fourth.upstream.send(text);
    await assertCsmsRefused(fourth, idOf(text), 'RAMP_UNKNOWN');
  }
  await sendThrough(third, stopText('first', third, 3));
  const passedAtMs = performance.now();
  // A second one in the same interval.
  fourth.upstream.send(stopText('too-soon', fourth, 4));
  await assertCsmsRefused(fourth, 'too-soon', 'RAMP_UNKNOWN');
  const refused = site.gateway.events.filter(
    (event) => event.name === 'LoadCommandRefused' && event.code === 'RAMP_UNKNOWN',
  );
  assert.equal(refused.length, others.length + 1);
  // What moves nothing asks nobody.
  await sendThrough(idle, callText('u', 'UnlockConnector', { connectorId: 1 }), {
    status: 'NotSupported',
  });
  const key = { key: 'HeartbeatInterval', value: '60' };
  await sendThrough(fourth, callText('k', 'ChangeConfiguration', key));
  await exchange(fourth, 'Heartbeat', {}, { currentTime: '2026-01-01T00:00:00Z' });
  await until(() => performance.now() - passedAtMs > intervalSeconds * 1000);
  await sendThrough(fourth, stopText('second', fourth, 4));
  await site.gateway.event('StoreUnavailable');
  await assertNothingToCharger(second);

  await away.comeBack();
  const id = await takesReleased(second, stopText('held', second, 2));
  second.charger.sendMessage(3, id, { status: 'Accepted' });
  await site.gateway.event('LoadCommandReconciled');
  await assertNothingToCsms(second);
  const store = await openStore(away.location, systemClock());
  try {
    const rows = await store.query((db) =>
      db
        .selectFrom('ramp_entry')
        .select('identity_key')
        .where('kind', '=', 'release')
        .orderBy('at_ms')
        .execute(),
    );
    // All that has moved load is in the ledger, though it was away for two of them.
    assert.deepEqual(
      rows.map(({ identity_key }) => identity_key),
      [first, third, fourth, second].map(({ identity }) => identity.toLowerCase()),
    );
  } finally {
    await store.close();
  }
}
