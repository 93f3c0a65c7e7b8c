import { type ContestantName, contestantNames } from './contestants/contestant.ts';
import type { Figure } from './figures.ts';
import { noiseMax, roundsMin, type Summary } from './summary.ts';
import type { Target } from './targets.ts';
import { transports } from './transport.ts';

const titles = { plain: 'plain', tls: 'TLS towards the chargers' } as const;

/** Tables for people: one for each transport, a row for each figure, a column for each contestant. */
export function tables(summaries: readonly Summary[], figures: readonly Figure[]): string {
  return transports
    .flatMap((transport) => {
      const own = summaries.filter((it) => it.transport === transport);
      const names = contestantNames.filter((name) => own.some((it) => it.contestant === name));
      if (names.length === 0) return [];
      const rows = figures.map((figure) => [
        figure.unit === '' ? figure.title : `${figure.title} (${figure.unit})`,
        ...names.map((name) => cell(own, name, figure)),
      ]);
      return [aligned([[titles[transport], ...names], ...rows])];
    })
    .concat([
      'Each cell: the median over the rounds; half of the rounds are within ± of it; × the\n' +
        'pass-through, the median of the ratios within a round. ± of added latency is the share of the\n' +
        `target, if that is more. ! means more than ±${noiseMax * 100}%, or fewer than ${roundsMin} rounds: conclude nothing from it.\n`,
    ])
    .join('\n');
}

/** One line for each target. */
export function targetLines(targets: readonly Target[]): string {
  return aligned(
    targets.map(({ title, value, verdict }) => [
      verdict,
      value === undefined ? '-' : value.toFixed(2),
      title,
    ]),
  );
}

function cell(
  summaries: readonly Summary[],
  name: ContestantName,
  { digits, hasRatio, key }: Figure,
): string {
  const summary = summaries.find((it) => it.contestant === name && it.figure === key);
  if (summary === undefined) return '-';
  const { isNoisy, median, ratio, spread } = summary;
  const text = `${median.toFixed(digits)} ±${(spread * 100).toFixed(0)}%${isNoisy ? '!' : ''}`;
  if (!hasRatio || ratio === undefined || name === 'pass-through') return text;
  return `${text} ×${ratio.median.toFixed(2)}${ratio.isNoisy ? '!' : ''}`;
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map(
      (row) =>
        `${row
          .map((text, column) => text.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
