import type { RowOf } from '../store/tables.ts';
import { type SecurityProfile, securityProfiles } from './charger-entry.ts';

/**
 * Who made a password.
 *
 * - `operator`: set with the command line.
 * - `imported`: the manufacturer's, from a file.
 * - `provisioned`: made by the gateway, 20 random bytes.
 * - `csms`: set by the CSMS, and seen by the gateway.
 * - `first-use`: the first one that came (`credentials.firstUse: learn`).
 */
export const passwordOrigins = [
  'operator',
  'imported',
  'provisioned',
  'csms',
  'first-use',
] as const;
/** One such origin. */
export type PasswordOrigin = (typeof passwordOrigins)[number];

/** How a charger sends its password: the bytes, or their hexadecimal digits as text. */
export type PasswordForm = 'raw' | 'hex';

/** The password of a charger, as far as anybody keeps it. */
export interface StoredPassword {
  readonly hash: string;
  readonly origin: PasswordOrigin;
  readonly setAtMs: number;
  /** Undefined until the charger has come with it. */
  readonly form: PasswordForm | undefined;
}

/** A new password that the charger has not come with yet. */
export interface NextPassword {
  readonly hash: string;
  readonly origin: PasswordOrigin;
  /** `sent`: nobody knows whether the charger has it. `accepted`: it said so. */
  readonly state: 'sent' | 'accepted';
  readonly sinceMs: number;
}

/** A change of the security profile that has not been seen to succeed. */
export interface ProfileRaise {
  readonly to: SecurityProfile;
  readonly sinceMs: number;
  /** How often the charger has come with a lower one since. */
  readonly fallbacks: number;
}

/** What is known of how a charger authenticates itself. */
export interface ChargerCredential {
  /** 0 until it has used a higher one. */
  readonly usedProfile: SecurityProfile;
  readonly raise: ProfileRaise | undefined;
  readonly password: StoredPassword | undefined;
  readonly next: NextPassword | undefined;
  /** Has it had a password of its own, so that its batch's default does not hold any more? */
  readonly isDefaultRetired: boolean;
  readonly rotationRequestedAtMs: number | undefined;
  readonly rotationOutcome: { readonly outcome: string; readonly atMs: number } | undefined;
  /** Encrypted; see `identity/sealed-text.ts`. */
  readonly csmsPassword: string | undefined;
  /** Where it last authenticated itself from. */
  readonly lastAddress: string | undefined;
}

/** What is known of a charger without a row. */
export const noCredential: ChargerCredential = {
  usedProfile: 0,
  raise: undefined,
  password: undefined,
  next: undefined,
  isDefaultRetired: false,
  rotationRequestedAtMs: undefined,
  rotationOutcome: undefined,
  csmsPassword: undefined,
  lastAddress: undefined,
};

/** How a certificate is told to be a charger's. */
export const bindingKinds = ['common-name', 'serial-number', 'fingerprint'] as const;
/** One such way. */
export type BindingKind = (typeof bindingKinds)[number];

/** A certificate that belongs to a charger. */
export interface CertificateBinding {
  readonly kind: BindingKind;
  /**
   * The common name (CN) of its subject as it stands there; its serial number in lower-case
   * hexadecimal digits without leading zeros; or its SHA-256 in lower-case hexadecimal digits.
   */
  readonly value: string;
}

/**
 * The credential in a row. What cannot be read keeps the charger out rather than letting it in: an
 * unknown profile is the strictest one.
 */
export function credentialFromRow(row: RowOf<'charger_credential'> | undefined): ChargerCredential {
  if (row === undefined) return noCredential;
  const { candidate_profile: candidate, next_hash: nextHash, password_hash: hash } = row;
  return {
    usedProfile: profileIn(row.used_profile),
    raise:
      candidate === null
        ? undefined
        : {
            to: profileIn(candidate),
            sinceMs: row.candidate_since_ms ?? 0,
            fallbacks: row.fallbacks,
          },
    password:
      hash === null
        ? undefined
        : {
            hash,
            origin: originIn(row.password_origin),
            setAtMs: row.password_set_ms ?? 0,
            form:
              row.password_form === 'raw' || row.password_form === 'hex'
                ? row.password_form
                : undefined,
          },
    next:
      nextHash === null
        ? undefined
        : {
            hash: nextHash,
            origin: originIn(row.next_origin),
            state: row.next_state === 'accepted' ? 'accepted' : 'sent',
            sinceMs: row.next_since_ms ?? 0,
          },
    isDefaultRetired: row.default_retired_ms !== null,
    rotationRequestedAtMs: row.rotation_requested_ms ?? undefined,
    rotationOutcome:
      row.rotation_outcome === null
        ? undefined
        : { outcome: row.rotation_outcome, atMs: row.rotation_outcome_ms ?? 0 },
    csmsPassword: row.csms_password ?? undefined,
    lastAddress: row.last_address ?? undefined,
  };
}

function profileIn(value: number): SecurityProfile {
  return securityProfiles.find((profile) => profile === value) ?? 3;
}

function originIn(value: string | null): PasswordOrigin {
  return passwordOrigins.find((origin) => origin === value) ?? 'operator';
}
