import { isOcppVersion, type OcppVersion, type Peer } from '../ocpp/version.ts';
import type { RowOf } from '../store/tables.ts';
import type { ChargerId } from './charger-id.ts';
import { storedIdentity } from './record.ts';

/** The security profiles of OCPP: a charger that must use 2 may also use 3. */
export const securityProfiles = [0, 1, 2, 3] as const;
/** One security profile. */
export type SecurityProfile = (typeof securityProfiles)[number];

/** Rules whose mode is another one for one charger. */
export const ruleModesMax = 32;
/** The name of a feeder, in characters. */
export const feederLengthMax = 64;
/** Notes about one charger, in characters. */
export const notesLengthMax = 1000;
/** A user name of HTTP Basic Authentication, in characters. */
export const basicUserLengthMax = 64;

/** What a charger gets of signed messages. */
export const signedMessageChoices = ['strip', 'keep'] as const;
/** One of them. */
export type SignedMessages = (typeof signedMessageChoices)[number];

/** Another mode for one rule and this charger. */
export interface RuleModeSetting {
  /** A rule's name; `rules` knows which there are. */
  readonly rule: string;
  readonly mode: 'off' | 'monitor' | 'enforce';
  /** Only for messages from this side; both when absent. */
  readonly from?: Peer | undefined;
}

/** What the operator has set for one charger. What is absent is not set. */
export interface ChargerSettings {
  /** The version to assume when the charger offers no subprotocol. */
  readonly assumeSubprotocol?: OcppVersion | undefined;
  /** Spell error codes as this version does, whatever was negotiated. */
  readonly spellErrorsAs?: OcppVersion | undefined;
  /** Seconds between pings; 0 for chargers that choke on pings. */
  readonly pingSeconds?: number | undefined;
  readonly vendor?: string | undefined;
  readonly model?: string | undefined;
  readonly firmware?: string | undefined;
  /** As the manufacturer's papers say, for people. */
  readonly serialNumber?: string | undefined;
  /** The user name that the charger sends with its password, when it is not its identity. */
  readonly basicUser?: string | undefined;
  /** The lowest security profile with which the charger may connect. */
  readonly requiredSecurityProfile?: SecurityProfile | undefined;
  /** The part of the grid that the charger hangs on. */
  readonly feeder?: string | undefined;
  /** What all its EVSEs together can take at most, in whole kW. */
  readonly ratedKw?: number | undefined;
  /** What it gets of signed messages: without the signature, or as they came. */
  readonly signedMessages?: SignedMessages | undefined;
  readonly notes?: string | undefined;
  /** Does the audit log get each message of this charger? */
  readonly recordsMessages?: boolean | undefined;
  /** Other modes of rules for this charger. Later ones win. */
  readonly ruleModes?: readonly RuleModeSetting[] | undefined;
}

/** What an operator changes: a value sets, null clears, and what is absent stays. */
export type SettingsChange = {
  readonly [Key in keyof ChargerSettings]: ChargerSettings[Key] | null;
};

/** Who put a charger into the registry. */
export const chargerOrigins = ['operator', 'enrolled', 'configured'] as const;
/**
 * - `operator`: somebody added it; it may connect.
 * - `enrolled`: it came by itself while `chargers.unknown` was `enroll`; it may connect.
 * - `configured`: it came, and the configuration file admitted it. It may connect as long as the
 *   configuration file says so.
 */
export type ChargerOrigin = (typeof chargerOrigins)[number];

/** What a charger said of itself in its last BootNotification. Nobody has verified it. */
export interface ReportedCharger {
  readonly vendor: string | undefined;
  readonly model: string | undefined;
  readonly serialNumber: string | undefined;
  readonly firmware: string | undefined;
}

/** One entry of the registry. */
export interface RegisteredCharger {
  readonly identity: ChargerId;
  readonly origin: ChargerOrigin;
  readonly settings: ChargerSettings;
  readonly reported: ReportedCharger;
  readonly createdAtMs: number;
  /** Undefined until it has connected. */
  readonly firstSeenAtMs: number | undefined;
  readonly lastSeenAtMs: number | undefined;
}

/** The entry in a row. Never throws: what a newer release wrote is read as far as it is known. */
export function chargerFromRow(row: RowOf<'charger'>): RegisteredCharger {
  return {
    identity: storedIdentity(row.identity),
    // An origin that nobody knows admits nobody.
    origin: chargerOrigins.find((origin) => origin === row.origin) ?? 'configured',
    settings: decodeSettings(row.settings),
    reported: {
      vendor: row.reported_vendor ?? undefined,
      model: row.reported_model ?? undefined,
      serialNumber: row.reported_serial ?? undefined,
      firmware: row.reported_firmware ?? undefined,
    },
    createdAtMs: row.created_ms,
    firstSeenAtMs: row.first_seen_ms ?? undefined,
    lastSeenAtMs: row.last_seen_ms ?? undefined,
  };
}

/**
 * The settings in a document. Members that are unknown or wrong count as not set, save for the one
 * that keeps somebody out: a required security profile that cannot be read is the strictest one.
 */
export function decodeSettings(document: string): ChargerSettings {
  const members = parseMembers(document);
  if (members === undefined) return unreadable;
  const settings: Record<string, unknown> = {};
  for (const [key, decode] of Object.entries(decoders)) {
    if (!Object.hasOwn(members, key)) continue;
    const value = decode(members[key]);
    if (value !== undefined) settings[key] = value;
  }
  return settings;
}

/**
 * The document after `change`. Members that this release does not know stay as they are: a newer
 * one wrote them, and may run again tomorrow.
 */
export function changedSettings(document: string, change: SettingsChange): string {
  const members: Record<string, unknown> = { ...(parseMembers(document) ?? unreadable) };
  for (const key of Object.keys(decoders) as (keyof ChargerSettings)[]) {
    const value = change[key];
    if (value === undefined) continue;
    if (value === null) delete members[key];
    else members[key] = value;
  }
  return JSON.stringify(members);
}

const strictestProfile: SecurityProfile = 3;

/** Nobody knows what the document demanded, so it demands the most. */
const unreadable: ChargerSettings = { requiredSecurityProfile: strictestProfile };

function parseMembers(document: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(document);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

type Decoders = {
  readonly [Key in keyof ChargerSettings]-?: (value: unknown) => ChargerSettings[Key];
};

const decoders: Decoders = {
  assumeSubprotocol: versionIn,
  spellErrorsAs: versionIn,
  pingSeconds: wholeNumber(0, 3600),
  vendor: textUpTo(128),
  model: textUpTo(128),
  firmware: textUpTo(128),
  serialNumber: textUpTo(128),
  basicUser: textUpTo(basicUserLengthMax),
  requiredSecurityProfile: (value) =>
    securityProfiles.find((profile) => profile === value) ?? strictestProfile,
  feeder: textUpTo(feederLengthMax),
  ratedKw: wholeNumber(1, 10_000),
  signedMessages: (value) => signedMessageChoices.find((choice) => choice === value),
  notes: textUpTo(notesLengthMax),
  recordsMessages: (value) => (typeof value === 'boolean' ? value : undefined),
  ruleModes: (value) => (Array.isArray(value) ? ruleModesIn(value) : undefined),
};

function versionIn(value: unknown): OcppVersion | undefined {
  return typeof value === 'string' && isOcppVersion(value) ? value : undefined;
}

function wholeNumber(min: number, max: number): (value: unknown) => number | undefined {
  return (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
      ? value
      : undefined;
}

function textUpTo(lengthMax: number): (value: unknown) => string | undefined {
  return (value) =>
    typeof value === 'string' && value !== '' && value.length <= lengthMax ? value : undefined;
}

function ruleModesIn(list: readonly unknown[]): readonly RuleModeSetting[] {
  return list.slice(0, ruleModesMax).flatMap((item) => {
    if (typeof item !== 'object' || item === null) return [];
    const { rule, mode, from } = item as { readonly [Key in keyof RuleModeSetting]?: unknown };
    if (typeof rule !== 'string' || rule === '' || rule.length > 64) return [];
    if (mode !== 'off' && mode !== 'monitor' && mode !== 'enforce') return [];
    if (from === undefined) return [{ rule, mode }];
    return from === 'charger' || from === 'csms' ? [{ rule, mode, from }] : [];
  });
}
