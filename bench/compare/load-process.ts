/**
 * One measurement, with the chargers and the CSMS: a process of its own, so that what was measured before
 * leaves nothing to be collected, and nothing that is compiled for somebody else.
 */
import process from 'node:process';
import type { Contestant, ContestantName } from './contestants/contestant.ts';
import { contestantsNamed } from './contestants/table.ts';
import { separateCores } from './cores.ts';
import { chargerTls } from './loads/fleet.ts';
import { measureAlone } from './measure-alone.ts';
import type { Measured, Task } from './measure-apart.ts';
import { measureTogether } from './measure-together.ts';
import type { Measurement, Stage } from './scene.ts';

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

async function run(task: Task): Promise<Measured> {
  const cores = separateCores();
  const stage = stageOf(task);
  const { openLoopRate, options } = task;
  const contestants = inOrder(task.contestants);
  if (openLoopRate === undefined) {
    return { measurements: await measureTogether(contestants, options, stage), cores };
  }
  const measurements: Measurement[] = [];
  for (const contestant of contestants) {
    measurements.push(await measureAlone(contestant, options, stage, openLoopRate));
  }
  return { measurements, cores };
}

function inOrder(names: readonly ContestantName[]): readonly Contestant[] {
  return names.flatMap((name) => contestantsNamed([name]));
}

function stageOf({ kit, passwords, transport }: Task): Stage {
  const keys = new Map(
    passwords.map(([identity, text]) => [identity, Buffer.from(text, 'base64')]),
  );
  const tls = transport === 'tls' ? chargerTls(kit.certificate.authorityPem) : undefined;
  return {
    transport,
    kit,
    surroundingsOf: (name) => ({
      password: (identity) => keys.get(identity),
      // Without a contestant there is no TLS either: the CSMS is plain for everybody.
      tls: name === 'none' ? undefined : tls,
    }),
  };
}
