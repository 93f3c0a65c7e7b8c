import { type EventName, events, type GatewayEvent } from '../events/catalogue.ts';
import type { EventSink } from '../events/emit.ts';
import { limitLog } from '../events/log-limit.ts';
import type { Clock } from '../lib/clock.ts';
import { type BucketLimit, TokenBuckets } from '../lib/token-buckets.ts';
import { redactText } from '../ocpp/secrets.ts';
import type { AuditEntry } from './audit-entry.ts';
import type { AuditLog } from './audit-log.ts';

/**
 * How many records may be caused from outside. More than the log has, because records are evidence;
 * not without end, because a flood would push the evidence out of the database.
 */
const limits = {
  perSource: { burst: 200, perSecond: 5 },
  // Twenty thousand chargers that all come back after a power cut fit into the burst.
  total: { burst: 60_000, perSecond: 250 },
};

/** Messages that are recorded on purpose: of one charger, and of all. */
const recordedPerCharger: BucketLimit = { burst: 600, perSecond: 20 };
const recordedInAll: BucketLimit = { burst: 20_000, perSecond: 500 };
/** Chargers that are told apart. */
const chargersMax = 10_000;

/** Appended in the transaction of the deed itself; as events they are for log and metrics only. */
const appendedWithDeed: ReadonlySet<EventName> = new Set([
  'AuditGap',
  'AuditPruned',
  'QuarantinedFrameReleased',
]);

/** Looked up for every message that passes. */
const audited: ReadonlySet<EventName> = new Set(
  (Object.keys(events) as EventName[]).filter(
    (name) => events[name].isAudited && !appendedWithDeed.has(name),
  ),
);

/** Records in `log` what the catalogue says is audited, within limits. */
export function auditSink(log: AuditLog, clock: Clock): EventSink {
  const record: EventSink = (event) => log.record(entryOf(event, clock.nowMs()));
  const limited = limitLog(record, limits, clock);
  const recorded = limitRecorded(record, clock);
  return (event) => {
    if (!audited.has(event.name)) return;
    if (event.name === 'FrameRecorded') recorded(event);
    // What an operator did, or the gateway did to an identity, is never left out.
    else if ('by' in event) record(event);
    else limited(event);
  };
}

/** Passes messages that are recorded on purpose on, within limits of their own. */
function limitRecorded(
  record: EventSink,
  clock: Clock,
): (event: GatewayEvent & { readonly name: 'FrameRecorded' }) => void {
  const perCharger = new TokenBuckets(recordedPerCharger, chargersMax, clock);
  const inAll = new TokenBuckets(recordedInAll, 1, clock);
  let suppressed = 0;
  return (event) => {
    if (!perCharger.take(event.charger.toLowerCase()) || !inAll.take('')) {
      suppressed += 1;
      return;
    }
    if (suppressed > 0) {
      record({ name: 'EventsSuppressed', suppressed: 'FrameRecorded', count: suppressed });
      suppressed = 0;
    }
    record(event);
  };
}

function entryOf(event: GatewayEvent, atMs: number): AuditEntry {
  switch (event.name) {
    case 'SessionFailed': {
      const { name, charger, error } = event;
      return { atMs, event: name, charger, fields: { error: describeError(error) } };
    }
    case 'FrameRecorded': {
      const { name, charger, frame, ...fields } = event;
      // Whoever emits it has done this already; here it costs little and nothing depends on trust.
      return { atMs, event: name, charger, fields: { ...fields, frame: redactText(frame) } };
    }
    default: {
      const { name, ...fields } = event;
      if (!('charger' in fields)) return { atMs, event: name, fields };
      const { charger, ...others } = fields;
      return { atMs, event: name, charger, fields: others };
    }
  }
}

/** Characters of an error's message. */
const messageLengthMax = 1_000;

/** Only what was said: other properties of an error can hold anything. */
function describeError(error: unknown): object {
  if (!(error instanceof Error)) {
    return { name: 'unknown', message: bounded(typeof error === 'string' ? error : '') };
  }
  return { name: error.name.slice(0, 100), message: bounded(error.message) };
}

function bounded(message: string): string {
  return redactText(message.slice(0, messageLengthMax));
}
