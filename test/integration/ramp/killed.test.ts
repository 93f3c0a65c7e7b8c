import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { seededRandom } from '../../../src/lib/random.ts';
import { describePostgres } from '../../support/stores.ts';
import { sharedPlace } from '../store/places.ts';
import { type KillSetting, killOften } from './kill-rounds.ts';

// Goal: whatever moment a gateway is killed at, a stop that the CSMS believes done is done once, in its
//   turn, and the budget holds across its lives.
// Method: the real command is killed with SIGKILL in the middle of a mass stop, after a random number
//   of answers and arrivals or while it starts, many times over one database. What the cars saw is
//   compared with what the CSMS heard, and with the ledger. GATEWATT_SEED replays the choices of a
//   run, though not the machine's own timing; GATEWATT_KILLS makes it longer.

const seed = Number(process.env['GATEWATT_SEED'] ?? randomInt(2 ** 31));
const killsWanted = process.env['GATEWATT_KILLS'];

describe('a gateway that is killed in the middle of a mass stop', () => {
  test('on SQLite', async (t) => {
    await using place = await temporaryDirectory();
    const location = { type: 'sqlite', directory: path.join(place.directory, 'data') } as const;
    await run(t, {
      ...place,
      kills: Number(killsWanted ?? 4),
      store: { type: 'sqlite' },
      location: { ...location, isGateway: false },
    });
  });
});

describePostgres('a gateway that is killed in the middle of a mass stop', () => {
  test('on PostgreSQL', async (t) => {
    await using database = await sharedPlace();
    await using place = await temporaryDirectory();
    await run(t, {
      ...place,
      kills: Number(killsWanted ?? 2),
      store: await database.section(),
      location: database.database.location,
    });
  });
});

async function run(t: TestContext, setting: KillSetting): Promise<void> {
  t.diagnostic(`${setting.kills} kills, GATEWATT_SEED=${seed}`);
  try {
    t.diagnostic(await killOften(setting, seededRandom(seed)));
  } catch (error) {
    throw new Error(`with GATEWATT_SEED=${seed}: ${(error as Error).message}`, { cause: error });
  }
}

async function temporaryDirectory() {
  const directory = await mkdtemp(path.join(tmpdir(), 'gatewatt-killed-'));
  return {
    directory,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
