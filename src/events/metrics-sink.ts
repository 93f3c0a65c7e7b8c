import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { GatewayEvent } from './catalogue.ts';
import type { EventSink } from './emit.ts';
import { type FeederGauges, rampCounters, rampGauges } from './ramp-metrics.ts';

/** The gateway's Prometheus metrics. Names are listed in docs/metrics.md. */
export interface GatewayMetrics {
  readonly registry: Registry;
  /** Counts events. */
  readonly sink: EventSink;
  /** Seconds between receiving a message and handing it to the other socket. */
  observeAdded(from: string, kind: string, seconds: number): void;
  /** Asks `read` for the passwords that were checked with a slow hash, at each scrape. */
  passwordChecksFrom(read: () => number): void;
  /** Asks `read` for the state of the feeders at each scrape. */
  feedersFrom(read: () => readonly FeederGauges[]): void;
  /** Asks `read` for the number of sessions at each scrape. */
  sessionsFrom(read: () => number): void;
  /** Asks `read` for the state of the store at each scrape. */
  storeFrom(read: () => StoreState): void;
}

/** The store, as far as metrics tell. */
export interface StoreState {
  readonly isAvailable: boolean;
  /** Chargers of which something is still to be written. */
  readonly unwritten: number;
}

/** Labels of one message's count. */
const frameLabels = ['from', 'version', 'rule', 'verdict'] as const;

/** Creates the metrics in a registry of their own. */
export function gatewayMetrics(options: { readonly processMetrics: boolean }): GatewayMetrics {
  const registry = new Registry();
  const registers = [registry];
  if (options.processMetrics) collectDefaultMetrics({ register: registry });

  const frames = new Counter({
    name: 'gatewatt_frames_total',
    help: 'Messages by side, version, rule and verdict (admitted, flagged, refused).',
    labelNames: frameLabels,
    registers,
  });
  const eventCount = new Counter({
    name: 'gatewatt_events_total',
    help: 'Events by name and, where they have one, error code. See docs/events.md.',
    labelNames: ['event', 'code'],
    registers,
  });
  const added = new Histogram({
    name: 'gatewatt_frame_added_seconds',
    help: 'Time between receiving a message and handing it to the other socket, queueing included.',
    labelNames: ['from', 'kind'],
    buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30],
    registers,
  });

  const securityEvents = new Counter({
    name: 'gatewatt_charger_security_events_total',
    help: 'Security events that chargers report, by type (`unknown` for other names) and whether they are critical.',
    labelNames: ['type', 'critical'],
    registers,
  });
  const handshakes = new Counter({
    name: 'gatewatt_tls_handshake_failures_total',
    help: 'TLS handshakes of chargers that were refused or not finished, by finding.',
    labelNames: ['listener', 'finding'],
    registers,
  });

  const countRamp = rampCounters(registry);

  const countSecurity = (event: GatewayEvent): void => {
    if (event.name === 'ChargerSecurityEvent') {
      securityEvents.inc({ type: event.type, critical: String(event.isCritical) });
    } else if (event.name === 'TlsHandshakeFailed') {
      handshakes.inc({ listener: event.listener, finding: event.finding });
    }
  };

  const countFrame = (event: GatewayEvent): void => {
    switch (event.name) {
      case 'FrameAdmitted':
        frames.inc({ from: event.from, version: event.version, rule: 'none', verdict: 'admitted' });
        return;
      case 'FrameFlagged':
      case 'FrameRefused': {
        const { from, version, rule } = event;
        const verdict = event.name === 'FrameFlagged' ? 'flagged' : 'refused';
        frames.inc({ from, version, rule, verdict });
        return;
      }
      default:
        return;
    }
  };

  return {
    registry,
    sink: (event) => {
      countFrame(event);
      countSecurity(event);
      countRamp(event);
      const code = ('code' in event ? event.code : undefined) ?? '';
      if (event.name !== 'FrameAdmitted') eventCount.inc({ event: event.name, code });
    },
    observeAdded: (from, kind, seconds) => added.observe({ from, kind }, seconds),
    storeFrom: (read) => {
      new Gauge({
        name: 'gatewatt_store_available',
        help: '1 while the database works, 0 while it is away.',
        registers,
        collect() {
          this.set(read().isAvailable ? 1 : 0);
        },
      });
      new Gauge({
        name: 'gatewatt_store_unwritten_chargers',
        help: 'Chargers of which something is still to be written to the database.',
        registers,
        collect() {
          this.set(read().unwritten);
        },
      });
    },
    feedersFrom: (read) => rampGauges(registry, read),
    passwordChecksFrom: (read) => {
      let counted = 0;
      new Counter({
        name: 'gatewatt_password_hashes_total',
        help: 'Passwords that were checked with a slow hash. Each takes a processor some 20 ms.',
        registers,
        collect() {
          const now = read();
          this.inc(now - counted);
          counted = now;
        },
      });
    },
    sessionsFrom: (read) => {
      new Gauge({
        name: 'gatewatt_sessions',
        help: 'Chargers that are connected through to the CSMS.',
        registers,
        collect() {
          this.set(read());
        },
      });
    },
  };
}
