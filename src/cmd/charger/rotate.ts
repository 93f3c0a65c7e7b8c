import { Command } from 'commander';
import type { Transaction } from 'kysely';
import type { ChargerCredential } from '../../chargers/charger-credential.ts';
import type { ChargerId } from '../../chargers/charger-id.ts';
import { requestRotation } from '../../chargers/credentials.ts';
import { findCharger, listChargers } from '../../chargers/registry.ts';
import { lockRegistry } from '../../chargers/registry-changes.ts';
import { sleep, systemClock } from '../../lib/clock.ts';
import type { Store } from '../../store/store.ts';
import type { Tables } from '../../store/tables.ts';
import { exitCodes } from '../exit-codes.ts';
import { actOn, complain, onStore, recordActs, type StoreVisit } from '../on-store.ts';
import { RefusedChange } from './credential-changes.ts';
import { credentialsOf } from './credential-report.ts';
import { identityDemand, identityIn, withCommonOptions } from './identity-argument.ts';
import { jsonText, timeOf } from './json-text.ts';
import { progress } from './progress.ts';

interface RotateOptions {
  readonly config: string;
  readonly json?: true;
  readonly match?: string;
  readonly wait?: string;
}

/** Chargers that one command asks. */
const chargersMax = 100_000;
/** A charger that is not connected now may come tomorrow; nobody waits for it in a shell. */
const waitSecondsMax = 86_400;
const pollMs = 500;

const help = `
The gateway makes the password, sends it to the charger while that is connected over TLS, and goes
on accepting the old one until the charger has come with the new one. Requests for chargers that are
not connected wait for them.

Examples:
  gatewatt charger rotate CP-1 -c gatewatt.yaml --wait 60
  gatewatt charger rotate -c gatewatt.yaml --match "DEPOT-*"

Exit codes: 0 requested, or with --wait: accepted by all; 1 no such charger, it cannot be done, the
store failed, or with --wait: some did not accept it in time; 2 wrong usage.
`;

/** `gatewatt charger rotate`. */
export function rotateCommand(): Command {
  const command = new Command('rotate')
    .summary('give chargers new passwords')
    .description('Asks the gateway to give chargers new passwords, which nobody else knows.')
    .argument('[id...]', 'the identities of the chargers');
  withCommonOptions(command)
    .option('--match <pattern>', 'all chargers of the registry that match; * is any characters')
    .option('--wait <seconds>', 'wait that long for the chargers to accept them');
  return command
    .addHelpText('after', help)
    .action(async (names: readonly string[], options: RotateOptions) => {
      process.exitCode = await rotate(names, options);
    });
}

async function rotate(names: readonly string[], options: RotateOptions): Promise<number> {
  const ids = [...new Set(names)].map(identityIn);
  const waitSeconds = options.wait === undefined ? 0 : Number(options.wait);
  const isWait = options.wait === undefined || /^\d{1,5}$/.test(options.wait);
  const mistakes = [
    ...(ids.includes(undefined) ? [`<id>: it ${identityDemand}`] : []),
    ...((names.length === 0) === (options.match === undefined)
      ? ['name the chargers, or give --match, but not both']
      : []),
    ...(!isWait || waitSeconds > waitSecondsMax || (waitSeconds === 0 && options.wait !== undefined)
      ? [`--wait: must be 1 to ${waitSecondsMax}`]
      : []),
  ];
  if (mistakes.length > 0) {
    for (const mistake of mistakes) complain(mistake);
    return exitCodes.usage;
  }
  const named = ids.filter((id) => id !== undefined);
  return onStore(options.config, async (visit) => {
    if (visit.config.csms.auth.type === 'forward') {
      complain(
        'the gateway cannot make passwords while csms.auth is forward: the CSMS has to know them. ' +
          'Let the CSMS change them instead',
      );
      return exitCodes.failed;
    }
    try {
      const requests = await request(visit, named, options.match);
      return await answer(visit.store, requests, waitSeconds, options);
    } catch (error) {
      if (!(error instanceof RefusedChange)) throw error;
      complain(error.message);
      return exitCodes.failed;
    }
  });
}

/** One request, as it was made. */
interface Request {
  readonly id: ChargerId;
  readonly requestedAtMs: number;
  /** Of the rotation before this one. */
  readonly outcomeBefore: ChargerCredential['rotationOutcome'];
}

/** Makes all requests or none. @throws RefusedChange */
async function request(
  visit: StoreVisit,
  named: readonly ChargerId[],
  match: string | undefined,
): Promise<readonly Request[]> {
  const { store } = visit;
  const nowMs = store.nowMs();
  return store.transactDurably(async (db) => {
    await lockRegistry(db);
    const ids = match === undefined ? await registered(db, named) : await matching(db, match);
    for (const id of ids) await requestRotation(db, id, nowMs);
    // After the request: a gateway cannot have answered it before it is committed.
    const credentials = await credentialsOf(db, ids);
    await recordActs(
      visit,
      db,
      ids.map((id) => actOn('RotationRequested', id, {})),
    );
    return ids.map((id, index) => ({
      id,
      requestedAtMs: nowMs,
      outcomeBefore: credentials[index]?.rotationOutcome,
    }));
  });
}

async function registered(
  db: Transaction<Tables>,
  named: readonly ChargerId[],
): Promise<readonly ChargerId[]> {
  const found: ChargerId[] = [];
  const unknown: ChargerId[] = [];
  for (const id of named) {
    const entry = await findCharger(db, id);
    if (entry === undefined) unknown.push(id);
    else found.push(entry.identity);
  }
  if (unknown.length > 0) throw new RefusedChange(`not in the registry: ${unknown.join(', ')}`);
  // The same charger in several spellings is one.
  return [...new Set(found)];
}

async function matching(db: Transaction<Tables>, match: string): Promise<readonly ChargerId[]> {
  const entries = await listChargers(db, { match, limit: chargersMax + 1 });
  if (entries.length === 0) throw new RefusedChange('there are no such chargers');
  if (entries.length > chargersMax) {
    throw new RefusedChange(`there are more than ${chargersMax}; ask for fewer with --match`);
  }
  return entries.map(({ identity }) => identity);
}

/** How a request came out. */
interface Outcome {
  readonly identity: ChargerId;
  readonly requestedAt: string | null;
  /** Null while nothing is known. */
  readonly outcome: string | null;
}

const goodOutcomes: readonly (string | null)[] = ['accepted', 'confirmed'];

async function answer(
  store: Store,
  requests: readonly Request[],
  waitSeconds: number,
  { json }: RotateOptions,
): Promise<number> {
  const outcomes =
    waitSeconds === 0
      ? requests.map((it) => outcomeOf(it, null))
      : await waitForOutcomes(store, requests, waitSeconds * 1000);
  if (json === true) process.stdout.write(jsonText(outcomes));
  else {
    for (const { identity, outcome } of outcomes) {
      const nothing = waitSeconds === 0 ? 'requested' : `nothing within ${waitSeconds} s`;
      process.stdout.write(`${identity}: ${outcome ?? nothing}\n`);
    }
  }
  if (waitSeconds === 0) return exitCodes.ok;
  const isGood = outcomes.every(({ outcome }) => goodOutcomes.includes(outcome));
  return isGood ? exitCodes.ok : exitCodes.failed;
}

function outcomeOf({ id, requestedAtMs }: Request, outcome: string | null): Outcome {
  return { identity: id, requestedAt: timeOf(requestedAtMs), outcome };
}

async function waitForOutcomes(
  store: Store,
  requests: readonly Request[],
  waitMs: number,
): Promise<readonly Outcome[]> {
  const clock = systemClock();
  const untilMs = clock.elapsedMs() + waitMs;
  const onProgress = progress('chargers that have answered');
  const outcomes = new Map<Request, string>();
  for (;;) {
    const open = requests.filter((it) => !outcomes.has(it));
    const credentials = await store.query((db) =>
      credentialsOf(
        db,
        open.map(({ id }) => id),
      ),
    );
    for (const [index, it] of open.entries()) {
      const outcome = newOutcome(it, credentials[index]);
      if (outcome !== undefined) outcomes.set(it, outcome);
    }
    onProgress(outcomes.size, requests.length);
    const remainingMs = untilMs - clock.elapsedMs();
    if (outcomes.size === requests.length || remainingMs <= 0) break;
    await sleep(clock, Math.min(pollMs, remainingMs));
  }
  return requests.map((it) => outcomeOf(it, outcomes.get(it) ?? null));
}

/** By the difference to what was there, and not by the clocks of two processes. */
function newOutcome(
  { outcomeBefore }: Request,
  credential: ChargerCredential | undefined,
): string | undefined {
  const { rotationOutcome: now, rotationRequestedAtMs } = credential ?? {};
  const isNew = now?.atMs !== outcomeBefore?.atMs || now?.outcome !== outcomeBefore?.outcome;
  if (now !== undefined && isNew) return now.outcome;
  // Somebody has set a password, or removed the charger.
  return rotationRequestedAtMs === undefined ? 'superseded' : undefined;
}
