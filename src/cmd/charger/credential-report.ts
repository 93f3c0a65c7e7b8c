import { bindingsOf } from '../../chargers/certificate-bindings.ts';
import {
  type CertificateBinding,
  type ChargerCredential,
  credentialFromRow,
  noCredential,
  type PasswordForm,
  type PasswordOrigin,
} from '../../chargers/charger-credential.ts';
import type { ChargerSettings } from '../../chargers/charger-entry.ts';
import { type ChargerId, identityKey } from '../../chargers/charger-id.ts';
import { findCredential } from '../../chargers/credentials.ts';
import type { Queries } from '../../store/store.ts';
import { timeOf } from './json-text.ts';

/** How a charger authenticates itself, as --json has it. No hash is in it. */
export interface CredentialReport {
  readonly securityProfile: {
    /** The highest with which it has connected. */
    readonly used: number;
    /** A lower one is refused. */
    readonly required: number;
    /** Null when no raise is under way. */
    readonly raise: {
      readonly to: number;
      readonly since: string | null;
      readonly fallbacks: number;
    } | null;
  };
  /** Null when it has none of its own. */
  readonly password: {
    readonly origin: PasswordOrigin;
    readonly setAt: string | null;
    readonly ageDays: number;
    /** Null until it has come with it. */
    readonly form: PasswordForm | null;
  } | null;
  /** A new one that it has not come with yet. */
  readonly nextPassword: {
    readonly origin: PasswordOrigin;
    readonly state: 'sent' | 'accepted';
    readonly since: string | null;
  } | null;
  readonly rotation: {
    readonly requestedAt: string | null;
    readonly outcome: string | null;
    readonly outcomeAt: string | null;
  };
  /** Does the default password of its batch not hold for it any more? */
  readonly isDefaultRetired: boolean;
  readonly certificates: readonly CertificateBinding[];
  readonly hasCsmsPassword: boolean;
  readonly lastAddress: string | null;
}

const dayMs = 86_400_000;

/** The report on one credential. */
export function credentialReport(
  credential: ChargerCredential,
  certificates: readonly CertificateBinding[],
  settings: ChargerSettings,
  nowMs: number,
): CredentialReport {
  const { next, password, raise, rotationOutcome, usedProfile } = credential;
  return {
    securityProfile: {
      used: usedProfile,
      required: Math.max(usedProfile, settings.requiredSecurityProfile ?? 0),
      raise:
        raise === undefined
          ? null
          : { to: raise.to, since: timeOf(raise.sinceMs), fallbacks: raise.fallbacks },
    },
    password:
      password === undefined
        ? null
        : {
            origin: password.origin,
            setAt: timeOf(password.setAtMs),
            ageDays: Math.max(0, Math.floor((nowMs - password.setAtMs) / dayMs)),
            form: password.form ?? null,
          },
    nextPassword:
      next === undefined
        ? null
        : { origin: next.origin, state: next.state, since: timeOf(next.sinceMs) },
    rotation: {
      requestedAt: timeOf(credential.rotationRequestedAtMs),
      outcome: rotationOutcome?.outcome ?? null,
      outcomeAt: timeOf(rotationOutcome?.atMs),
    },
    isDefaultRetired: credential.isDefaultRetired,
    certificates,
    hasCsmsPassword: credential.csmsPassword !== undefined,
    lastAddress: credential.lastAddress ?? null,
  };
}

/** Chargers that one query asks for: a statement may have 32 766 parameters in SQLite. */
const idsPerQuery = 1000;

/** The credentials of some chargers, in their order. */
export async function credentialsOf(
  db: Queries,
  ids: readonly ChargerId[],
): Promise<readonly ChargerCredential[]> {
  const found = new Map<string, ChargerCredential>();
  for (let at = 0; at < ids.length; at += idsPerQuery) {
    const rows = await db
      .selectFrom('charger_credential')
      .selectAll()
      .where('identity_key', 'in', ids.slice(at, at + idsPerQuery).map(identityKey))
      .execute();
    for (const row of rows) found.set(row.identity_key, credentialFromRow(row));
  }
  return ids.map((id) => found.get(identityKey(id)) ?? noCredential);
}

/** Which of some chargers have certificates, by identity key. */
export async function certificateHoldersOf(
  db: Queries,
  ids: readonly ChargerId[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await db
    .selectFrom('charger_certificate')
    .select('identity_key')
    .distinct()
    .where('identity_key', 'in', ids.map(identityKey))
    .execute();
  return new Set(rows.map((row) => row.identity_key));
}

/** The report on the credential of one charger. */
export async function readCredentialReport(
  db: Queries,
  id: ChargerId,
  settings: ChargerSettings,
  nowMs: number,
): Promise<CredentialReport> {
  const certificates = await bindingsOf(db, id);
  return credentialReport(await findCredential(db, id), certificates, settings, nowMs);
}
