import { sql } from 'kysely';
import type { LoadClass } from '../ocpp/load-actions.ts';
import { isJsonObject, type JsonObject } from '../ocpp/message.ts';
import { isOcppVersion, type OcppVersion } from '../ocpp/version.ts';
import type { Queries } from '../store/store.ts';
import type { RowOf, Tables } from '../store/tables.ts';
import { type RampLane, rampLanes } from './feeder-state.ts';
import type { LoadBasis, LoadChange, LoadEstimate } from './load-change.ts';
import type { LongWait } from './ramp-options.ts';
import { listIn, parsedDocument } from './read-state.ts';

/**
 * - `arriving`: it is being stored, and its caller is answered next.
 * - `waiting`: for its turn.
 * - `sent`: and the charger has not answered yet.
 * - `cancelled`: by an operator; the gateway that has its caller tells it.
 */
const heldStates = ['arriving', 'waiting', 'sent', 'cancelled'] as const;
/** One of them. */
export type HeldState = (typeof heldStates)[number];

/** A command that waits, or that was sent and whose outcome is not known yet. */
export interface HeldCommand {
  readonly id: string;
  readonly sequence: number;
  readonly lane: RampLane;
  readonly chargerKey: string;
  /** As the charger spells it. */
  readonly charger: string;
  /** The name of its nearest feeder. */
  readonly feeder: string;
  readonly version: OcppVersion;
  readonly action: string;
  readonly loadClass: LoadClass;
  readonly payload: JsonObject;
  /** The id of the message in which it came. */
  readonly messageId: string;
  /** Is it the reply to a call of the charger? */
  readonly isReply: boolean;
  readonly incarnation: string;
  readonly state: HeldState;
  /** Has the gateway answered for the charger? */
  readonly isAnswered: boolean;
  readonly onLongWait: LongWait;
  /** Times are Unix milliseconds of the store. */
  readonly arrivedAtMs: number;
  readonly notBeforeMs: number;
  readonly answerByMs: number;
  readonly expiresAtMs: number;
  readonly sentAtMs: number | undefined;
  readonly place: number | undefined;
  readonly swing: LoadEstimate['swing'];
  readonly basis: LoadBasis;
  readonly now: LoadChange;
  readonly coalesceKeys: readonly string[];
  readonly reason: string | undefined;
}

/** A held command, and the running gateway that its charger is connected to. */
export interface LocatedCommand extends HeldCommand {
  /** Undefined when the charger is away. */
  readonly connectedTo: string | undefined;
}

/** Commands of one feeder that are looked at for release; those behind them have to wait anyway. */
const headsPerFeederMax = 256;

/** Stores a command. */
export async function insertCommand(db: Queries, command: HeldCommand): Promise<void> {
  await db.insertInto('ramp_command').values(rowOf(command)).execute();
}

/** The commands of one charger that wait, in their order. */
export async function waitingOf(db: Queries, chargerKey: string): Promise<readonly HeldCommand[]> {
  const rows = await db
    .selectFrom('ramp_command')
    .selectAll()
    .where('identity_key', '=', chargerKey)
    .where('state', '=', 'waiting')
    .orderBy('lane_rank')
    .orderBy('sequence')
    .execute();
  return rows.flatMap(commandOf);
}

/**
 * The first commands of each of `feeders` that wait and whose charger is connected somewhere, in
 * the order in which they are to be released.
 */
export async function headsOf(
  db: Queries,
  feeders: readonly string[],
  nowMs: number,
): Promise<readonly LocatedCommand[]> {
  if (feeders.length === 0) return [];
  const { rows } = await sql<RowOf<'ramp_command'> & { readonly connected_to: string | null }>`
    select * from (
      select c.*, k.incarnation as connected_to,
        row_number() over (partition by c.feeder order by c.lane_rank, c.sequence) as place_in_line
      from ramp_command c
      join claim k on k.identity_key = c.identity_key
      join gateway_lease l on l.incarnation = k.incarnation and l.expires_ms > ${nowMs}
      where c.state = 'waiting' and c.feeder in (${sql.join([...feeders])})
    ) as line
    where place_in_line <= ${headsPerFeederMax}
    order by lane_rank, sequence
  `.execute(db);
  return rows.flatMap(locatedOf);
}

/** Every command, in the order of release, for people to look at. */
export async function allCommands(db: Queries, limit: number): Promise<readonly HeldCommand[]> {
  const rows = await db
    .selectFrom('ramp_command')
    .selectAll()
    .orderBy('lane_rank')
    .orderBy('sequence')
    .limit(limit)
    .execute();
  return rows.flatMap(commandOf);
}

/** What waits for a feeder, all together. */
export interface WaitingTotal {
  readonly feeder: string;
  readonly count: number;
  readonly oldestMs: number;
  readonly change: LoadChange;
}

/** The totals of all feeders for which something waits. */
export async function waitingTotals(db: Queries): Promise<readonly WaitingTotal[]> {
  const rows = await db
    .selectFrom('ramp_command')
    .select((row) => [
      'feeder',
      row.fn.countAll<number>().as('count'),
      row.fn.min('arrived_ms').as('oldest_ms'),
      row.fn.sum<number>('commands_milli').as('commands_milli'),
      row.fn.sum<number>('up_w').as('up_w'),
      row.fn.sum<number>('down_w').as('down_w'),
    ])
    .where('state', '=', 'waiting')
    .groupBy('feeder')
    .execute();
  // PostgreSQL sums bigints as numerics, which come as texts.
  return rows.map((row) => ({
    feeder: row.feeder,
    count: Number(row.count),
    oldestMs: Number(row.oldest_ms),
    change: {
      commandsMilli: Number(row.commands_milli),
      upW: Number(row.up_w),
      downW: Number(row.down_w),
    },
  }));
}

/** Removes commands. @returns those that were there. */
export async function removeCommands(db: Queries, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await db
    .deleteFrom('ramp_command')
    .where('id', 'in', [...ids])
    .execute();
}

/** Changes what is known of a command. */
export async function updateCommand(
  db: Queries,
  id: string,
  change: Partial<
    Pick<Tables['ramp_command'], 'state' | 'incarnation' | 'sent_ms' | 'not_before_ms'>
  >,
): Promise<void> {
  await db.updateTable('ramp_command').set(change).where('id', '=', id).execute();
}

/**
 * The callers of commands are about to be answered: from now on the commands are released whatever
 * becomes of this gateway.
 *
 * @returns the ids of those that are still there, and that nobody has cancelled.
 */
export async function markAnswered(
  db: Queries,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await db
    .updateTable('ramp_command')
    .set({ is_answered: 1, state: 'waiting' })
    .where('id', 'in', [...ids])
    .where('state', 'in', ['arriving', 'waiting'])
    .returning('id')
    .execute();
  return new Set(rows.map(({ id }) => id));
}

/** Waiting commands for which something is due: their caller, or they themselves, cannot wait on. */
export async function dueCommands(
  db: Queries,
  incarnation: string,
  nowMs: number,
): Promise<readonly HeldCommand[]> {
  const rows = await db
    .selectFrom('ramp_command')
    .selectAll()
    .where((row) =>
      row.or([
        // Whoever was answered waits for nobody: any gateway may say that it has expired.
        row.and([
          row('state', '=', 'waiting'),
          row('expires_ms', '<=', nowMs),
          row('is_answered', '=', 1),
        ]),
        row.and([row('state', '=', 'cancelled'), row('incarnation', '=', incarnation)]),
        row.and([
          row('state', '=', 'waiting'),
          row('incarnation', '=', incarnation),
          row('is_answered', '=', 0),
          row.or([row('answer_by_ms', '<=', nowMs), row('expires_ms', '<=', nowMs)]),
        ]),
      ]),
    )
    .orderBy('sequence')
    .limit(dueMax)
    .execute();
  return rows.flatMap(commandOf);
}

/** Commands that are seen to in one go. */
const dueMax = 200;

/** Commands of gateways that are gone: sent and without an outcome, or waiting and unanswered. */
export async function orphanedCommands(
  db: Queries,
  incarnation: string,
  nowMs: number,
): Promise<readonly HeldCommand[]> {
  const rows = await db
    .selectFrom('ramp_command')
    .selectAll()
    .where('incarnation', '!=', incarnation)
    .where((row) => row.or([row('state', '=', 'sent'), row('is_answered', '=', 0)]))
    .where((row) =>
      row.not(
        row.exists(
          row
            .selectFrom('gateway_lease')
            .select('gateway_lease.incarnation')
            .whereRef('gateway_lease.incarnation', '=', 'ramp_command.incarnation')
            .where('gateway_lease.expires_ms', '>', nowMs),
        ),
      ),
    )
    .limit(dueMax)
    .execute();
  return rows.flatMap(commandOf);
}

/**
 * When this gateway has to see to the next command, Unix time in milliseconds; undefined for never.
 * The callers that wait at another gateway are that one's business, even when it is late.
 */
export async function nextDueMs(db: Queries, incarnation: string): Promise<number | undefined> {
  const row = await db
    .selectFrom('ramp_command')
    .select((it) => [
      it.fn.min('expires_ms').as('expires_ms'),
      it.fn
        .min(
          it
            .case()
            .when('is_answered', '=', 0)
            .then(it.ref('answer_by_ms'))
            .else(it.ref('expires_ms'))
            .end(),
        )
        .as('answer_by_ms'),
    ])
    .where('state', '=', 'waiting')
    .where((it) => it.or([it('is_answered', '=', 1), it('incarnation', '=', incarnation)]))
    .executeTakeFirst();
  if (row?.expires_ms === undefined || row.expires_ms === null) return undefined;
  return Math.min(Number(row.expires_ms), Number(row.answer_by_ms));
}

function rowOf(command: HeldCommand): Tables['ramp_command'] {
  return {
    id: command.id,
    sequence: command.sequence,
    lane_rank: laneRank(command.lane),
    identity_key: command.chargerKey,
    charger: command.charger,
    feeder: command.feeder,
    version: command.version,
    action: command.action,
    load_class: command.loadClass,
    payload: JSON.stringify(command.payload),
    message_id: command.messageId,
    is_reply: command.isReply ? 1 : 0,
    incarnation: command.incarnation,
    state: command.state,
    is_answered: command.isAnswered ? 1 : 0,
    on_long_wait: command.onLongWait,
    arrived_ms: command.arrivedAtMs,
    not_before_ms: command.notBeforeMs,
    answer_by_ms: command.answerByMs,
    expires_ms: command.expiresAtMs,
    sent_ms: command.sentAtMs ?? null,
    place: command.place ?? null,
    swing: command.swing,
    basis: command.basis,
    commands_milli: command.now.commandsMilli,
    up_w: command.now.upW,
    down_w: command.now.downW,
    coalesce_keys: JSON.stringify(command.coalesceKeys),
    reason: command.reason ?? null,
  };
}

/** The lane as its column has it: emergencies come first. */
export function laneRank(lane: RampLane): number {
  return rampLanes.length - 1 - rampLanes.indexOf(lane);
}

function locatedOf(
  row: RowOf<'ramp_command'> & { readonly connected_to: string | null },
): readonly LocatedCommand[] {
  const connectedTo = row.connected_to ?? undefined;
  return commandOf(row).map((command) => ({ ...command, connectedTo }));
}

/** The command in a row; none when a newer release wrote what this one cannot read. */
function commandOf(row: RowOf<'ramp_command'>): readonly HeldCommand[] {
  const payload = parsedDocument(row.payload);
  const { version } = row;
  if (!isJsonObject(payload) || !isOcppVersion(version)) return [];
  return [
    {
      id: row.id,
      sequence: row.sequence,
      lane: rampLanes[rampLanes.length - 1 - row.lane_rank] ?? 'ordinary',
      chargerKey: row.identity_key,
      charger: row.charger,
      feeder: row.feeder,
      version,
      action: row.action,
      loadClass: row.load_class as LoadClass,
      payload,
      messageId: row.message_id,
      isReply: row.is_reply === 1,
      incarnation: row.incarnation,
      state: heldStates.find((state) => state === row.state) ?? 'waiting',
      isAnswered: row.is_answered === 1,
      onLongWait: row.on_long_wait === 'answer' ? 'answer' : 'refuse',
      arrivedAtMs: row.arrived_ms,
      notBeforeMs: row.not_before_ms,
      answerByMs: row.answer_by_ms,
      expiresAtMs: row.expires_ms,
      sentAtMs: row.sent_ms ?? undefined,
      place: row.place ?? undefined,
      swing: row.swing === 'up' || row.swing === 'down' ? row.swing : 'none',
      basis: row.basis as LoadBasis,
      now: { commandsMilli: row.commands_milli, upW: row.up_w, downW: row.down_w },
      coalesceKeys: listIn({ keys: parsedDocument(row.coalesce_keys) }, 'keys').filter(
        (key) => typeof key === 'string',
      ),
      reason: row.reason ?? undefined,
    },
  ];
}
