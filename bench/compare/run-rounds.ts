import path from 'node:path';
import type { Contestant, ContestantName } from './contestants/contestant.ts';
import { makeKnownChargers } from './contestants/known-chargers.ts';
import type { Cores } from './cores.ts';
import { roundTripsAt, type Values } from './figures.ts';
import { fleetSizeOf } from './measure-alone.ts';
import { measureApart, type Task } from './measure-apart.ts';
import { makeTemporaryFolder } from './measured-process.ts';
import { type Options, openLoopChargers } from './options.ts';
import type { Round } from './summary.ts';
import { makeServerCertificate, type Transport } from './transport.ts';

/** What was measured, round by round. */
export interface RunResult {
  readonly rounds: readonly Round[];
  /** What channels were encrypted with under TLS. */
  readonly ciphers: ReadonlyMap<ContestantName, string>;
  /** Who ran where; undefined when all shared all cores. */
  readonly cores: Cores | undefined;
}

/** Measures all contestants in turns. `say` is told how far it is. */
export async function runRounds(
  options: Options,
  contestants: readonly Contestant[],
  say: (line: string) => void,
): Promise<RunResult> {
  const { kit, passwords } = await equip(options);
  const rounds: Round[] = [];
  const ciphers = new Map<ContestantName, string>();
  const rates = new Map<Transport, number>();
  let cores: Cores | undefined;
  const names = contestants.map(({ name }) => name);
  for (let round = 1; round <= options.rounds; round += 1) {
    // Whoever goes first in one round goes last in the next.
    const order = round % 2 === 1 ? names : names.toReversed();
    for (const transport of options.transports) {
      const common = { transport, options, kit, passwords };
      const found = new Map<ContestantName, Values>(names.map((name) => [name, {}]));
      const run = async (task: Task): Promise<void> => {
        const measured = await measureApart(task).catch((cause: unknown) => {
          const who = task.contestants.join(', ');
          throw new Error(`${who}, ${transport}, failed in round ${round}`, { cause });
        });
        cores = measured.cores;
        for (const { cipher, contestant, values } of measured.measurements) {
          if (cipher !== undefined) ciphers.set(contestant, cipher);
          found.set(contestant, { ...found.get(contestant), ...values });
          const title = `round ${round} of ${options.rounds}, ${transport}, ${contestant}`;
          say(`${title}: ${progressText(values)}`);
        }
      };
      await run({ ...common, contestants: order, openLoopRate: undefined });
      const ratePerSecond = rates.get(transport) ?? options.rate ?? halfOf(found, names);
      rates.set(transport, ratePerSecond);
      for (const name of order) {
        await run({ ...common, contestants: [name], openLoopRate: ratePerSecond });
      }
      for (const [contestant, values] of found) {
        rounds.push({ round, transport, contestant, ratePerSecond, values });
      }
    }
  }
  return { rounds, ciphers, cores };
}

/** Half of what Gatewatt, or else the first, bears with as many chargers as the open loop has. */
function halfOf(
  found: ReadonlyMap<ContestantName, Values>,
  [first]: readonly ContestantName[],
): number {
  const values = first && found.get(first);
  return Math.round((values?.[roundTripsAt(openLoopChargers)] ?? Number.NaN) / 2);
}

async function equip(options: Options): Promise<Pick<Task, 'kit' | 'passwords'>> {
  const folder = makeTemporaryFolder();
  const certificate = await makeServerCertificate(folder);
  const gatewattData = path.join(folder, 'known-chargers');
  const fleet = Math.max(fleetSizeOf(options), openLoopChargers, ...options.chargers);
  const passwords = await makeKnownChargers(gatewattData, fleet);
  return {
    kit: { certificate, gatewattData },
    passwords: [...passwords].map(([identity, password]) => [
      identity,
      password.toString('base64'),
    ]),
  };
}

function progressText(values: Values): string {
  return Object.entries(values)
    .map(([key, value]) => `${key} ${value < 100 ? value.toFixed(2) : value.toFixed(0)}`)
    .join(', ');
}
