import type { ExpressionBuilder, Transaction } from 'kysely';
import { invariant } from '../lib/assert.ts';
import { storableText } from '../store/storable-text.ts';
import type { Queries } from '../store/store.ts';
import type { RowOf, Tables } from '../store/tables.ts';
import { bindingKinds, type CertificateBinding } from './charger-credential.ts';
import { type ChargerId, identityKey } from './charger-id.ts';
import { lockRegistry, noteChange } from './registry-changes.ts';

/**
 * Which certificates belong to which charger. A charger may have several; a certificate belongs to
 * one charger, and the primary key of the table sees to that.
 *
 * All functions throw the database's error; `Store` turns it into a StoreError.
 */

/** What a binding may hold, in characters; a common name has 64 (RFC 5280, appendix A.1). */
const valueLengthMax = 256;
/** No certificate is bound by an empty text. */
const nothing: CertificateBinding = { kind: 'common-name', value: '' };

/** How an attempt to bind a certificate came out. */
export type BindOutcome =
  | { readonly is: 'bound' }
  /** To this charger. */
  | { readonly is: 'already' }
  /** By another charger, of this `identityKey`. */
  | { readonly is: 'taken'; readonly by: string };

/** The certificates of `id`, in the order of the database. */
export async function bindingsOf(
  db: Queries,
  id: ChargerId,
): Promise<readonly CertificateBinding[]> {
  const rows = await db
    .selectFrom('charger_certificate')
    .select(['kind', 'value'])
    .where('identity_key', '=', identityKey(id))
    .orderBy('kind')
    .orderBy('value')
    .execute();
  return rows.flatMap(bindingFromRow);
}

/** Makes a certificate the charger's, unless another charger has it. */
export async function bindCertificate(
  db: Transaction<Tables>,
  id: ChargerId,
  { kind, value }: CertificateBinding,
  nowMs: number,
): Promise<BindOutcome> {
  invariant(isStorable(value), 'the value of a certificate binding is bounded text');
  const key = identityKey(id);
  await lockRegistry(db);
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('charger_certificate')
    .values({ kind, value, identity_key: key, bound_ms: nowMs })
    .onConflict((conflict) => conflict.columns(['kind', 'value']).doNothing())
    .executeTakeFirstOrThrow();
  if ((numInsertedOrUpdatedRows ?? 0n) > 0n) {
    await noteChange(db, key, nowMs);
    return { is: 'bound' };
  }
  // Nobody else can have deleted it in between: whoever deletes holds the registry as well.
  const { identity_key: owner } = await db
    .selectFrom('charger_certificate')
    .select('identity_key')
    .where('kind', '=', kind)
    .where('value', '=', value)
    .executeTakeFirstOrThrow();
  return owner === key ? { is: 'already' } : { is: 'taken', by: owner };
}

/** Takes all certificates of the charger away from it. @returns those that it had. */
export async function unbindCertificates(
  db: Transaction<Tables>,
  id: ChargerId,
  nowMs: number,
): Promise<readonly CertificateBinding[]> {
  const key = identityKey(id);
  await lockRegistry(db);
  const bindings = await bindingsOf(db, id);
  const { numDeletedRows } = await db
    .deleteFrom('charger_certificate')
    .where('identity_key', '=', key)
    .executeTakeFirst();
  if (numDeletedRows > 0n) await noteChange(db, key, nowMs);
  return bindings;
}

/**
 * The chargers to which a certificate belongs, by any of the ways to tell: `identityKey`s, each
 * once. Asks the same of the database whether or not there is a certificate.
 *
 * @param candidates all that one certificate may be bound by.
 */
export async function ownersOf(
  db: Queries,
  candidates: readonly CertificateBinding[],
): Promise<readonly string[]> {
  const asked = askedOf(candidates);
  const rows = await db
    .selectFrom('charger_certificate')
    .select('identity_key')
    .distinct()
    .where((certificate) => isOneOf(certificate, asked))
    .orderBy('identity_key')
    .execute();
  return rows.map((row) => row.identity_key);
}

/** Whose certificates are whose, as far as one charger at the door is concerned. */
export interface CertificateBelongings {
  /** Of `ownersOf`. */
  readonly owners: readonly string[];
  /** Of `bindingsOf`. */
  readonly own: readonly CertificateBinding[];
}

/** Both `ownersOf(candidates)` and `bindingsOf(id)`, in one query. */
export async function belongingsOf(
  db: Queries,
  id: ChargerId,
  candidates: readonly CertificateBinding[],
): Promise<CertificateBelongings> {
  const key = identityKey(id);
  const asked = askedOf(candidates);
  const rows = await db
    .selectFrom('charger_certificate')
    .select(['kind', 'value', 'identity_key'])
    .where((certificate) =>
      certificate.or([certificate('identity_key', '=', key), isOneOf(certificate, asked)]),
    )
    .orderBy('kind')
    .orderBy('value')
    .execute();
  const isAsked = (row: { readonly kind: string; readonly value: string }): boolean =>
    asked.some(({ kind, value }) => kind === row.kind && value === row.value);
  const owners = new Set(rows.filter(isAsked).map((row) => row.identity_key));
  return {
    owners: [...owners].sort(),
    own: rows.filter((row) => row.identity_key === key).flatMap(bindingFromRow),
  };
}

/** As many for every certificate, and for none. */
function askedOf(candidates: readonly CertificateBinding[]): readonly CertificateBinding[] {
  const asked = candidates.map((candidate) => (isStorable(candidate.value) ? candidate : nothing));
  while (asked.length < bindingKinds.length) asked.push(nothing);
  return asked;
}

function isOneOf(
  certificate: ExpressionBuilder<Tables, 'charger_certificate'>,
  asked: readonly CertificateBinding[],
) {
  return certificate.or(
    asked.map(({ kind, value }) =>
      certificate.and([certificate('kind', '=', kind), certificate('value', '=', value)]),
    ),
  );
}

/** Can it stand in the table? */
function isStorable(value: string): boolean {
  return value !== '' && value === storableText(value, valueLengthMax);
}

/** Not those of a newer release, which this one cannot tell. */
function bindingFromRow({
  kind,
  value,
}: Pick<RowOf<'charger_certificate'>, 'kind' | 'value'>): readonly CertificateBinding[] {
  const known = bindingKinds.find((it) => it === kind);
  return known === undefined ? [] : [{ kind: known, value }];
}
