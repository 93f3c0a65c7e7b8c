import type { Transaction } from 'kysely';
import type { Random } from '../lib/random.ts';
import type { Queries } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';
import { type FeederState, feederStateText, savedFeederState } from './feeder-state.ts';
import type { Feeder } from './feeders.ts';
import { Ledger, type LedgerEntry } from './ledger.ts';
import type { LoadChange } from './load-change.ts';
import { othersMayTakeMs } from './plan.ts';

/**
 * What counts towards the budgets.
 *
 * - `release`: a command that was sent.
 * - `debt`: what a command larger than a budget takes from the windows after its own.
 * - `schedule`: a step that a charging schedule makes by itself.
 * - `restart`: a restart for new firmware.
 */
export type EntryKind = 'release' | 'debt' | 'schedule' | 'restart';

/** One entry, in the ledger of one feeder. */
export interface NewEntry extends LedgerEntry {
  readonly feeder: string;
  readonly kind: EntryKind;
  readonly chargerKey: string;
  readonly commandId: string;
}

/** The row of `counter` that those who change the limiter's tables lock. */
const counterName = 'ramp-limit';
/** Rows of one statement; SQLite allows 32 766 parameters in one. */
const rowsMax = 500;

/**
 * Waits until no other gateway, nor an operator, decides about load changes, and keeps others out
 * until the transaction ends.
 *
 * @returns a number that rises with each call, over all gateways: the order of arrival.
 */
export async function lockRamp(db: Transaction<Tables>): Promise<number> {
  const { value } = await db
    .insertInto('counter')
    .values({ name: counterName, value: 1 })
    .onConflict((conflict) =>
      conflict
        .column('name')
        .doUpdateSet(({ eb, ref }) => ({ value: eb(ref('counter.value'), '+', 1) })),
    )
    .returning('value')
    .executeTakeFirstOrThrow();
  return value;
}

/** The ledgers of `feeders` around `nowMs`: what shares a window with it. */
export async function ledgersOf(
  db: Queries,
  feeders: readonly Feeder[],
  nowMs: number,
): Promise<ReadonlyMap<string, Ledger>> {
  const longestMs = Math.max(...feeders.map(({ intervalMs }) => intervalMs));
  const rows = await db
    .selectFrom('ramp_entry')
    .select(['feeder', 'at_ms', 'commands_milli', 'up_w', 'down_w'])
    .where(
      'feeder',
      'in',
      feeders.map(({ name }) => name),
    )
    // Whether there has been room for a while is asked as well.
    .where('at_ms', '>', nowMs - longestMs - othersMayTakeMs)
    // A change that has to wait looks for room one interval further on.
    .where('at_ms', '<', nowMs + 2 * longestMs)
    .orderBy('at_ms')
    .execute();
  return new Map(
    feeders.map(({ intervalMs, name }) => {
      const own = rows.filter(({ feeder }) => feeder === name).map(entryOf);
      return [name, new Ledger(intervalMs, own)];
    }),
  );
}

/**
 * What is known of the time from `fromMs` on, but for the schedules of `exceptKey`. Changes of one
 * moment are one entry: in a year of quarter hours there are fewer moments than chargers.
 */
export async function futureOf(
  db: Queries,
  feeder: Feeder,
  span: { readonly fromMs: number; readonly toMs: number },
  exceptKey: string,
): Promise<readonly LedgerEntry[]> {
  const rows = await db
    .selectFrom('ramp_entry')
    .select((row) => [
      'at_ms',
      row.fn.sum<number>('commands_milli').as('commands_milli'),
      row.fn.sum<number>('up_w').as('up_w'),
      row.fn.sum<number>('down_w').as('down_w'),
    ])
    .where('feeder', '=', feeder.name)
    .where('at_ms', '>', span.fromMs - feeder.intervalMs)
    .where('at_ms', '<', span.toMs + feeder.intervalMs)
    .where((row) => row.or([row('kind', '!=', 'schedule'), row('identity_key', '!=', exceptKey)]))
    .groupBy('at_ms')
    .orderBy('at_ms')
    .execute();
  return rows.map(entryOf);
}

/** Writes entries into the ledgers. */
export async function insertEntries(
  db: Queries,
  entries: readonly NewEntry[],
  random: Random,
): Promise<void> {
  const rows = entries.map((entry) => ({
    id: random.uuid(),
    feeder: entry.feeder,
    at_ms: entry.atMs,
    kind: entry.kind,
    identity_key: entry.chargerKey,
    command_id: entry.commandId,
    commands_milli: entry.commandsMilli,
    up_w: entry.upW,
    down_w: entry.downW,
  }));
  for (let at = 0; at < rows.length; at += rowsMax) {
    await db
      .insertInto('ramp_entry')
      .values(rows.slice(at, at + rowsMax))
      .execute();
  }
}

/** The schedules of `chargerKey` are those of the command `commandId` from now on, and no others. */
export async function keepSchedulesOf(
  db: Queries,
  chargerKey: string,
  commandId: string,
  nowMs: number,
): Promise<void> {
  await db
    .deleteFrom('ramp_entry')
    .where('identity_key', '=', chargerKey)
    .where('kind', '=', 'schedule')
    .where('command_id', '!=', commandId)
    .where('at_ms', '>', nowMs)
    .execute();
}

/** What the command `commandId` was to do later will not happen. */
export async function forgetLater(
  db: Queries,
  chargerKey: string,
  commandId: string,
  nowMs: number,
): Promise<void> {
  await db
    .deleteFrom('ramp_entry')
    .where('identity_key', '=', chargerKey)
    .where('kind', 'in', ['schedule', 'restart'])
    .where('command_id', '=', commandId)
    .where('at_ms', '>', nowMs)
    .execute();
}

/** Deletes entries that share no window with anything that is still to come. */
export async function pruneEntries(db: Queries, beforeMs: number): Promise<void> {
  await db.deleteFrom('ramp_entry').where('at_ms', '<', beforeMs).execute();
  await db
    .deleteFrom('ramp_fall')
    .where('at_ms', '<', beforeMs)
    .where('rose_ms', '<', beforeMs)
    .execute();
}

/** The whole charger, as the column of places has it. */
const wholePlace = -1;

/** A command has turned this place down. */
export async function noteFall(
  db: Queries,
  chargerKey: string,
  place: number | undefined,
  atMs: number,
): Promise<void> {
  await db
    .insertInto('ramp_fall')
    .values({ identity_key: chargerKey, place: place ?? wholePlace, at_ms: atMs, rose_ms: 0 })
    .onConflict((row) => row.columns(['identity_key', 'place']).doUpdateSet({ at_ms: atMs }))
    .execute();
}

/** A command has turned this place up. */
export async function noteRise(
  db: Queries,
  chargerKey: string,
  place: number | undefined,
  atMs: number,
): Promise<void> {
  await db
    .insertInto('ramp_fall')
    .values({ identity_key: chargerKey, place: place ?? wholePlace, at_ms: 0, rose_ms: atMs })
    .onConflict((row) => row.columns(['identity_key', 'place']).doUpdateSet({ rose_ms: atMs }))
    .execute();
}

/** When a place last fell; see `PlanState.lastFallMs`. */
export type LastFall = (chargerKey: string, place: number | undefined) => number | undefined;

/**
 * The falls of some chargers that call for a dwell time: those since `nowMs - dwellMs` that came
 * within as long after a rise. A car that makes room for the next one is no oscillation.
 */
export async function fallsOf(
  db: Queries,
  chargerKeys: readonly string[],
  nowMs: number,
  dwellMs: number,
): Promise<LastFall> {
  const rows =
    chargerKeys.length === 0
      ? []
      : await db
          .selectFrom('ramp_fall')
          .selectAll()
          .where('identity_key', 'in', [...chargerKeys])
          .where((row) =>
            row.or([row('at_ms', '>', nowMs - dwellMs), row('rose_ms', '>', nowMs - 2 * dwellMs)]),
          )
          .execute();
  return (chargerKey, place) => {
    const mine = rows.filter((row) => row.identity_key === chargerKey);
    // The whole charger is each of its places.
    const places = place === undefined ? mine.map((row) => row.place) : [place];
    const times = places.flatMap((at) => {
      // What moves the whole charger moves this place.
      const own = mine.filter((row) => row.place === at || row.place === wholePlace);
      const fellMs = Math.max(...own.map((row) => row.at_ms));
      const roseMs = own.map((row) => row.rose_ms);
      const hasRisenSince = roseMs.some((atMs) => atMs > fellMs);
      const roseBefore = roseMs.some((atMs) => atMs <= fellMs && atMs > fellMs - dwellMs);
      const isOfLate = fellMs > nowMs - dwellMs;
      return isOfLate && roseBefore && !hasRisenSince ? [fellMs] : [];
    });
    return times.length === 0 ? undefined : Math.max(...times);
  };
}

/** The states of all feeders of which one is stored, by name. */
export async function storedFeederStates(db: Queries): Promise<ReadonlyMap<string, FeederState>> {
  const rows = await db.selectFrom('ramp_feeder').selectAll().execute();
  return new Map(rows.map(({ name, state }) => [name, savedFeederState(state)]));
}

/** The states of `feeders`. */
export async function feederStatesOf(
  db: Queries,
  feeders: readonly Feeder[],
): Promise<ReadonlyMap<string, FeederState>> {
  const names = feeders.map(({ name }) => name);
  const rows = await db.selectFrom('ramp_feeder').selectAll().where('name', 'in', names).execute();
  return new Map(
    names.map((name) => [name, savedFeederState(rows.find((row) => row.name === name)?.state)]),
  );
}

/** Writes the state of a feeder. */
export async function writeFeederState(
  db: Queries,
  name: string,
  state: FeederState,
): Promise<void> {
  const text = feederStateText(state);
  await db
    .insertInto('ramp_feeder')
    .values({ name, state: text })
    .onConflict((row) => row.column('name').doUpdateSet({ state: text }))
    .execute();
}

function entryOf(row: {
  readonly at_ms: number;
  readonly commands_milli: number;
  readonly up_w: number;
  readonly down_w: number;
}): LedgerEntry {
  const change: LoadChange = {
    commandsMilli: Number(row.commands_milli),
    upW: Number(row.up_w),
    downW: Number(row.down_w),
  };
  return { atMs: row.at_ms, ...change };
}
