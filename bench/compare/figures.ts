/** One thing that is measured of each contestant in each round. */
export interface Figure {
  readonly key: string;
  readonly title: string;
  readonly unit: string;
  /** Digits after the point. */
  readonly digits: number;
  /** Is it compared with the pass-through? */
  readonly hasRatio: boolean;
  /**
   * What deviations are shares of, where the median may be next to nothing, as a difference may be:
   * they then are shares of this, if it is more.
   */
  readonly scaleMin?: number;
}

/** Figures of one contestant in one round, by their keys. What was not measured is absent. */
export type Values = Readonly<Record<string, number>>;

/** The quantiles of the open loop. */
export const quantiles = [
  { name: 'p50', part: 0.5 },
  { name: 'p99', part: 0.99 },
  { name: 'p99.9', part: 0.999 },
] as const;

/** The target for the latency that is added, in milliseconds. */
export const addedMsMax = 2;

export const cpuAt = (chargers: number): string => `cpuMicroseconds@${chargers}`;
export const roundTripsAt = (chargers: number): string => `roundTripsPerSecond@${chargers}`;
export const latencyAt = (name: string): string => `latencyMs.${name}`;
export const addedAt = (name: string): string => `addedMs.${name}`;

/** All of them, in the order of the report. */
export function figuresOf(chargerCounts: readonly number[]): readonly Figure[] {
  const sizes = chargerCounts.toReversed();
  const plural = (count: number): string => (count === 1 ? '1 charger' : `${count} chargers`);
  return [
    ...sizes.map((count) => ({
      key: cpuAt(count),
      title: `CPU per round trip, ${plural(count)}`,
      unit: 'µs',
      digits: 1,
      hasRatio: true,
    })),
    ...sizes.map((count) => ({
      key: roundTripsAt(count),
      title: `round trips a second, ${plural(count)}`,
      unit: '/s',
      digits: 0,
      hasRatio: true,
    })),
    ...quantiles.map(({ name }) => ({
      key: latencyAt(name),
      title: `latency ${name}`,
      unit: 'ms',
      digits: 2,
      hasRatio: false,
    })),
    ...quantiles.map(({ name }) => ({
      key: addedAt(name),
      title: `added latency ${name}`,
      unit: 'ms',
      digits: 2,
      hasRatio: false,
      scaleMin: addedMsMax,
    })),
    { key: 'unanswered', title: 'calls without an answer', unit: '', digits: 0, hasRatio: false },
    {
      key: 'idleBytes',
      title: 'memory per idle charger',
      unit: 'bytes',
      digits: 0,
      hasRatio: true,
    },
    {
      key: 'connectionsPerSecond',
      title: 'connections a second',
      unit: '/s',
      digits: 0,
      hasRatio: true,
    },
    {
      key: 'connectionCpuMs',
      title: 'CPU per connection',
      unit: 'ms',
      digits: 2,
      hasRatio: true,
    },
  ];
}
