import { Command, Option } from 'commander';
import { type ChargerCredential, noCredential } from '../../chargers/charger-credential.ts';
import {
  type ChargerOrigin,
  chargerOrigins,
  type RegisteredCharger,
} from '../../chargers/charger-entry.ts';
import { identityKey } from '../../chargers/charger-id.ts';
import { type ChargerQuery, listChargers } from '../../chargers/registry.ts';
import type { Queries } from '../../store/store.ts';
import { exitCodes } from '../exit-codes.ts';
import { complain, onStore } from '../on-store.ts';
import { textTable } from '../text-table.ts';
import { bootStatusesOf, claimsOf } from './charger-status.ts';
import { certificateHoldersOf, credentialsOf } from './credential-report.ts';
import { withCommonOptions } from './identity-argument.ts';
import { jsonText, timeOf } from './json-text.ts';

interface ListOptions {
  readonly config: string;
  readonly json?: true;
  readonly match?: string;
  readonly feeder?: string;
  readonly origin?: ChargerOrigin;
  readonly connected?: true;
}

/** Chargers that are read at once: each may have a hundred kilobytes of memory. */
const pageEntries = 250;
/** Characters of what a charger says of itself, in the table. */
const cellLengthMax = 32;
/** Chargers that are listed. Nobody reads a longer table. */
const listedMax = 100_000;

const help = `
PROFILE is the highest security profile with which the charger has connected, and what is stored for
it: pw, a password of its own; cert, a certificate. VENDOR, MODEL and FIRMWARE are what the operator has set, or else what the charger says of itself.
Patterns in the configuration file admit chargers too: those are listed, with the origin
"configured", once they have connected.

Examples:
  gatewatt charger list -c gatewatt.yaml --match "DEPOT-*" --connected
  gatewatt charger list -c gatewatt.yaml --feeder north --json | jq ".[].identity"

Exit codes: 0 listed, even if there are none; 1 the store failed, 2 wrong usage.
`;

/** `gatewatt charger list`. */
export function listCommand(): Command {
  const command = new Command('list')
    .summary('list chargers')
    .description('Lists the chargers of the registry, sorted by identity.');
  withCommonOptions(command)
    .option('--match <pattern>', 'only identities that match; * stands for any characters')
    .option('--feeder <name>', 'only chargers of this feeder')
    .addOption(
      new Option('--origin <origin>', 'only chargers that came so').choices(chargerOrigins),
    )
    .option('--connected', 'only chargers that are connected');
  return command.addHelpText('after', help).action(async (options: ListOptions) => {
    process.exitCode = await list(options);
  });
}

async function list(options: ListOptions): Promise<number> {
  return onStore(options.config, async ({ store }) => {
    const { lines, isCut } = await store.query((db) => readLines(db, options, store.nowMs()));
    if (options.json === true) process.stdout.write(jsonText(lines));
    else if (lines.length > 0) process.stdout.write(textTable(lines.map(cellsOf), headings));
    if (lines.length === 0) complain('There are no such chargers.');
    if (isCut) complain(`There are more than ${listedMax}; ask for fewer with --match.`);
    return exitCodes.ok;
  });
}

/** One charger, as --json has it. */
type Line = ReturnType<typeof lineOf>;

async function readLines(
  db: Queries,
  { match, feeder, origin, connected }: ListOptions,
  nowMs: number,
): Promise<{ readonly lines: readonly Line[]; readonly isCut: boolean }> {
  const lines: Line[] = [];
  let query: ChargerQuery = { match, feeder, origin, limit: pageEntries };
  let isLast = false;
  while (!isLast && lines.length <= listedMax) {
    const entries = await listChargers(db, query);
    const ids = entries.map(({ identity }) => identity);
    const claims = await claimsOf(db, ids, nowMs);
    const boots = await bootStatusesOf(db, ids);
    const credentials = await credentialsOf(db, ids);
    const certified = await certificateHoldersOf(db, ids);
    for (const [index, entry] of entries.entries()) {
      const key = identityKey(entry.identity);
      const connectedTo = claims.get(key)?.connectedTo ?? null;
      if (connected === true && connectedTo === null) continue;
      const quarantinedUntil = claims.get(key)?.quarantinedUntil ?? null;
      const credential = credentials[index] ?? noCredential;
      lines.push(
        lineOf(entry, {
          connectedTo,
          quarantinedUntil,
          boot: boots.get(key) ?? null,
          credential,
          hasCertificate: certified.has(key),
        }),
      );
    }
    isLast = entries.length < pageEntries;
    query = { ...query, after: ids.at(-1) };
  }
  // Databases sort by the rules of some language; this order is the same everywhere.
  const sorted = lines.sort((a, b) =>
    a.identity.toLowerCase() < b.identity.toLowerCase() ? -1 : 1,
  );
  return { lines: sorted.slice(0, listedMax), isCut: sorted.length > listedMax };
}

function lineOf(
  { identity, origin, settings, reported, firstSeenAtMs, lastSeenAtMs }: RegisteredCharger,
  status: {
    readonly connectedTo: string | null;
    readonly quarantinedUntil: string | null;
    readonly boot: string | null;
    readonly credential: ChargerCredential;
    readonly hasCertificate: boolean;
  },
) {
  return {
    identity,
    origin,
    connectedTo: status.connectedTo,
    bootStatus: status.boot,
    vendor: settings.vendor ?? reported.vendor ?? null,
    model: settings.model ?? reported.model ?? null,
    serialNumber: settings.serialNumber ?? reported.serialNumber ?? null,
    firmware: settings.firmware ?? reported.firmware ?? null,
    feeder: settings.feeder ?? null,
    usedProfile: status.credential.usedProfile,
    hasPassword: status.credential.password !== undefined,
    hasCertificate: status.hasCertificate,
    firstSeenAt: timeOf(firstSeenAtMs),
    lastSeenAt: timeOf(lastSeenAtMs),
    quarantinedUntil: status.quarantinedUntil,
  };
}

const headings = [
  'IDENTITY',
  'ORIGIN',
  'CONNECTED',
  'BOOT',
  'PROFILE',
  'VENDOR',
  'MODEL',
  'FIRMWARE',
  'FEEDER',
  'LAST SEEN',
];

function cellsOf(line: Line): readonly string[] {
  const connected = line.quarantinedUntil === null ? (line.connectedTo ?? '-') : 'quarantined';
  return [
    line.identity,
    line.origin,
    connected,
    line.bootStatus ?? '-',
    profileOf(line),
    shortened(line.vendor),
    shortened(line.model),
    shortened(line.firmware),
    line.feeder ?? '-',
    line.lastSeenAt?.replace(/\.\d+Z$/, 'Z') ?? 'never',
  ];
}

/** The profile that was used, and what the charger has for it: `2 pw`. */
function profileOf({ hasCertificate, hasPassword, usedProfile }: Line): string {
  const kinds = [...(hasPassword ? ['pw'] : []), ...(hasCertificate ? ['cert'] : [])].join('+');
  if (kinds === '') return usedProfile === 0 ? '-' : `${usedProfile}`;
  return `${usedProfile} ${kinds}`;
}

function shortened(text: string | null): string {
  if (text === null) return '-';
  return text.length <= cellLengthMax ? text : `${text.slice(0, cellLengthMax - 1)}…`;
}
