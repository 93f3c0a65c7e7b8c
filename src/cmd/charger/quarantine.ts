import { Command, Option } from 'commander';
import { z } from 'zod';
import type { ChargerId } from '../../chargers/charger-id.ts';
import { findCharger } from '../../chargers/registry.ts';
import { quarantineIdentity } from '../../chargers/registry-quarantine.ts';
import { chargersSection } from '../../config/schema/chargers.ts';
import { exitCodes } from '../exit-codes.ts';
import { complain, onStore, recordAct } from '../on-store.ts';
import { claimOf } from './charger-status.ts';
import { withCommonOptions, withIdentity } from './identity-argument.ts';
import { jsonText, timeOf } from './json-text.ts';

interface QuarantineOptions {
  readonly config: string;
  readonly json?: true;
  readonly minutes: string;
  readonly reason: string;
}

const reasonLengthMax = 200;
const minuteMs = 60_000;

const help = `
It need not be the identity of a charger that is known. A second quarantine replaces the first one.

Examples:
  gatewatt charger quarantine CP-1 -c gatewatt.yaml
  gatewatt charger quarantine CP-1 -c gatewatt.yaml --minutes 1440 --reason "stolen"

Exit codes: 0 quarantined, 1 the store failed, 2 wrong usage.
`;

/** `gatewatt charger quarantine`. */
export function quarantineCommand(): Command {
  const command = new Command('quarantine')
    .summary('let nobody connect with an identity for some time')
    .description(
      'Lets nobody connect with an identity for some time. A running gateway ends the connection ' +
        'that there is. The quarantine of refused messages is something else.',
    );
  withCommonOptions(withIdentity(command))
    .addOption(new Option('--minutes <n>', 'for how long').default('60'))
    .addOption(new Option('--reason <text>', 'why').default('an operator said so'));
  return command
    .addHelpText('after', help)
    .action(async (id: ChargerId, options: QuarantineOptions) => {
      process.exitCode = await quarantine(id, options);
    });
}

/** The bounds of quarantines that the gateway imposes by itself. */
const minutesSchema = chargersSection.shape.quarantineMinutes.unwrap();
const reasonSchema = z
  .string()
  .min(1)
  .max(reasonLengthMax)
  .regex(/^\P{C}*$/u, 'must not hold control characters');

async function quarantine(id: ChargerId, options: QuarantineOptions): Promise<number> {
  const digits = /^\d{1,9}$/.test(options.minutes);
  const minutes = minutesSchema.safeParse(digits ? Number(options.minutes) : options.minutes);
  const reason = reasonSchema.safeParse(options.reason);
  if (!minutes.success || !reason.success) {
    for (const { message } of minutes.error?.issues ?? []) complain(`--minutes: ${message}`);
    for (const { message } of reason.error?.issues ?? []) complain(`--reason: ${message}`);
    return exitCodes.usage;
  }
  return onStore(options.config, async (visit) => {
    const { store } = visit;
    const nowMs = store.nowMs();
    const untilMs = nowMs + minutes.data * minuteMs;
    const until = timeOf(untilMs) ?? '';
    const held = await store.transactDurably(async (db) => {
      await quarantineIdentity(db, id, { untilMs, reason: reason.data }, nowMs);
      const identity = (await findCharger(db, id))?.identity ?? id;
      const claim = await claimOf(db, id, nowMs);
      await recordAct(visit, db, 'IdentityQuarantined', identity, { reason: reason.data, until });
      return { identity, connectedTo: claim?.connectedTo ?? null };
    });
    if (options.json === true) {
      const result = {
        ...held,
        outcome: 'quarantined',
        quarantinedUntil: until,
        quarantineReason: reason.data,
      };
      process.stdout.write(jsonText(result));
      return exitCodes.ok;
    }
    process.stdout.write(`${held.identity} is quarantined until ${until}\n`);
    if (held.connectedTo !== null) {
      complain(`It is connected: gateway ${held.connectedTo} will end its connection`);
    }
    return exitCodes.ok;
  });
}
