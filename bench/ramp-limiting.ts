import { readFile, writeFile } from 'node:fs/promises';
import { feederAttacks } from './feeder/attacks.ts';
import {
  type AttackResult,
  budgetKw,
  chargerW,
  feederChargers,
  feederRampOptions,
  playAttack,
} from './feeder/play-attack.ts';
import { loadPlot, type Panel } from './feeder/plot.ts';

// What the attacks T1-01 to T1-10 do to a simulated feeder, with and without the gateway: writes the
// table in docs/ramp-limiting.md and the plot beside it. Time is simulated; a run takes some minutes,
// and the same seed gives the same figures.

const seed = 20261126;
const page = new URL('../docs/ramp-limiting.md', import.meta.url);
const plot = new URL('../docs/ramp-limiting.svg', import.meta.url);
const begin = '<!-- figures: npm run docs:ramp -->';
const end = '<!-- end of figures -->';

const rows: string[] = [];
const panels: Panel[] = [];
for (const attack of feederAttacks) {
  const { id, title, watchSeconds } = attack;
  process.stderr.write(`${id} ${title} ...`);
  const without = await playAttack(attack, undefined, { seed });
  const protectedBy = await playAttack(attack, feederRampOptions(), { seed });
  rows.push(rowOf(`${id} ${title}`, without, protectedBy));
  panels.push({
    title: `${id} ${title}`,
    startW: protectedBy.startW,
    seconds: watchSeconds,
    without: without.steps,
    protectedBy: protectedBy.steps,
  });
  process.stderr.write(` ${kw(without)} without, ${kw(protectedBy)} with\n`);
}
const table = [
  '| attack | without: worst 10 s, up / down | with: worst 10 s, up / down | with: done after | refused |',
  '| --- | --- | --- | --- | --- |',
  ...rows,
].join('\n');
const text = await readFile(page, 'utf8');
const before = text.slice(0, text.indexOf(begin) + begin.length);
const after = text.slice(text.indexOf(end));
await writeFile(page, `${before}\n\n${table}\n\n${after}`);
await writeFile(plot, loadPlot(panels, feederChargers * chargerW * 1.05));
process.stderr.write(`The budget is ${budgetKw} kW. Run npm run format.\n`);

function rowOf(name: string, without: AttackResult, protectedBy: AttackResult): string {
  const refused = protectedBy.answers.filter((answer) => answer?.result === undefined).length;
  const total = protectedBy.answers.length;
  const seconds =
    protectedBy.steps.length === 0 ? '–' : `${protectedBy.lastStepSeconds.toFixed(0)} s`;
  return `| ${name} | ${kw(without)} | ${kw(protectedBy)} | ${seconds} | ${refused} of ${total} |`;
}

function kw({ worst }: AttackResult): string {
  return `${(worst.upW / 1000).toFixed(0)} / ${(worst.downW / 1000).toFixed(0)} kW`;
}
