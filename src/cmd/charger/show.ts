import { Command } from 'commander';
import type { ChargerOrigin, ChargerSettings } from '../../chargers/charger-entry.ts';
import type { ChargerId } from '../../chargers/charger-id.ts';
import type { ChargerView } from '../../chargers/memory/view.ts';
import { findCharger } from '../../chargers/registry.ts';
import type { Queries } from '../../store/store.ts';
import { exitCodes } from '../exit-codes.ts';
import { complain, onStore } from '../on-store.ts';
import {
  type ClaimStatus,
  claimOf,
  learnedOf,
  type TransactionStatus,
  transactionsOf,
} from './charger-status.ts';
import { type CredentialReport, readCredentialReport } from './credential-report.ts';
import { withCommonOptions, withIdentity } from './identity-argument.ts';
import { jsonText, timeOf } from './json-text.ts';
import { reportText } from './show-text.ts';

interface ShowOptions {
  readonly config: string;
  readonly json?: true;
  readonly variables?: true;
}

/** All that is known of one charger, as --json has it. */
export interface ChargerReport {
  readonly identity: string;
  /** Null when the registry has no entry: then there is a claim of that identity. */
  readonly origin: ChargerOrigin | null;
  readonly createdAt: string | null;
  readonly firstSeenAt: string | null;
  readonly lastSeenAt: string | null;
  readonly settings: ChargerSettings;
  readonly credential: CredentialReport;
  readonly reported: {
    readonly vendor: string | null;
    readonly model: string | null;
    readonly serialNumber: string | null;
    readonly firmware: string | null;
  };
  /** Null when nobody has ever claimed the identity. */
  readonly claim: ClaimStatus | null;
  /** Null when gateways have learned nothing yet. */
  readonly learned: (Omit<ChargerView, 'variables'> & { readonly updatedAt: string | null }) | null;
  /** The last ones, the latest first. */
  readonly transactions: readonly TransactionStatus[];
  /** Only when they are asked for. */
  readonly variables?: ChargerView['variables'];
}

const transactionsShown = 10;

const help = `
What was learned from messages is written to the store a moment after it was seen; meter values up
to half a minute after. No password is shown, nor what is kept of it.

Examples:
  gatewatt charger show CP-1 -c gatewatt.yaml
  gatewatt charger show CP-1 -c gatewatt.yaml --variables --json | jq .variables

Exit codes: 0 shown, 1 no such charger or the store failed, 2 wrong usage.
`;

/** `gatewatt charger show`. */
export function showCommand(): Command {
  const command = new Command('show')
    .summary('show all that is known of a charger')
    .description(
      'Shows what is set for a charger, how it authenticates itself, what it says of itself, who ' +
        'has it, and what gateways have learned from its messages.',
    );
  withCommonOptions(withIdentity(command)).option(
    '--variables',
    'its configuration keys or variables as well',
  );
  return command.addHelpText('after', help).action(async (id: ChargerId, options: ShowOptions) => {
    process.exitCode = await show(id, options);
  });
}

async function show(id: ChargerId, options: ShowOptions): Promise<number> {
  return onStore(options.config, async ({ store }) => {
    const nowMs = store.nowMs();
    const report = await store.query((db) => readReport(db, id, nowMs, options.variables === true));
    if (report === undefined) {
      complain(`${id} is not known`);
      return exitCodes.failed;
    }
    process.stdout.write(options.json === true ? jsonText(report) : reportText(report));
    return exitCodes.ok;
  });
}

async function readReport(
  db: Queries,
  id: ChargerId,
  nowMs: number,
  withVariables: boolean,
): Promise<ChargerReport | undefined> {
  const entry = await findCharger(db, id);
  const claim = await claimOf(db, id, nowMs);
  if (entry === undefined && claim === undefined) return undefined;
  const settings = entry?.settings ?? {};
  const learned = await learnedOf(db, id);
  const reported = entry?.reported;
  return {
    identity: entry?.identity ?? id,
    origin: entry?.origin ?? null,
    createdAt: timeOf(entry?.createdAtMs),
    firstSeenAt: timeOf(entry?.firstSeenAtMs),
    lastSeenAt: timeOf(entry?.lastSeenAtMs),
    settings,
    credential: await readCredentialReport(db, id, settings, nowMs),
    reported: {
      vendor: reported?.vendor ?? null,
      model: reported?.model ?? null,
      serialNumber: reported?.serialNumber ?? null,
      firmware: reported?.firmware ?? null,
    },
    claim: claim ?? null,
    learned:
      learned === undefined
        ? null
        : { updatedAt: timeOf(learned.updatedAtMs), ...withoutVariables(learned.view) },
    transactions: await transactionsOf(db, id, transactionsShown),
    ...(withVariables && { variables: learned?.view.variables ?? [] }),
  };
}

function withoutVariables(view: ChargerView): Omit<ChargerView, 'variables'> {
  const { variables: _, ...rest } = view;
  return rest;
}
