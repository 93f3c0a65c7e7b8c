import { ownProperty } from '../../ocpp/message.ts';
import { choiceAt, integerAt, textAt } from './read-property.ts';
import type { SeenReply, Urgency } from './seen.ts';

const bootStatuses = ['Accepted', 'Pending', 'Rejected'] as const;
const statuses = [...bootStatuses, 'unaccepted', 'assumed', 'unknown'] as const;

/**
 * Whether the CSMS takes the charger for registered.
 *
 * - `Accepted`, `Pending`, `Rejected`: what it answered to the last BootNotification.
 * - `assumed`: no such answer was seen, but the CSMS answers other calls.
 * - `unaccepted`: no such answer was seen, and the CSMS refused the last other call with
 *   SecurityError.
 * - `unknown`: nothing was seen.
 *
 * Source: OCPP 1.6 section 4.2; OCPP 2.0.1 part 2 B01 to B03 (SecurityError before acceptance).
 */
export type BootStatus = (typeof statuses)[number];

/** The registration of a charger. */
export interface Boot {
  readonly status: BootStatus;
  /** When `status` was last said or concluded, Unix time in milliseconds; 0 when `unknown`. */
  readonly sinceMs: number;
  /** What the CSMS gave: seconds between heartbeats, or until the next BootNotification. */
  readonly intervalSeconds?: number;
}

/** What a charger said of itself in the BootNotification that was last answered. */
export interface Identification {
  readonly vendor?: string | undefined;
  readonly model?: string | undefined;
  readonly serialNumber?: string | undefined;
  readonly firmwareVersion?: string | undefined;
}

/** OCPP allows 50; real chargers exceed its limits (quirk P1). */
const identificationCharsMax = 64;
/** Thirty years: more is nonsense. */
const intervalSecondsMax = 1_000_000_000;

/** Remembers the registration, and who the charger says it is. */
export class BootMemory {
  #boot: Boot;
  #identification: Identification;

  constructor(saved: unknown) {
    const status = choiceAt(saved, 'status', statuses) ?? 'unknown';
    this.#boot = bootOf(
      status,
      integerAt(saved, 'sinceMs') ?? 0,
      intervalAt(saved, 'intervalSeconds'),
    );
    this.#identification = savedIdentification(ownProperty(saved, 'identification'));
  }

  /** The registration. */
  get boot(): Boot {
    return this.#boot;
  }

  /** What the charger said of itself. */
  get identification(): Identification {
    return this.#identification;
  }

  /** The CSMS answered a BootNotification with `reply`. Without one of the statuses it is nothing. */
  bootAnswered(reply: unknown, identification: Identification, atMs: number): Urgency {
    const status = choiceAt(reply, 'status', bootStatuses);
    if (status === undefined) return 'none';
    this.#boot = bootOf(status, atMs, intervalAt(reply, 'interval'));
    this.#identification = identification;
    return 'soon';
  }

  /** The CSMS answered another call of the charger. */
  otherAnswered(result: SeenReply['result'], atMs: number): Urgency {
    const { status } = this.#boot;
    if (status !== 'unknown' && status !== 'assumed' && status !== 'unaccepted') return 'none';
    if (!('errorCode' in result)) {
      if (status === 'assumed') return 'none';
      this.#boot = bootOf('assumed', atMs, undefined);
      return 'soon';
    }
    if (result.errorCode !== 'SecurityError' || status === 'unaccepted') return 'none';
    this.#boot = bootOf('unaccepted', atMs, undefined);
    return 'soon';
  }

  /** What is to be saved. */
  saved(): object {
    return { ...this.#boot, identification: this.#identification };
  }
}

/** Who a BootNotification of OCPP 1.6 says the charger is. */
export function identificationIn16(payload: unknown): Identification {
  return identificationOf(payload, {
    vendor: 'chargePointVendor',
    model: 'chargePointModel',
    serialNumber: 'chargePointSerialNumber',
  });
}

/** Who a BootNotification of OCPP 2.0.1 or 2.1 says the charger is. */
export function identificationIn2(payload: unknown): Identification {
  return identificationOf(ownProperty(payload, 'chargingStation'), {
    vendor: 'vendorName',
    model: 'model',
    serialNumber: 'serialNumber',
  });
}

function savedIdentification(saved: unknown): Identification {
  const names = { vendor: 'vendor', model: 'model', serialNumber: 'serialNumber' };
  return identificationOf(saved, names);
}

function identificationOf(
  object: unknown,
  names: Readonly<Record<'vendor' | 'model' | 'serialNumber', string>>,
): Identification {
  return {
    vendor: textAt(object, names.vendor, identificationCharsMax),
    model: textAt(object, names.model, identificationCharsMax),
    serialNumber: textAt(object, names.serialNumber, identificationCharsMax),
    firmwareVersion: textAt(object, 'firmwareVersion', identificationCharsMax),
  };
}

function intervalAt(object: unknown, key: string): number | undefined {
  const seconds = integerAt(object, key);
  return seconds !== undefined && seconds >= 0 && seconds <= intervalSecondsMax
    ? seconds
    : undefined;
}

function bootOf(status: BootStatus, sinceMs: number, intervalSeconds: number | undefined): Boot {
  return intervalSeconds === undefined ? { status, sinceMs } : { status, sinceMs, intervalSeconds };
}
