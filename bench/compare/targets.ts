import { addedAt, addedMsMax, cpuAt } from './figures.ts';
import { type Round, ratioBetween, type Series, type Summary } from './summary.ts';
import type { Transport } from './transport.ts';

/** Something that Gatewatt is to achieve. */
export interface Target {
  readonly title: string;
  readonly limit: number;
  /** Undefined when it was not measured. */
  readonly value: number | undefined;
  readonly verdict: 'met' | 'missed' | 'not concluded' | 'not measured';
}

interface Judged {
  readonly title: string;
  readonly isMetBy: 'at most' | 'at least' | 'less than';
  readonly limit: number;
  readonly value: Series | undefined;
  /** What the value was made of. If one of these is noisy, nothing is concluded. */
  readonly leansOn: readonly (Series | undefined)[];
}

/** Holds the targets against what was measured. */
export function judgeTargets(
  rounds: readonly Round[],
  summaries: readonly Summary[],
): readonly Target[] {
  const of = (transport: Transport, contestant: Summary['contestant'], figure: string) =>
    summaries.find(
      (it) => it.transport === transport && it.contestant === contestant && it.figure === figure,
    );
  const toPassThrough = (title: string, transport: Transport, figure: string, limit: number) => ({
    title: `${title}, ${transport}: times that of the pass-through`,
    isMetBy: 'at most' as const,
    limit,
    value: of(transport, 'gatewatt', figure)?.ratio,
    leansOn: [of(transport, 'gatewatt', figure), of(transport, 'pass-through', figure)],
  });
  const cpu = cpuAt(100);
  const cheaper: Judged = {
    title: 'CPU at 100 chargers, plain: times cheaper than ocpp-rpc',
    isMetBy: 'at least',
    limit: 4,
    value: ratioBetween(
      rounds,
      cpu,
      { transport: 'plain', contestant: 'ocpp-rpc' },
      { transport: 'plain', contestant: 'gatewatt' },
    ),
    leansOn: [of('plain', 'gatewatt', cpu), of('plain', 'ocpp-rpc', cpu)],
  };
  const addedLatency = (transport: Transport): Judged => ({
    title: `latency added at p99, ${transport}, in ms`,
    isMetBy: 'less than',
    limit: addedMsMax,
    value: of(transport, 'gatewatt', addedAt('p99')),
    leansOn: [],
  });
  return [
    toPassThrough('CPU at 100 chargers', 'plain', cpu, 1.2),
    toPassThrough('CPU at 100 chargers', 'tls', cpu, 1.15),
    cheaper,
    toPassThrough('memory per idle charger', 'plain', 'idleBytes', 1.5),
    toPassThrough('memory per idle charger', 'tls', 'idleBytes', 1.5),
    addedLatency('plain'),
    addedLatency('tls'),
  ].map(judge);
}

function judge({ isMetBy, leansOn, limit, title, value }: Judged): Target {
  const target = { title: `${title}: ${isMetBy} ${limit}`, limit, value: value?.median };
  if (value === undefined) return { ...target, verdict: 'not measured' };
  const isNoisy = [value, ...leansOn].some((it) => it === undefined || it.isNoisy);
  if (isNoisy || Number.isNaN(value.median)) return { ...target, verdict: 'not concluded' };
  const isMet = {
    'at most': value.median <= limit,
    'at least': value.median >= limit,
    'less than': value.median < limit,
  }[isMetBy];
  return { ...target, verdict: isMet ? 'met' : 'missed' };
}
