import { Command, Option } from 'commander';
import { lockRamp } from '../../ramp-limit/entry-rows.ts';
import type { RampLane } from '../../ramp-limit/feeder-state.ts';
import {
  type CommandSubject,
  commandSubjects,
  hastenCommands,
  type ReleaseRequestOutcome,
} from '../../ramp-limit/operator-acts.ts';
import { withCommonOptions } from '../charger/identity-argument.ts';
import { jsonText, timeOf } from '../charger/json-text.ts';
import { exitCodes } from '../exit-codes.ts';
import { actOn, complain, onStore, recordActs, type StoreVisit } from '../on-store.ts';
import { rampOptions } from '../ramp-options.ts';
import { printable } from '../text-table.ts';
import { nameOf } from './cancel.ts';
import { whyReport } from './command-report.ts';
import { complainOfMode } from './list.ts';
import { readReason, reasonDefault } from './option-values.ts';
import { type CommandOutlook, type Outlook, readOutlook } from './outlook.ts';
import {
  type SelectionOptions,
  select,
  selectionMistake,
  type UnknownId,
  unknownText,
  withSelection,
} from './selection.ts';
import { givenUpAtMs, secondText, whyText } from './wait-text.ts';

interface ReleaseOptions extends SelectionOptions {
  readonly config: string;
  readonly json?: true;
  readonly emergency?: true;
  readonly reason?: string;
}

const help = `
This is no way around the budgets: the gateway sends the commands in order, as fast as the feeders
bear it, and ceilings hold in any case. The dwell time after a fall holds as well, but not the
jitter. With --emergency the reserve of the feeders is used beyond their budgets, the dwell time does
not hold, and commands overtake earlier ones of their own charger.

Examples:
  gatewatt ramp release 0b7f1c52 -c gatewatt.yaml --reason "driver is waiting"
  gatewatt ramp release -c gatewatt.yaml --feeder north --emergency --reason "fire brigade"

Exit codes: 0 put in front, with --feeder, --charger and --all even if nothing waits; 1 a command
that was named does not wait, no such feeder, or the store failed; 2 wrong usage.
`;

/** `gatewatt ramp release`. */
export function releaseCommand(): Command {
  const command = new Command('release')
    .summary('put commands that wait in front of the others')
    .description('Puts commands that wait in front of the others.');
  withCommonOptions(withSelection(command))
    .option('--emergency', 'in front of all, with the reserve; --reason must say why')
    .addOption(new Option('--reason <text>', 'why').argParser(readReason));
  return command
    .addHelpText('after', help)
    .action(async (ids: readonly string[], options: ReleaseOptions) => {
      process.exitCode = await release(ids, options);
    });
}

/** One command, what became of it, and what is to be expected of it. */
interface Hastened {
  readonly subject: CommandSubject;
  readonly outcome: ReleaseRequestOutcome;
  readonly outlook: CommandOutlook | undefined;
}

/** What was done. */
interface Done {
  readonly hastened: readonly Hastened[];
  readonly unknown: readonly UnknownId[];
  readonly outlook: Outlook;
}

async function release(ids: readonly string[], options: ReleaseOptions): Promise<number> {
  const isSilent = options.emergency === true && options.reason === undefined;
  const mistake = isSilent ? '--emergency: --reason must say why' : selectionMistake(ids, options);
  if (mistake !== undefined) {
    complain(mistake);
    return exitCodes.usage;
  }
  return onStore(options.config, async (visit) => {
    const done = await hasten(visit, ids, options);
    if (done === undefined) {
      complain(`There is no feeder ${printable(options.feeder ?? '')}.`);
      return exitCodes.failed;
    }
    if (options.json === true) process.stdout.write(jsonOf(done, laneOf(options)));
    else tell(done, laneOf(options));
    const { hastened, unknown } = done;
    for (const id of unknown) complain(unknownText(id));
    const failures = hastened.filter(({ outcome }) => outcome !== 'moved' && outcome !== 'already');
    for (const { outcome, subject } of failures) {
      const what = outcome === 'cancelled' ? 'cancelled' : 'sent';
      complain(`${nameOf(subject)} was ${what} before`);
    }
    complainOfMode(rampOptions(visit.config));
    const hasFailed = ids.length > 0 && failures.length + unknown.length > 0;
    return hasFailed ? exitCodes.failed : exitCodes.ok;
  });
}

function laneOf({ emergency }: ReleaseOptions): RampLane & ('emergency' | 'released') {
  return emergency === true ? 'emergency' : 'released';
}

async function hasten(
  visit: StoreVisit,
  ids: readonly string[],
  options: ReleaseOptions,
): Promise<Done | undefined> {
  const { config, store } = visit;
  const ramp = rampOptions(config);
  const lane = laneOf(options);
  const reason = options.reason ?? reasonDefault;
  const result = await store.transactDurably(async (db) => {
    await lockRamp(db);
    const selection = select(await commandSubjects(db), ids, options, ramp.feeders);
    if (selection === undefined) return undefined;
    const { subjects } = selection;
    const outcomes = await hastenCommands(db, subjects, lane, reason);
    const acts = subjects
      .filter(({ id }) => outcomes.get(id) === 'moved')
      .map(({ charger, id }) =>
        actOn('LoadCommandReleaseRequested', charger, { commandId: id, lane, reason }),
      );
    await recordActs(visit, db, acts);
    return { ...selection, outcomes };
  });
  if (result === undefined) return undefined;
  const { outcomes, subjects, unknown } = result;
  // Without the lock, for which gateways wait. What they have sent meanwhile is sent.
  const outlook = await store.query((db) => readOutlook(db, ramp, store.nowMs()));
  const outlooks = new Map(outlook.commands.map((it) => [it.command.id, it]));
  const hastened = subjects.map((subject): Hastened => {
    const { id } = subject;
    return { subject, outcome: outcomes.get(id) ?? 'gone', outlook: outlooks.get(id) };
  });
  return { hastened, unknown, outlook };
}

function tell({ hastened, outlook: { nowMs } }: Done, lane: RampLane): void {
  const waiting = hastened.filter(({ outcome }) => outcome === 'moved' || outcome === 'already');
  for (const { outcome, outlook, subject } of waiting) {
    const place =
      outcome === 'moved' ? `is in the lane "${lane}"` : `was in the lane "${subject.lane}" before`;
    const expected = outlook === undefined ? 'it is gone by now' : expectation(outlook, nowMs);
    process.stdout.write(`${nameOf(subject)} ${place}; ${printable(expected)}\n`);
  }
  if (hastened.length !== 1) {
    const count = hastened.filter(({ outcome }) => outcome === 'moved').length;
    process.stdout.write(`Put in front: ${count}\n`);
  }
  if (waiting.length > 0) {
    const reserve = lane === 'emergency' ? 'with their reserve for emergencies ' : '';
    process.stdout.write(`The budgets of the feeders ${reserve}and their ceilings hold.\n`);
  }
}

/** When it goes, and what it waits for. */
function expectation({ aboutMs, command, why }: CommandOutlook, nowMs: number): string {
  const reason = whyText(why);
  if (why.is === 'sent') return reason;
  if (aboutMs === undefined) return `it waits: ${reason}`;
  if (aboutMs <= nowMs) return 'it goes now';
  return aboutMs >= givenUpAtMs(command)
    ? `it expires before its turn: ${reason}`
    : `it goes at about ${secondText(aboutMs)}: ${reason}`;
}

function jsonOf({ hastened, unknown }: Done, lane: RampLane): string {
  return jsonText({
    lane,
    count: hastened.filter(({ outcome }) => outcome === 'moved').length,
    commands: hastened.map(({ outcome, outlook, subject: { action, charger, feeder, id } }) => ({
      id,
      charger,
      action,
      feeder,
      outcome: outcome === 'moved' ? 'released' : outcome,
      why: outlook === undefined ? null : whyReport(outlook.why),
      aboutUntil: timeOf(outlook?.aboutMs),
    })),
    unknown,
  });
}
