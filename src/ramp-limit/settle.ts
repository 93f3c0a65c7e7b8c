import type { Transaction } from 'kysely';
import type { Tables } from '../store/tables.ts';
import { type HeldCommand, removeCommands, updateCommand } from './command-rows.ts';
import { forgetLater, keepSchedulesOf } from './entry-rows.ts';
import type { ReleaseOutcome } from './ramp-target.ts';
import { resendMs } from './tick.ts';

/** May a command be sent once more after this outcome? A second stop does nothing. */
export function mayBeSentAgain({ loadClass }: HeldCommand, outcome: ReleaseOutcome): boolean {
  return outcome === 'unsent' || (outcome === 'unanswered' && loadClass === 'stop');
}

/** Notes how a command came out that was sent after its caller had been answered. */
export async function settleCommand(
  db: Transaction<Tables>,
  command: HeldCommand,
  outcome: ReleaseOutcome,
  nowMs: number,
  incarnation: string,
): Promise<void> {
  const { chargerKey, id } = command;
  if (mayBeSentAgain(command, outcome)) {
    // After a moment, in which the charger may do what it was told before it lost its connection.
    const not_before_ms = outcome === 'unsent' ? nowMs : nowMs + resendMs;
    await updateCommand(db, id, { state: 'waiting', incarnation, sent_ms: null, not_before_ms });
    return;
  }
  await removeCommands(db, [id]);
  await confirmLater(db, chargerKey, id, outcome === 'as-told', nowMs);
}

/** The charger has taken the schedules of the command `commandId`, or has not. */
export async function confirmLater(
  db: Transaction<Tables>,
  chargerKey: string,
  commandId: string,
  isAccepted: boolean,
  nowMs: number,
): Promise<void> {
  if (isAccepted) await keepSchedulesOf(db, chargerKey, commandId, nowMs);
  else await forgetLater(db, chargerKey, commandId, nowMs);
}

/**
 * What the CSMS of a charger waited for, whose connection has ended.
 *
 * @param endedMs when it has. What came later belongs to the next connection: the store may have been
 *   away meanwhile.
 */
export async function forgetUnanswered(
  db: Transaction<Tables>,
  chargerKey: string,
  incarnation: string,
  endedMs: number,
): Promise<void> {
  const gone = await db
    .deleteFrom('ramp_command')
    .where('identity_key', '=', chargerKey)
    .where('incarnation', '=', incarnation)
    .where('is_answered', '=', 0)
    .where('state', '!=', 'arriving')
    .where('arrived_ms', '<=', endedMs)
    .returning('id')
    .execute();
  for (const { id } of gone) await forgetLater(db, chargerKey, id, endedMs);
}

/** Nobody hears of a command any more: it is not sent, and does nothing later. */
export async function forgetCommand(
  db: Transaction<Tables>,
  id: string,
  nowMs: number,
): Promise<void> {
  const gone = await db
    .deleteFrom('ramp_command')
    .where('id', '=', id)
    .returning('identity_key')
    .executeTakeFirst();
  if (gone !== undefined) await forgetLater(db, gone.identity_key, id, nowMs);
}
