import { median } from '../median.ts';
import type { Lag } from './metrics-page.ts';

/** One thing that was to be. */
export interface Finding {
  readonly name: string;
  /** What was found; for people. */
  readonly found: string;
  /** What it may be at most. */
  readonly limit: string;
  readonly isGood: boolean;
}

/** What a run has shown. */
export interface Verdict {
  readonly isGood: boolean;
  /** Was it ended before its time? Then it is not good, whatever was found. */
  readonly isComplete: boolean;
  readonly findings: readonly Finding[];
}

/** Good when all findings are, and there are any. */
export function verdictOf(findings: readonly Finding[], isComplete = true): Verdict {
  const areGood = findings.length > 0 && findings.every((finding) => finding.isGood);
  return { isGood: isComplete && areGood, isComplete, findings };
}

/** That a number is not above its limit. A number that is missing (NaN) is. */
export function atMost(name: string, found: number, limit: number, unit = ''): Finding {
  const text = Number.isInteger(found) ? String(found) : found.toFixed(2);
  return { name, found: `${text}${unit}`, limit: `${limit}${unit}`, isGood: found <= limit };
}

/**
 * That something does not grow: the median of the last quarter against that of the second one. The
 * first quarter, in which everything fills up, does not count.
 *
 * @param numbers in the order in which they were taken. Fewer than four show nothing.
 */
export function isSteady(name: string, numbers: readonly number[], ratioMax: number): Finding {
  const quarter = Math.floor(numbers.length / 4);
  const second = median(numbers.slice(quarter, 2 * quarter));
  const last = median(quarter === 0 ? [] : numbers.slice(-quarter));
  return atMost(`${name}, last quarter to second`, last / second, ratioMax);
}

/** Longer delays than this are those that count, in milliseconds. */
export const lagMsMax = 50;
/** Of the turns of the event loop, these may take longer, in per cent: that is what p99 means. */
const lagPercentMax = 1;

/**
 * That the event loop's p99 over all of these is below `lagMsMax`.
 *
 * Percentiles of parts do not add up to those of the whole, so this is a bound: of a part whose p99
 * is below the limit, at most a hundredth can be above it, and so on. The bound is never too low.
 */
export function lagFinding(name: string, lags: readonly Lag[]): Finding {
  const percents = lags.map(percentAboveMax);
  const percent = percents.reduce((sum, it) => sum + it, 0) / percents.length;
  return {
    name: `${name}: event loop p99 below ${lagMsMax} ms`,
    found:
      `at most ${percent.toFixed(2)} % of its turns took longer; median of the p99 ` +
      `${median(lags.map(({ p99Ms }) => p99Ms)).toFixed(1)} ms, longest turn ` +
      `${Math.max(...lags.map(({ maxMs }) => maxMs)).toFixed(0)} ms`,
    limit: `${lagPercentMax} %`,
    isGood: percent <= lagPercentMax,
  };
}

/** Whole numbers: their sum is exact, and exactly at the limit is good. */
function percentAboveMax({ maxMs, p50Ms, p90Ms, p99Ms }: Lag): number {
  if (maxMs < lagMsMax) return 0;
  if (p99Ms < lagMsMax) return 1;
  if (p90Ms < lagMsMax) return 10;
  return p50Ms < lagMsMax ? 50 : 100;
}

/** For people, a line for each finding. */
export function verdictText({ findings, isComplete, isGood }: Verdict): string {
  const lines = findings.map(
    ({ found, isGood: isFindingGood, limit, name }) =>
      `${isFindingGood ? 'ok  ' : 'FAIL'} ${name}: ${found} (at most ${limit})`,
  );
  const word = isComplete ? (isGood ? 'GOOD' : 'NOT GOOD') : 'INCOMPLETE';
  return [...lines, `verdict: ${word}`].join('\n');
}
