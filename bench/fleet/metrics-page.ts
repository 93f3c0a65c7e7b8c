/** What the gateway says of itself at `/metrics`. NaN for what it does not say. */
export interface GatewayMetrics {
  readonly sessions: number;
  readonly heapBytes: number;
  readonly lag: Lag;
}

/**
 * How long the event loop took between two looks at the clock, in milliseconds, since the metrics
 * were last read: prom-client starts its histogram anew with each scrape. An idle loop shows 10 ms,
 * the distance at which it looks. What a scrape itself takes falls between two histograms.
 */
export interface Lag {
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Takes the page apart: the Prometheus text format. */
export function parseMetrics(page: string): GatewayMetrics {
  const ms = (part: string): number =>
    sampleOf(page, `nodejs_eventloop_lag_${part}_seconds`) * 1000;
  return {
    sessions: sampleOf(page, 'gatewatt_sessions'),
    heapBytes: sampleOf(page, 'nodejs_heap_size_used_bytes'),
    lag: { p50Ms: ms('p50'), p90Ms: ms('p90'), p99Ms: ms('p99'), maxMs: ms('max') },
  };
}

/** The sample of a metric without labels. */
function sampleOf(page: string, name: string): number {
  const line = new RegExp(`^${name} (\\S+)$`, 'm').exec(page);
  return line === null ? Number.NaN : Number(line[1]);
}
