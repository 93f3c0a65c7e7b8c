import { Command, Option } from 'commander';
import { lockRamp } from '../../ramp-limit/entry-rows.ts';
import {
  type CancelOutcome,
  type CommandSubject,
  cancelCommands,
  commandSubjects,
} from '../../ramp-limit/operator-acts.ts';
import { withCommonOptions } from '../charger/identity-argument.ts';
import { jsonText } from '../charger/json-text.ts';
import { exitCodes } from '../exit-codes.ts';
import { actOn, complain, onStore, recordActs } from '../on-store.ts';
import { rampOptions } from '../ramp-options.ts';
import { printable } from '../text-table.ts';
import { readReason, reasonDefault } from './option-values.ts';
import {
  type SelectionOptions,
  select,
  selectionMistake,
  type UnknownId,
  unknownText,
  withSelection,
} from './selection.ts';

interface CancelOptions extends SelectionOptions {
  readonly config: string;
  readonly json?: true;
  readonly reason: string;
}

const help = `
Where the CSMS was told that the charger accepts the command, it goes on believing so: look there
what the charger is to do now. Where it still waits for an answer, the gateway tells it that the
command is cancelled, within seconds. What was sent cannot be cancelled.

Examples:
  gatewatt ramp cancel 0b7f1c52 -c gatewatt.yaml --reason "sent by mistake"
  gatewatt ramp cancel -c gatewatt.yaml --feeder north --reason "stolen account"

Exit codes: 0 cancelled, with --feeder, --charger and --all even if nothing waits; 1 a command that
was named does not wait, no such feeder, or the store failed; 2 wrong usage.
`;

/** `gatewatt ramp cancel`. */
export function cancelCommand(): Command {
  const command = new Command('cancel')
    .summary('give up commands that wait')
    .description('Gives up commands that wait. They are never sent to their chargers.');
  withCommonOptions(withSelection(command)).addOption(
    new Option('--reason <text>', 'why').argParser(readReason).default(reasonDefault),
  );
  return command
    .addHelpText('after', help)
    .action(async (ids: readonly string[], options: CancelOptions) => {
      process.exitCode = await cancel(ids, options);
    });
}

/** One command, and what became of it. */
interface Cancelled {
  readonly subject: CommandSubject;
  readonly outcome: CancelOutcome;
}

async function cancel(ids: readonly string[], options: CancelOptions): Promise<number> {
  const mistake = selectionMistake(ids, options);
  if (mistake !== undefined) {
    complain(mistake);
    return exitCodes.usage;
  }
  const { reason } = options;
  return onStore(options.config, async (visit) => {
    const { config, store } = visit;
    const { feeders } = rampOptions(config);
    const result = await store.transactDurably(async (db) => {
      await lockRamp(db);
      const selection = select(await commandSubjects(db), ids, options, feeders);
      if (selection === undefined) return undefined;
      const { subjects, unknown } = selection;
      const outcomes = await cancelCommands(db, subjects, store.nowMs());
      const cancelled = subjects.map((subject): Cancelled => {
        return { subject, outcome: outcomes.get(subject.id) ?? 'gone' };
      });
      const acts = cancelled
        .filter(isNew)
        .map(({ subject: { charger, id } }) =>
          actOn('LoadCommandCancelled', charger, { commandId: id, reason }),
        );
      await recordActs(visit, db, acts);
      return { cancelled, unknown };
    });
    if (result === undefined) {
      complain(`There is no feeder ${printable(options.feeder ?? '')}.`);
      return exitCodes.failed;
    }
    const { cancelled, unknown } = result;
    if (options.json === true) process.stdout.write(jsonOf(cancelled, unknown));
    else tell(cancelled);
    for (const id of unknown) complain(unknownText(id));
    const failures = cancelled.filter(({ outcome }) => outcome === 'sent' || outcome === 'gone');
    for (const { subject } of failures) complain(`${nameOf(subject)} was sent: too late`);
    const hasFailed = ids.length > 0 && failures.length + unknown.length > 0;
    return hasFailed ? exitCodes.failed : exitCodes.ok;
  });
}

function isNew({ outcome }: Cancelled): boolean {
  return outcome === 'cancelled-answered' || outcome === 'cancelled-unanswered';
}

function tell(cancelled: readonly Cancelled[]): void {
  for (const { outcome, subject } of cancelled) {
    const name = nameOf(subject);
    if (outcome === 'already') process.stdout.write(`${name} was cancelled before\n`);
    if (outcome === 'cancelled-answered') {
      process.stdout.write(`${name} is cancelled; the CSMS believes that it was accepted\n`);
    }
    if (outcome === 'cancelled-unanswered') {
      process.stdout.write(`${name} is cancelled; the gateway tells the CSMS\n`);
    }
  }
  const count = cancelled.filter(isNew).length;
  if (cancelled.length !== 1) process.stdout.write(`Cancelled: ${count}\n`);
}

/** How a command is named, for people. */
export function nameOf({ action, charger, id }: CommandSubject): string {
  return printable(`${id} (${action} of ${charger})`);
}

function jsonOf(cancelled: readonly Cancelled[], unknown: readonly UnknownId[]): string {
  return jsonText({
    count: cancelled.filter(isNew).length,
    commands: cancelled.map(({ outcome, subject: { action, charger, feeder, id } }) => ({
      id,
      charger,
      action,
      feeder,
      outcome: outcome.startsWith('cancelled') ? 'cancelled' : outcome,
      wasAnswered: outcome === 'cancelled-answered' || outcome === 'sent',
    })),
    unknown,
  });
}
