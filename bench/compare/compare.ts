/**
 * Gatewatt side by side with other ways to pass OCPP on: straight to the CSMS, a pass-through of 30
 * lines, nginx, HAProxy, and a gateway made of ocpp-rpc. Each is a process of its own; the chargers and
 * the CSMS are in another, which is new for each measurement. All run in turns, in one run. What counts is
 * the ratios; the microseconds are those of one machine on one day. It needs Linux, since it reads `/proc`.
 *
 *   npm run bench [-- --help]
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Contestant } from './contestants/contestant.ts';
import { contestantsNamed } from './contestants/table.ts';
import { figuresOf } from './figures.ts';
import { describeMachine, type Machine } from './machine.ts';
import { help, type Options, readOptions } from './options.ts';
import { cpuChart } from './report-svg.ts';
import { tables, targetLines } from './report-table.ts';
import { runRounds } from './run-rounds.ts';
import { summarize, withAddedLatency } from './summary.ts';
import { judgeTargets } from './targets.ts';

const options = optionsOrComplaint();
if (options !== undefined) await compare(options);

function optionsOrComplaint(): Options | undefined {
  try {
    const read = readOptions(process.argv.slice(2));
    if (read === undefined) process.stdout.write(help);
    return read;
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = 2;
    return undefined;
  }
}

async function compare(chosen: Options): Promise<void> {
  const machine = describeMachine();
  const contestants = contestantsNamed(chosen.only).filter(isInstalled);
  const { ciphers, cores, rounds: measured } = await runRounds(chosen, contestants, say);
  const figures = figuresOf(chosen.chargers);
  const rounds = withAddedLatency(measured);
  const summaries = summarize(rounds, figures);
  const targets = judgeTargets(rounds, summaries);
  const described = contestants.map((it) => ({
    name: it.name,
    description: it.description,
    version: it.version(),
    cipher: ciphers.get(it.name),
  }));

  await mkdir(chosen.out, { recursive: true });
  const everything = {
    machine,
    cores,
    options: chosen,
    contestants: described,
    figures,
    targets,
    summaries,
    rounds,
  };
  const write = (name: string, text: string) => writeFile(path.join(chosen.out, name), text);
  await write('compare.json', `${JSON.stringify(everything, null, 2)}\n`);
  await write('compare.svg', cpuChart(summaries, machine));

  print(titleOf(machine, chosen));
  print(
    cores === undefined
      ? 'chargers, CSMS and contestants share all cores'
      : `chargers and CSMS on core ${cores.load}, each contestant on core ${cores.measured}`,
  );
  for (const { cipher, description, name, version } of described) {
    print(`${name}: ${description} (${version}${cipher === undefined ? '' : `; ${cipher}`})`);
  }
  for (const transport of chosen.transports) {
    const rate = rounds.find((it) => it.transport === transport)?.ratePerSecond;
    print(`latency, ${transport}: 100 chargers with ${rate} calls a second together`);
  }
  print(`\n${tables(summaries, figures)}`);
  print(targetLines(targets));
  process.exitCode = targets.some(({ verdict }) => verdict === 'not concluded') ? 1 : 0;
}

function isInstalled({ name, version }: Contestant): boolean {
  if (version() !== undefined) return true;
  say(`${name} is not installed, so it is left out.`);
  return false;
}

function titleOf({ cores, kernel, loadAverage, node, processor }: Machine, { rounds }: Options) {
  return (
    `${processor}, ${cores} cores, load ${loadAverage.toFixed(1)} before, Linux ${kernel}, Node ${node}; ` +
    `rounds: ${rounds}`
  );
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
