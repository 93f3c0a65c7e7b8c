import { gatewayMetrics } from '../../src/events/metrics-sink.ts';
import { code, item, page, paragraph } from './markdown.ts';

/** What prom-client's own types leave out. */
interface MetricDetails {
  readonly labelNames?: readonly string[];
  readonly upperBounds?: readonly number[];
}

/** docs/metrics.md: the gateway's Prometheus metrics. */
export async function metricsPage(): Promise<string> {
  const metrics = gatewayMetrics({ processMetrics: false });
  metrics.passwordChecksFrom(() => 0);
  metrics.feedersFrom(() => []);
  metrics.sessionsFrom(() => 0);
  metrics.dialsFrom(() => ({ made: 0, waiting: 0 }));
  metrics.storeFrom(() => ({ isAvailable: true, unwritten: 0 }));
  const all = await metrics.registry.getMetricsAsJSON();
  const sorted = all.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return page('Metrics', 'src/events/metrics-sink.ts', [
    paragraph(
      'The admin server gives these at `/metrics`, in the Prometheus text format. Beside them are ' +
        'the metrics of the process that the client library collects (names that start with ' +
        '`process_` and `nodejs_`): processor time, memory, event loop, garbage collection.',
    ),
    paragraph(
      'No label holds what a peer sent, and none holds the identity of a charger, so the number ' +
        'of time series is bounded. For single chargers look at the log. The names of feeders are ' +
        'those in the configuration file.',
    ),
    ...sorted.flatMap(({ name, type, help }) => {
      const details = (metrics.registry.getSingleMetric(name) ?? {}) as MetricDetails;
      const labels = (details.labelNames ?? []).map(code).join(', ');
      const lines = [
        paragraph(help),
        '',
        item(`Type: ${String(type)}`),
        item(labels === '' ? 'Labels: none' : `Labels: ${labels}`),
      ];
      const bounds = details.upperBounds;
      if (bounds !== undefined) lines.push(item(`Buckets: ${bounds.join(', ')}`));
      return [`## ${name}`, lines.join('\n')];
    }),
  ]);
}
