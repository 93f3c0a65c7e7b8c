import { Counter, type Histogram, type Registry } from 'prom-client';
import { type OcppVersion, ocppVersions, type Peer } from '../ocpp/version.ts';
import type { GatewayEvent } from './catalogue.ts';

const peers = ['charger', 'csms'] as const satisfies readonly Peer[];

/** Upper bounds of the buckets, in seconds. */
const bucketsSeconds = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30,
];

/**
 * What is counted for every message. prom-client makes a text of the labels at each count, which
 * took a tenth of what a message cost (`npm run bench:path`); so these are counted in plain numbers,
 * and it gets them when somebody asks.
 */
export class FrameMetrics {
  readonly #admitted: Readonly<Record<Peer, Record<OcppVersion, number>>> = {
    charger: { 'ocpp1.6': 0, 'ocpp2.0.1': 0, 'ocpp2.1': 0 },
    csms: { 'ocpp1.6': 0, 'ocpp2.0.1': 0, 'ocpp2.1': 0 },
  };
  readonly #frames: Counter;
  readonly #added: Readonly<Record<Peer, Map<string, AddedTimes>>> = {
    charger: new Map(),
    csms: new Map(),
  };

  constructor(registry: Registry) {
    this.#frames = new Counter({
      name: 'gatewatt_frames_total',
      help: 'Messages by side, version, rule and verdict (admitted, flagged, refused).',
      labelNames: ['from', 'version', 'rule', 'verdict'],
      registers: [registry],
      collect: () => this.#handOver(),
    });
    // A metric like those of prom-client, as far as its registry asks.
    registry.registerMetric({
      name: 'gatewatt_frame_added_seconds',
      labelNames: ['from', 'kind'],
      upperBounds: bucketsSeconds,
      get: async () => ({
        name: 'gatewatt_frame_added_seconds',
        help: 'Time between receiving a message and handing it to the other socket, queueing included.',
        type: 'histogram',
        aggregator: 'sum',
        values: this.#addedValues(),
      }),
      reset: () => {
        for (const from of peers) this.#added[from].clear();
      },
    } as unknown as Histogram);
  }

  /** Counts what an event says of a message. */
  count(event: GatewayEvent): void {
    switch (event.name) {
      case 'FrameAdmitted':
        this.#admitted[event.from][event.version] += 1;
        return;
      case 'FrameFlagged':
      case 'FrameRefused': {
        const { from, version, rule } = event;
        const verdict = event.name === 'FrameFlagged' ? 'flagged' : 'refused';
        this.#frames.inc({ from, version, rule, verdict });
        return;
      }
      default:
        return;
    }
  }

  /** Seconds between receiving a message of `from` and handing it to the other socket. */
  observeAdded(from: Peer, kind: string, seconds: number): void {
    const ofPeer = this.#added[from];
    let times = ofPeer.get(kind);
    if (times === undefined) {
      times = new AddedTimes();
      ofPeer.set(kind, times);
    }
    times.add(seconds);
  }

  #handOver(): void {
    for (const from of peers) {
      for (const version of ocppVersions) {
        const count = this.#admitted[from][version];
        if (count === 0) continue;
        this.#admitted[from][version] = 0;
        this.#frames.inc({ from, version, rule: 'none', verdict: 'admitted' }, count);
      }
    }
  }

  #addedValues(): readonly Sample[] {
    return peers.flatMap((from) =>
      [...this.#added[from]].flatMap(([kind, times]) => times.values({ from, kind })),
    );
  }
}

/** One line of what Prometheus reads. */
interface Sample {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** The times of messages of one kind. */
class AddedTimes {
  /** How many fell into each bucket, and at the end those that were longer. */
  readonly #counts = new Float64Array(bucketsSeconds.length + 1);
  #sum = 0;

  add(seconds: number): void {
    let bucket = 0;
    while (seconds > (bucketsSeconds[bucket] ?? Infinity)) bucket += 1;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += seconds;
  }

  /** As Prometheus wants them: each bucket holds those before it. */
  values(labels: Readonly<Record<string, string>>): readonly Sample[] {
    const metricName = 'gatewatt_frame_added_seconds';
    let count = 0;
    const buckets = [...this.#counts].map((own, index) => {
      count += own;
      const le = bucketsSeconds[index] ?? '+Inf';
      return { metricName: `${metricName}_bucket`, labels: { le, ...labels }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${metricName}_sum`, labels, value: this.#sum },
      { metricName: `${metricName}_count`, labels, value: count },
    ];
  }
}
