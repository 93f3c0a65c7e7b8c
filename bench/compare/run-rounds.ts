import path from 'node:path';
import type { Contestant, ContestantName, Kit } from './contestants/contestant.ts';
import { makeKnownChargers } from './contestants/known-chargers.ts';
import { roundTripsAt, type Values } from './figures.ts';
import { chargerTls, type Surroundings } from './loads/fleet.ts';
import { fleetSizeOf, measure } from './measure.ts';
import { makeTemporaryFolder } from './measured-process.ts';
import { type Options, openLoopChargers } from './options.ts';
import type { Round } from './summary.ts';
import { makeServerCertificate, type Transport } from './transport.ts';

/** What was measured, round by round. */
export interface RunResult {
  readonly rounds: readonly Round[];
  /** What channels were encrypted with under TLS. */
  readonly ciphers: ReadonlyMap<ContestantName, string>;
}

/** What all contestants and all chargers of a run share. */
interface Equipment {
  readonly kit: Kit;
  password(identity: string): Buffer | undefined;
}

/** Measures all contestants in turns. `say` is told how far it is. */
export async function runRounds(
  options: Options,
  contestants: readonly Contestant[],
  say: (line: string) => void,
): Promise<RunResult> {
  const equipment = await equip(options);
  const rounds: Round[] = [];
  const ciphers = new Map<ContestantName, string>();
  const rates = new Map<Transport, number>();
  for (let round = 1; round <= options.rounds; round += 1) {
    // Whoever goes first in one round goes last in the next.
    const order = round % 2 === 1 ? contestants : contestants.toReversed();
    for (const transport of options.transports) {
      const rateBy = (values: Values): number => {
        const reached = values[roundTripsAt(openLoopChargers)] ?? Number.NaN;
        const rate = options.rate ?? rates.get(transport) ?? Math.round(reached / 2);
        rates.set(transport, rate);
        return rate;
      };
      for (const contestant of order) {
        const { name } = contestant;
        const measured = await measure(contestant, options, {
          transport,
          kit: equipment.kit,
          surroundings: surroundingsOf(equipment, transport, name),
          rateBy,
        }).catch((cause: unknown) => {
          throw new Error(`${name}, ${transport}, failed in round ${round}`, { cause });
        });
        const { cipher, ratePerSecond, values } = measured;
        if (cipher !== undefined) ciphers.set(name, cipher);
        rounds.push({ round, transport, contestant: name, ratePerSecond, values });
        say(`round ${round} of ${options.rounds}, ${transport}, ${name}: ${progressText(values)}`);
      }
    }
  }
  return { rounds, ciphers };
}

async function equip(options: Options): Promise<Equipment> {
  const folder = makeTemporaryFolder();
  const certificate = await makeServerCertificate(folder);
  const gatewattData = path.join(folder, 'known-chargers');
  const passwords = await makeKnownChargers(gatewattData, fleetSizeOf(options));
  return {
    kit: { certificate, gatewattData },
    password: (identity) => passwords.get(identity),
  };
}

/** Without a contestant there is no TLS either: the CSMS is plain for everybody. */
function surroundingsOf(
  { kit, password }: Equipment,
  transport: Transport,
  name: ContestantName,
): Pick<Surroundings, 'password' | 'tls'> {
  const isTls = transport === 'tls' && name !== 'none';
  return { password, tls: isTls ? chargerTls(kit.certificate.authorityPem) : undefined };
}

function progressText(values: Values): string {
  return Object.entries(values)
    .map(([key, value]) => `${key} ${value < 100 ? value.toFixed(2) : value.toFixed(0)}`)
    .join(', ');
}
