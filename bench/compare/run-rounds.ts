import path from 'node:path';
import type { Contestant, ContestantName } from './contestants/contestant.ts';
import { makeKnownChargers } from './contestants/known-chargers.ts';
import type { Cores } from './cores.ts';
import type { Values } from './figures.ts';
import { fleetSizeOf } from './measure.ts';
import { measureApart, type Task } from './measure-apart.ts';
import { makeTemporaryFolder } from './measured-process.ts';
import type { Options } from './options.ts';
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
  for (let round = 1; round <= options.rounds; round += 1) {
    // Whoever goes first in one round goes last in the next.
    const order = round % 2 === 1 ? contestants : contestants.toReversed();
    for (const transport of options.transports) {
      for (const { name } of order) {
        const rate = options.rate ?? rates.get(transport);
        const task = { contestant: name, transport, options, kit, passwords, rate };
        const measured = await measureApart(task).catch((cause: unknown) => {
          throw new Error(`${name}, ${transport}, failed in round ${round}`, { cause });
        });
        const { cipher, ratePerSecond, values } = measured;
        cores = measured.cores;
        rates.set(transport, ratePerSecond);
        if (cipher !== undefined) ciphers.set(name, cipher);
        rounds.push({ round, transport, contestant: name, ratePerSecond, values });
        say(`round ${round} of ${options.rounds}, ${transport}, ${name}: ${progressText(values)}`);
      }
    }
  }
  return { rounds, ciphers, cores };
}

async function equip(options: Options): Promise<Pick<Task, 'kit' | 'passwords'>> {
  const folder = makeTemporaryFolder();
  const certificate = await makeServerCertificate(folder);
  const gatewattData = path.join(folder, 'known-chargers');
  const passwords = await makeKnownChargers(gatewattData, fleetSizeOf(options));
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
