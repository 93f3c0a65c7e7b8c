import { readDateTime } from '../../ocpp/date-time.ts';
import { ownProperty } from '../../ocpp/message.ts';
import { securityEventIn, securityEventTexts } from '../../ocpp/security-events.ts';
import { isOcppVersion, type OcppVersion } from '../../ocpp/version.ts';
import type { Learner } from './learner.ts';
import { integerAt, listAt, textAt } from './read-property.ts';
import type { Urgency } from './seen.ts';

/** A security event that the charger has told of. */
export interface ReportedSecurityEvent {
  /** What the charger calls it; without secrets. */
  readonly type: string;
  /** The name in OCPP 2.0.1 and 2.1; undefined when it is an event of the charger's own. */
  readonly name: string | undefined;
  /** By the version in which the charger told of it. */
  readonly isCritical: boolean;
  /** What it says beside; without secrets. */
  readonly techInfo: string | undefined;
  /** When it happened, as the charger wrote it; undefined when that is no moment. */
  readonly chargerAt: string | undefined;
  /** When the gateway heard of it, Unix time in milliseconds. */
  readonly atMs: number;
}

/** The security events of a charger. */
export interface SecurityEventView {
  /** All that it has told of. */
  readonly count: number;
  readonly criticalCount: number;
  /** The last ones, the oldest first. */
  readonly last: readonly ReportedSecurityEvent[];
}

/** The rest is in the log of the gateway. */
const eventsMax = 20;
/** OCPP allows 50 characters for a type, and 255 for what is said beside. */
const typeCharsMax = 50;
const techInfoCharsMax = 255;
/** A date and time with nanoseconds and offset has 35. */
const timestampCharsMax = 40;

/** An event as it is kept: what follows from the rest is worked out when somebody looks. */
interface KeptEvent {
  readonly version: OcppVersion;
  readonly type: string;
  readonly techInfo: string | undefined;
  readonly chargerAt: string | undefined;
  readonly atMs: number;
}

/**
 * Remembers the last security events that a charger has told of, and how many there were.
 *
 * Source: "Improved security for OCPP 1.6-J" edition 3, A04; OCPP 2.0.1 part 2, A04.
 */
export class SecurityEventMemory {
  #last: readonly KeptEvent[] = [];
  #count: number;
  #criticalCount: number;

  constructor(saved: unknown) {
    this.#count = countAt(saved, 'count');
    this.#criticalCount = countAt(saved, 'criticalCount');
    for (const item of listAt(saved, 'last')) this.#keep(savedEvent(item));
  }

  /** The charger tells of an event in `payload`. */
  told(version: OcppVersion, payload: unknown, atMs: number): Urgency {
    const { type, techInfo } = securityEventTexts(payload);
    const timestamp = textAt(payload, 'timestamp', timestampCharsMax);
    const isMoment = timestamp !== undefined && readDateTime(timestamp) !== 'unreadable';
    this.#keep({ version, type, techInfo, chargerAt: isMoment ? timestamp : undefined, atMs });
    this.#count = Math.min(this.#count + 1, Number.MAX_SAFE_INTEGER);
    if (!securityEventIn(version, type).isCritical) return 'eventually';
    this.#criticalCount = Math.min(this.#criticalCount + 1, Number.MAX_SAFE_INTEGER);
    return 'soon';
  }

  /** For people to read. */
  view(): SecurityEventView {
    const last = this.#last.map(({ version, ...event }): ReportedSecurityEvent => {
      const { isCritical, name } = securityEventIn(version, event.type);
      return { ...event, name, isCritical };
    });
    return { count: this.#count, criticalCount: this.#criticalCount, last };
  }

  /** What is to be saved. */
  saved(): object {
    return { count: this.#count, criticalCount: this.#criticalCount, last: this.#last };
  }

  #keep(event: KeptEvent | undefined): void {
    if (event !== undefined) this.#last = [...this.#last, event].slice(-eventsMax);
  }
}

/** Learns from SecurityEventNotification; the same in each version. */
export const securityEventLearner: Learner = {
  from: 'charger',
  call: ({ securityEvents }, { version, payload, atMs }) =>
    securityEvents.told(version, payload, atMs),
};

function countAt(saved: unknown, key: string): number {
  return Math.max(0, integerAt(saved, key) ?? 0);
}

function savedEvent(saved: unknown): KeptEvent | undefined {
  const version = ownProperty(saved, 'version');
  const type = textAt(saved, 'type', typeCharsMax);
  if (typeof version !== 'string' || !isOcppVersion(version) || type === undefined)
    return undefined;
  return {
    version,
    type,
    techInfo: textAt(saved, 'techInfo', techInfoCharsMax),
    chargerAt: textAt(saved, 'chargerAt', timestampCharsMax),
    atMs: integerAt(saved, 'atMs') ?? 0,
  };
}
