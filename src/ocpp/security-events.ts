import { ownProperty } from './message.ts';
import { redactText } from './secrets.ts';
import type { OcppVersion } from './version.ts';

/** One event of which chargers tell in SecurityEventNotification. */
export interface SecurityEventEntry {
  /** As OCPP 2.0.1 and 2.1 spell it. */
  readonly name: string;
  /** Its other name in OCPP 1.6, where it has one. */
  readonly name16?: string;
  /** Must a charger tell of it at once? By version; those that do not have the event are absent. */
  readonly isCritical: Readonly<Partial<Record<OcppVersion, boolean>>>;
}

const always = { 'ocpp1.6': true, 'ocpp2.0.1': true, 'ocpp2.1': true } as const;
const never = { 'ocpp1.6': false, 'ocpp2.0.1': false, 'ocpp2.1': false } as const;
/** What OCPP 2.0.1 made critical. */
const later = { 'ocpp1.6': false, 'ocpp2.0.1': true, 'ocpp2.1': true } as const;
/** What OCPP 1.6 does not have. */
const since201 = { 'ocpp2.0.1': true, 'ocpp2.1': true } as const;

/**
 * Every security event that OCPP names.
 *
 * Source: "Improved security for OCPP 1.6-J" edition 3, section 4.2 and its list of security events;
 * OCPP 2.0.1 and 2.1 part 2, appendix 1.
 */
export const securityEvents: readonly SecurityEventEntry[] = [
  { name: 'FirmwareUpdated', isCritical: always },
  {
    name: 'FailedToAuthenticateAtCsms',
    name16: 'FailedToAuthenticateAtCentralSystem',
    isCritical: never,
  },
  {
    name: 'CsmsFailedToAuthenticate',
    name16: 'CentralSystemFailedToAuthenticate',
    isCritical: never,
  },
  { name: 'SettingSystemTime', isCritical: always },
  { name: 'StartupOfTheDevice', isCritical: always },
  { name: 'ResetOrReboot', isCritical: always },
  { name: 'SecurityLogWasCleared', isCritical: always },
  { name: 'ReconfigurationOfSecurityParameters', isCritical: never },
  { name: 'MemoryExhaustion', isCritical: always },
  { name: 'InvalidMessages', isCritical: never },
  { name: 'AttemptedReplayAttacks', isCritical: never },
  { name: 'TamperDetectionActivated', isCritical: always },
  { name: 'InvalidFirmwareSignature', isCritical: later },
  { name: 'InvalidFirmwareSigningCertificate', isCritical: later },
  { name: 'InvalidCsmsCertificate', name16: 'InvalidCentralSystemCertificate', isCritical: later },
  {
    name: 'InvalidChargingStationCertificate',
    name16: 'InvalidChargePointCertificate',
    isCritical: later,
  },
  { name: 'InvalidTLSVersion', isCritical: later },
  { name: 'InvalidTLSCipherSuite', isCritical: later },
  { name: 'MaintenanceLoginAccepted', isCritical: since201 },
  { name: 'MaintenanceLoginFailed', isCritical: since201 },
  { name: 'DiscardedRenewedClientCertificate', isCritical: { 'ocpp2.1': true } },
];

/** What is known of a security event by its `type`. */
export interface SecurityEvent {
  /** The name in OCPP 2.0.1 and 2.1; undefined when no version has such an event. */
  readonly name: string | undefined;
  /** An event that is unknown is not critical: `type` is a free text, and anybody can make one up. */
  readonly isCritical: boolean;
  readonly isKnown: boolean;
}

/**
 * The event that a charger means with `type`. Chargers use the names of other versions as well, and
 * names of their own; they are taken for what they are. An event that the version in use does not
 * have is as critical as in the version that has it.
 */
export function securityEventIn(version: OcppVersion, type: string): SecurityEvent {
  const entry = entriesByName.get(type.trim().toLowerCase());
  if (entry === undefined) return { name: undefined, isCritical: false, isKnown: false };
  const { name, isCritical } = entry;
  const critical = isCritical[version] ?? isCritical['ocpp2.1'] ?? false;
  return { name, isCritical: critical, isKnown: true };
}

const entriesByName: ReadonlyMap<string, SecurityEventEntry> = new Map(
  securityEvents.flatMap((entry) => {
    const names = entry.name16 === undefined ? [entry.name] : [entry.name, entry.name16];
    return names.map((name) => [name.toLowerCase(), entry] as const);
  }),
);

/** Characters of `type` that are kept: the limit of OCPP. */
const typeLengthMax = 50;
/** Characters of `techInfo` that are kept: the limit of OCPP. */
const techInfoLengthMax = 255;

/** What a SecurityEventNotification says, as it may be kept and shown. */
export interface SecurityEventTexts {
  readonly type: string;
  readonly techInfo: string | undefined;
}

/** Reads the payload of a SecurityEventNotification, whatever is in it. */
export function securityEventTexts(payload: unknown): SecurityEventTexts {
  const type = safeText(ownProperty(payload, 'type'), typeLengthMax) ?? '';
  const techInfo = safeText(ownProperty(payload, 'techInfo'), techInfoLengthMax);
  return { type, techInfo: techInfo === '' ? undefined : techInfo };
}

/** What a SecurityEventNotification says, for the log of the gateway. */
export interface SecurityEventReport {
  /** The name, if OCPP has it, and `unknown` otherwise: it may label a metric. */
  readonly type: string;
  readonly isCritical: boolean;
  /** What the charger says: `type` and `techInfo`, printable, bounded, and without secrets. */
  readonly report: string;
}

/** Describes a call that is a SecurityEventNotification, whatever is in it. */
export function describeSecurityEvent(
  call: { readonly payload: unknown },
  version: OcppVersion,
): SecurityEventReport {
  const { type, techInfo } = securityEventTexts(call.payload);
  const { isCritical, name } = securityEventIn(version, type);
  return {
    type: name ?? 'unknown',
    isCritical,
    report: techInfo === undefined ? type : `${type}: ${techInfo}`,
  };
}

/**
 * A text of a charger that may be kept and shown: without secrets, without what terminals obey, at
 * most `lengthMax` characters long, and without the memory of the message that it was cut from.
 * Undefined when `value` is no text.
 */
function safeText(value: unknown, lengthMax: number): string | undefined {
  if (typeof value !== 'string') return undefined;
  const isName = value.length <= lengthMax && /^\w+$/.test(value);
  // The secrets first: what is left of a mention that was cut is none, but its secret may remain. A
  // single word may be called what it likes.
  const clean = isName ? value : redactText(value.slice(0, readLengthMax));
  return Buffer.from(clean.slice(0, lengthMax).replace(unprintable, '?')).toString();
}

/** Characters that are looked at: some modes let texts pass that are longer than OCPP allows. */
const readLengthMax = 4096;
/** Control and format characters, and halves of surrogate pairs. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;
