import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Peer } from '../ocpp/version.ts';
import type { GatewayEvent } from './catalogue.ts';
import type { EventSink } from './emit.ts';
import { FrameMetrics } from './frame-metrics.ts';
import { type FeederGauges, rampCounters, rampGauges } from './ramp-metrics.ts';

/** The gateway's Prometheus metrics. Names are listed in docs/metrics.md. */
export interface GatewayMetrics {
  readonly registry: Registry;
  /** Counts events. */
  readonly sink: EventSink;
  /** Seconds between receiving a message and handing it to the other socket. */
  observeAdded(from: Peer, kind: string, seconds: number): void;
  /** Asks `read` for the passwords that were checked with a slow hash, at each scrape. */
  passwordChecksFrom(read: () => number): void;
  /** Asks `read` for the state of the feeders at each scrape. */
  feedersFrom(read: () => readonly FeederGauges[]): void;
  /** Asks `read` for the dials to the CSMS at each scrape. */
  dialsFrom(read: () => DialCounts): void;
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

/** Dials to the CSMS, as far as metrics tell. */
export interface DialCounts {
  /** Since the start. */
  readonly made: number;
  /** Chargers that wait for their turn. */
  readonly waiting: number;
}

/**
 * What prom-client counts one by one: each scrape stopped a gateway with ten thousand chargers for a
 * tenth of a second.
 */
const slowMetrics = [
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
  'nodejs_active_resources',
  'nodejs_active_resources_total',
  'process_open_fds',
];

/** Creates the metrics in a registry of their own. */
export function gatewayMetrics(options: { readonly processMetrics: boolean }): GatewayMetrics {
  const registry = new Registry();
  const registers = [registry];
  if (options.processMetrics) {
    collectDefaultMetrics({ register: registry });
    for (const name of slowMetrics) registry.removeSingleMetric(name);
  }

  const frames = new FrameMetrics(registry);
  const eventCount = new Counter({
    name: 'gatewatt_events_total',
    help: 'Events by name and, where they have one, error code. See docs/events.md.',
    labelNames: ['event', 'code'],
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

  return {
    registry,
    sink: (event) => {
      frames.count(event);
      if (event.name === 'FrameAdmitted') return;
      countSecurity(event);
      countRamp(event);
      const code = ('code' in event ? event.code : undefined) ?? '';
      eventCount.inc({ event: event.name, code });
    },
    observeAdded: (from, kind, seconds) => frames.observeAdded(from, kind, seconds),
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
    dialsFrom: (read) => {
      let counted = 0;
      new Counter({
        name: 'gatewatt_csms_dials_total',
        help: 'Connections to the CSMS that were begun, whatever became of them.',
        registers,
        collect() {
          const { made } = read();
          this.inc(made - counted);
          counted = made;
        },
      });
      new Gauge({
        name: 'gatewatt_csms_dials_waiting',
        help: 'Chargers that wait for their turn to be connected to the CSMS.',
        registers,
        collect() {
          this.set(read().waiting);
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
