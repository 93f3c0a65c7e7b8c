import type { Clock } from '../lib/clock.ts';
import { type BucketLimit, TokenBuckets } from '../lib/token-buckets.ts';
import { events, type GatewayEvent } from './catalogue.ts';
import type { EventSink } from './emit.ts';

/** How many log entries may be caused from outside. */
export interface LogLimits {
  /** Entries of one kind, by one charger or one address. */
  readonly perSource: BucketLimit;
  /** Entries that chargers and strangers may cause together. */
  readonly total: BucketLimit;
}

/** Sources that are told apart. */
const sourcesMax = 10_000;

/**
 * Protects the log from a peer that breaks rules ten thousand times a second, and from a crowd of
 * strangers. What is left out is counted by name, and the count is logged with the next entry of
 * that name. Metrics are not limited: they count everything.
 */
export function limitLog(sink: EventSink, limits: LogLimits, clock: Clock): EventSink {
  const perSource = new TokenBuckets(limits.perSource, sourcesMax, clock);
  const total = new TokenBuckets(limits.total, 1, clock);
  const suppressed = new Map<GatewayEvent['name'], number>();

  return (event) => {
    // What is never logged must not use up what may be.
    if (events[event.name].level === 'none') return;
    const source = sourceOf(event);
    if (source === undefined) {
      sink(event);
      return;
    }
    const count = suppressed.get(event.name) ?? 0;
    if (!perSource.take(`${event.name} ${source}`) || !total.take('')) {
      suppressed.set(event.name, count + 1);
      return;
    }
    if (count > 0) {
      suppressed.delete(event.name);
      sink({ name: 'EventsSuppressed', suppressed: event.name, count });
    }
    sink(event);
  };
}

/** Who caused an event; undefined for what the gateway does by itself. */
function sourceOf(event: GatewayEvent): string | undefined {
  // A stranger chooses the identity that it claims, but not its address.
  if ('remoteAddress' in event && event.name !== 'SessionOpened') return event.remoteAddress;
  return 'charger' in event ? event.charger : undefined;
}
