import { median } from '../median.ts';
import type { ContestantName } from './contestants/contestant.ts';
import { addedAt, type Figure, latencyAt, quantiles, type Values } from './figures.ts';
import type { Transport } from './transport.ts';

/** What one contestant has shown in one round. */
export interface Round {
  readonly round: number;
  readonly transport: Transport;
  readonly contestant: ContestantName;
  /** Calls per second of the open loop. */
  readonly ratePerSecond: number;
  readonly values: Values;
}

/** The same number of all rounds. */
export interface Series {
  readonly rounds: readonly number[];
  readonly median: number;
  /** Half of the rounds are within this share of the median. */
  readonly spread: number;
  /** More than that would be needed to say anything. */
  readonly isNoisy: boolean;
}

/** A figure of one contestant over all rounds. */
export interface Summary extends Series {
  readonly transport: Transport;
  readonly contestant: ContestantName;
  readonly figure: string;
  /** To the pass-through of the same round; undefined where there is none, or nothing to compare. */
  readonly ratio: Series | undefined;
}

/** Rounds may differ by this share of their median; otherwise they say nothing. */
export const noiseMax = 0.15;
/** Of fewer rounds nobody can tell how much they differ. */
export const roundsMin = 3;

const reference: ContestantName = 'pass-through';

/** Puts the latency that each contestant adds to that of none, in the same round, beside the others. */
export function withAddedLatency(rounds: readonly Round[]): readonly Round[] {
  return rounds.map((round) => {
    const base = sameRound(rounds, round, 'none');
    if (base === undefined || round.contestant === 'none') return round;
    const added = quantiles.flatMap(({ name }) => {
      const own = round.values[latencyAt(name)];
      const without = base.values[latencyAt(name)];
      return own === undefined || without === undefined ? [] : [[addedAt(name), own - without]];
    });
    return { ...round, values: { ...round.values, ...Object.fromEntries(added) } };
  });
}

/** Every figure of every contestant. */
export function summarize(
  rounds: readonly Round[],
  figures: readonly Figure[],
): readonly Summary[] {
  const runs = new Map(rounds.map((it) => [`${it.transport} ${it.contestant}`, it]));
  return [...runs.values()].flatMap(({ contestant, transport }) =>
    figures.flatMap((figure) => {
      const of = { transport, contestant };
      const numbers = rounds
        .filter((it) => it.transport === transport && it.contestant === contestant)
        .flatMap(({ values }) => values[figure.key] ?? []);
      if (numbers.length === 0) return [];
      const ratio = figure.hasRatio
        ? ratioBetween(rounds, figure.key, of, { transport, contestant: reference })
        : undefined;
      return [{ ...of, figure: figure.key, ...seriesOf(numbers, figure.scaleMin), ratio }];
    }),
  );
}

/** One contestant on one transport. */
export type Run = Pick<Round, 'contestant' | 'transport'>;

/** A figure of `one` divided by that of `other`, round by round. */
export function ratioBetween(
  rounds: readonly Round[],
  figure: string,
  one: Run,
  other: Run,
): Series | undefined {
  const ratios = rounds
    .filter((it) => it.transport === one.transport && it.contestant === one.contestant)
    .flatMap((round) => {
      const own = round.values[figure];
      const others = sameRound(rounds, round, other.contestant)?.values[figure];
      return own === undefined || others === undefined ? [] : [own / others];
    });
  return ratios.length === 0 ? undefined : seriesOf(ratios);
}

function sameRound(
  rounds: readonly Round[],
  { round, transport }: Round,
  contestant: ContestantName,
): Round | undefined {
  return rounds.find(
    (it) => it.round === round && it.transport === transport && it.contestant === contestant,
  );
}

function seriesOf(rounds: readonly number[], scaleMin = 0): Series {
  const middle = median(rounds);
  const deviation = median(rounds.map((it) => Math.abs(it - middle)));
  // Calls without an answer: none in any round is no noise.
  const share = deviation === 0 ? 0 : deviation / Math.max(Math.abs(middle), scaleMin);
  return {
    rounds,
    median: middle,
    spread: share,
    isNoisy: !(share <= noiseMax) || rounds.length < roundsMin,
  };
}
