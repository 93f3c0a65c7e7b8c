/**
 * One contestant in one round, with the chargers and the CSMS: a process of its own, so that what was
 * measured before leaves nothing to be collected, and nothing that is compiled for somebody else.
 */
import process from 'node:process';
import { contestantsNamed } from './contestants/table.ts';
import { separateCores } from './cores.ts';
import { roundTripsAt } from './figures.ts';
import { chargerTls } from './loads/fleet.ts';
import { measure } from './measure.ts';
import type { Measured, Task } from './measure-apart.ts';
import { openLoopChargers } from './options.ts';

process.once('message', (task: Task) => {
  void run(task).then(
    (measured) => process.send?.(measured, () => process.exit(0)),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      process.exit(1);
    },
  );
});

// Nobody is there any more to whom it could answer.
process.once('disconnect', () => process.exit(1));

async function run({
  contestant: name,
  kit,
  options,
  passwords,
  rate,
  transport,
}: Task): Promise<Measured> {
  const cores = separateCores();
  const [contestant] = contestantsNamed([name]);
  if (contestant === undefined) throw new Error(`there is no ${name}`);
  const keys = new Map(
    passwords.map(([identity, text]) => [identity, Buffer.from(text, 'base64')]),
  );
  // Without a contestant there is no TLS either: the CSMS is plain for everybody.
  const isTls = transport === 'tls' && name !== 'none';
  const measurement = await measure(contestant, options, {
    transport,
    kit,
    surroundings: {
      password: (identity) => keys.get(identity),
      tls: isTls ? chargerTls(kit.certificate.authorityPem) : undefined,
    },
    rateBy: (values) => rate ?? Math.round((values[roundTripsAt(openLoopChargers)] ?? NaN) / 2),
  });
  return { ...measurement, cores };
}
