import { type Insertable, sql, type Transaction } from 'kysely';
import type { Queries } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';
import {
  type CertificateBinding,
  type ChargerCredential,
  credentialFromRow,
} from './charger-credential.ts';
import {
  changedSettings,
  chargerFromRow,
  type RegisteredCharger,
  type SettingsChange,
} from './charger-entry.ts';
import { type ChargerId, identityKey } from './charger-id.ts';
import { emptyRow } from './credentials.ts';
import { noteChange } from './registry-changes.ts';

/**
 * Many chargers at once: what `addCharger`, `setPassword` and `bindCertificate` do for one, in few
 * statements. While they run, an SQLite database takes no writes of the gateway.
 */

/** One charger of a file. */
export interface ImportedCharger {
  readonly id: ChargerId;
  readonly settings: SettingsChange;
  /** Of its password, which the manufacturer has made; see `identity/password-hash.ts`. */
  readonly passwordHash?: string | undefined;
  /** Its password towards the CSMS, encrypted; see `identity/sealed-text.ts`. */
  readonly csmsPassword?: string | undefined;
  readonly binding?: CertificateBinding | undefined;
}

/** What the store has of a charger that is to be imported. */
export interface KnownBefore {
  readonly entry: RegisteredCharger | undefined;
  /** The document of its settings, as it stands. */
  readonly settings: string;
  readonly credential: ChargerCredential;
  /** The `identityKey` of another charger that has its certificate; undefined when none has. */
  readonly certificateOwner: string | undefined;
}

/** Chargers that one query asks for, and rows that one statement writes. */
const rowsPerStatement = 256;

/** What the store has of `chargers`, in their order. */
export async function knownBefore(
  db: Queries,
  chargers: readonly Pick<ImportedCharger, 'id' | 'binding'>[],
): Promise<readonly KnownBefore[]> {
  const known: KnownBefore[] = [];
  for (const some of portions(chargers)) {
    const keys = some.map(({ id }) => identityKey(id));
    const entries = await db
      .selectFrom('charger')
      .selectAll()
      .where('identity_key', 'in', keys)
      .execute();
    const credentials = await db
      .selectFrom('charger_credential')
      .selectAll()
      .where('identity_key', 'in', keys)
      .execute();
    const owners = await certificateOwners(
      db,
      some.flatMap(({ binding }) => (binding === undefined ? [] : [binding])),
    );
    const entryOf = new Map(entries.map((row) => [row.identity_key, row]));
    const credentialOf = new Map(credentials.map((row) => [row.identity_key, row]));
    for (const { id, binding } of some) {
      const row = entryOf.get(identityKey(id));
      const owner = binding && owners.get(bindingKey(binding));
      known.push({
        entry: row && chargerFromRow(row),
        settings: row?.settings ?? '{}',
        credential: credentialFromRow(credentialOf.get(identityKey(id))),
        certificateOwner: owner === identityKey(id) ? undefined : owner,
      });
    }
  }
  return known;
}

/** A text that is the same for equal bindings only. */
export function bindingKey({ kind, value }: CertificateBinding): string {
  return `${kind} ${value}`;
}

/**
 * Writes `chargers` into the registry, on top of what is there. The caller has called
 * `lockRegistry`, and then `knownBefore`: no charger is there twice, and no certificate is another
 * charger's.
 */
export async function importChargers(
  db: Transaction<Tables>,
  chargers: readonly ImportedCharger[],
  before: readonly KnownBefore[],
  nowMs: number,
): Promise<void> {
  for (const { id } of chargers) await noteChange(db, identityKey(id), nowMs);
  const entries = chargers.map(({ id, settings }, index) => ({
    identity_key: identityKey(id),
    identity: id,
    origin: 'operator',
    settings: changedSettings(before[index]?.settings ?? '{}', settings),
    created_ms: nowMs,
  }));
  for (const rows of portions(entries)) await writeEntries(db, rows);
  const passwords = chargers.flatMap(({ id, passwordHash }) =>
    passwordHash === undefined ? [] : [passwordRow(id, passwordHash, nowMs)],
  );
  for (const rows of portions(passwords)) await writePasswords(db, rows);
  const csmsPasswords = chargers.flatMap(({ id, csmsPassword }) =>
    csmsPassword === undefined ? [] : [{ ...emptyRow(id), csms_password: csmsPassword }],
  );
  for (const rows of portions(csmsPasswords)) {
    await db
      .insertInto('charger_credential')
      .values(rows)
      .onConflict((conflict) =>
        conflict
          .column('identity_key')
          .doUpdateSet({ csms_password: ({ ref }) => ref('excluded.csms_password') }),
      )
      .execute();
  }
  const bindings = chargers.flatMap(({ id, binding }) =>
    binding === undefined ? [] : [{ ...binding, identity_key: identityKey(id), bound_ms: nowMs }],
  );
  for (const rows of portions(bindings)) {
    await db
      .insertInto('charger_certificate')
      .values(rows)
      // It can only be there as this charger's own.
      .onConflict((conflict) => conflict.columns(['kind', 'value']).doNothing())
      .execute();
  }
}

async function certificateOwners(
  db: Queries,
  bindings: readonly CertificateBinding[],
): Promise<ReadonlyMap<string, string>> {
  if (bindings.length === 0) return new Map();
  const rows = await db
    .selectFrom('charger_certificate')
    .selectAll()
    .where(
      'value',
      'in',
      bindings.map(({ value }) => value),
    )
    .execute();
  return new Map(rows.map(({ kind, value, identity_key }) => [`${kind} ${value}`, identity_key]));
}

async function writeEntries(
  db: Transaction<Tables>,
  rows: readonly Insertable<Tables['charger']>[],
): Promise<void> {
  await db
    .insertInto('charger')
    .values(rows)
    // A gateway may have noted or enrolled one of them meanwhile.
    .onConflict((conflict) =>
      conflict.column('identity_key').doUpdateSet({
        identity: ({ ref }) => ref('excluded.identity'),
        origin: ({ ref }) => ref('excluded.origin'),
        settings: ({ ref }) => ref('excluded.settings'),
      }),
    )
    .execute();
}

type CredentialRow = Insertable<Tables['charger_credential']>;

function passwordRow(id: ChargerId, hash: string, nowMs: number): CredentialRow {
  return {
    ...emptyRow(id),
    password_hash: hash,
    password_origin: 'imported',
    password_set_ms: nowMs,
    default_retired_ms: nowMs,
  };
}

/** As `setPassword` does: what was to follow the old one is forgotten. */
async function writePasswords(
  db: Transaction<Tables>,
  rows: readonly CredentialRow[],
): Promise<void> {
  await db
    .insertInto('charger_credential')
    .values(rows)
    .onConflict((conflict) =>
      conflict.column('identity_key').doUpdateSet({
        password_hash: ({ ref }) => ref('excluded.password_hash'),
        password_origin: ({ ref }) => ref('excluded.password_origin'),
        password_set_ms: ({ ref }) => ref('excluded.password_set_ms'),
        password_form: null,
        next_hash: null,
        next_origin: null,
        next_state: null,
        next_since_ms: null,
        rotation_requested_ms: null,
        default_retired_ms: sql`coalesce(
          charger_credential.default_retired_ms, excluded.default_retired_ms)`,
      }),
    )
    .execute();
}

function* portions<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += rowsPerStatement)
    yield all.slice(at, at + rowsPerStatement);
}
