import { type Insertable, sql, type Transaction } from 'kysely';
import { BrokenInvariant } from '../lib/assert.ts';
import { storableText } from '../store/storable-text.ts';
import type { Queries } from '../store/store.ts';
import type { ChargerCredentialTable, RowOf, Tables } from '../store/tables.ts';
import {
  type ChargerCredential,
  credentialFromRow,
  type NextPassword,
  type PasswordForm,
  type PasswordOrigin,
} from './charger-credential.ts';
import { type SecurityProfile, securityProfiles } from './charger-entry.ts';
import { type ChargerId, identityKey } from './charger-id.ts';
import { lockRegistry, noteChange } from './registry-changes.ts';

/**
 * What the store keeps of how chargers authenticate themselves.
 *
 * What takes a `Transaction` is done by operators, or as they would do it: it ends with other
 * gateways being told. Whoever decides by what is there calls `lockRegistry` first, and reads after
 * that. Everything else is what gateways note while operators are at work. Each such note is one
 * statement, which names the hash that it expects where it needs one: a note that comes too late
 * changes nothing.
 *
 * All functions throw the database's error; `Store` turns it into a StoreError.
 */

/** A password by its hash, which is a PHC string; see `identity/password-hash.ts`. */
export interface HashedPassword {
  readonly hash: string;
  readonly origin: PasswordOrigin;
}

/** How a charger has authenticated itself. */
export interface Authentication {
  readonly profile: SecurityProfile;
  /** The address it came from. */
  readonly address: string;
  /** How it sent its password; undefined when it sent none. */
  readonly form?: PasswordForm | undefined;
}

/** An IPv6 address with its zone and its isolated network, in characters. Cut, it were another's. */
const addressLengthMax = 96;
/** How an attempt to rotate came out, in characters. */
const outcomeLengthMax = 128;
/**
 * A profile rises three times at most, so that one more attempt meets no other gateway. The rest is
 * for operators who remove the charger in between.
 */
const attemptsMax = 2 * securityProfiles.length;

/** What is known of `id`; a charger without a row has no credential. */
export async function findCredential(db: Queries, id: ChargerId): Promise<ChargerCredential> {
  return credentialFromRow(await rowOf(db, id));
}

/**
 * Gives the charger a password in place of the one it has. What was to follow that one is forgotten,
 * and its batch's default does not hold any more. The security profile that it has used stays.
 */
export async function setPassword(
  db: Transaction<Tables>,
  id: ChargerId,
  { hash, origin }: HashedPassword,
  nowMs: number,
): Promise<void> {
  const columns = {
    password_hash: hash,
    password_origin: origin,
    password_set_ms: nowMs,
    password_form: null,
    ...noNext,
    rotation_requested_ms: null,
  };
  await noteChange(db, identityKey(id), nowMs);
  await db
    .insertInto('charger_credential')
    .values({ ...emptyRow(id), ...columns, default_retired_ms: nowMs })
    .onConflict((conflict) =>
      conflict.column('identity_key').doUpdateSet({
        ...columns,
        default_retired_ms: sql`coalesce(
          charger_credential.default_retired_ms, excluded.default_retired_ms)`,
      }),
    )
    .execute();
}

/** What became of a new password that was to be noted. */
export type StagedPassword =
  /** `before`: the one that was sent earlier, which it replaces; `dropStaged` puts it back. */
  | { readonly is: 'staged'; readonly before: NextPassword | undefined }
  /** The charger has accepted another one and not come with it yet: nothing is changed. */
  | { readonly is: 'pending' }
  /** It is not known by what it was expected to be any more: nothing is changed. */
  | { readonly is: 'superseded' };

/** What a charger must be known by for a new password to be noted. */
export type ExpectedPassword =
  /** By the password of this hash. */
  | { readonly hash: string }
  /** By none, and its batch's default holds. */
  | 'default'
  /** It has not shown a password. */
  | 'any';

/**
 * How long a password that was accepted is waited for, in milliseconds. A charger that needs a reboot
 * may come with it much later, and would be locked out by another one.
 */
const acceptedMs = 7 * 86_400_000;

/**
 * Notes a new password before it is sent to the charger. It replaces one that was only sent.
 *
 * @param expected what the charger has connected with. An operator may have said something else
 *   meanwhile, and that holds.
 */
export async function stagePassword(
  db: Transaction<Tables>,
  id: ChargerId,
  { hash, origin }: HashedPassword,
  expected: ExpectedPassword,
  nowMs: number,
): Promise<StagedPassword> {
  await lockRegistry(db);
  const current = await findCredential(db, id);
  if (!isExpected(current, expected)) return { is: 'superseded' };
  const { next } = current;
  if (next?.state === 'accepted' && nowMs - next.sinceMs < acceptedMs) return { is: 'pending' };
  await upsert(db, id, {
    next_hash: hash,
    next_origin: origin,
    next_state: 'sent',
    next_since_ms: nowMs,
  });
  return { is: 'staged', before: next };
}

function isExpected(
  { isDefaultRetired, password }: ChargerCredential,
  expected: ExpectedPassword,
): boolean {
  if (expected === 'any') return true;
  if (expected === 'default') return password === undefined && !isDefaultRetired;
  return password?.hash === expected.hash;
}

/**
 * Notes that the charger has accepted the new password: what was asked for is done.
 *
 * @returns false when that is not the one of `hash` any more; then nothing is changed.
 */
export async function acceptStaged(
  db: Queries,
  id: ChargerId,
  hash: string,
  nowMs: number,
): Promise<boolean> {
  const { numUpdatedRows } = await staged(db, id, hash)
    .set({
      next_state: 'accepted',
      ...outcomeAt('accepted', nowMs),
      rotation_requested_ms: null,
    })
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/**
 * Forgets the new password, and that one was asked for. What the charger has holds on.
 *
 * @param outcome why, for the operator.
 * @param before what `stagePassword` returned.
 * @returns false when the new password is not the one of `hash` any more; then nothing is changed.
 */
export async function dropStaged(
  db: Queries,
  id: ChargerId,
  hash: string,
  { before, outcome }: { readonly outcome: string; readonly before?: NextPassword | undefined },
  nowMs: number,
): Promise<boolean> {
  const next =
    before === undefined
      ? noNext
      : {
          next_hash: before.hash,
          next_origin: before.origin,
          next_state: before.state,
          next_since_ms: before.sinceMs,
        };
  const { numUpdatedRows } = await staged(db, id, hash)
    .set({ ...next, ...outcomeAt(outcome, nowMs), rotation_requested_ms: null })
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/**
 * Puts the new password, with which the charger has come, in place of the one it had.
 *
 * The form stays as it is: `noteAuthenticated` notes it for the same connection, before or after.
 *
 * @returns false when the new password is not the one of `hash` any more; then nothing is changed.
 */
export async function promoteStaged(
  db: Queries,
  id: ChargerId,
  hash: string,
  nowMs: number,
): Promise<boolean> {
  const { numUpdatedRows } = await staged(db, id, hash)
    .set(({ fn, ref }) => ({
      ...noNext,
      ...outcomeAt('confirmed', nowMs),
      rotation_requested_ms: null,
      password_hash: ref('next_hash'),
      password_origin: ref('next_origin'),
      password_set_ms: nowMs,
      default_retired_ms: fn.coalesce('default_retired_ms', sql<number>`cast(${nowMs} as bigint)`),
    }))
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Notes how the attempt to give the charger a new password came out, and that it is over. */
export async function noteRotationOutcome(
  db: Queries,
  id: ChargerId,
  outcome: string,
  nowMs: number,
): Promise<void> {
  // Not for a charger that was removed meanwhile.
  await db
    .updateTable('charger_credential')
    .set({ ...outcomeAt(outcome, nowMs), rotation_requested_ms: null })
    .where('identity_key', '=', identityKey(id))
    .execute();
}

/**
 * Notes that the charger has authenticated itself. The profile that it has used never falls, and a
 * raise that has reached its aim is over. Writes only if something is different from what is there.
 *
 * @returns the profile that it had used before. Of gateways that raise it at once, each is told
 *   what it raised it from.
 */
export async function noteAuthenticated(
  db: Queries,
  id: ChargerId,
  { profile, address, form }: Authentication,
): Promise<SecurityProfile> {
  const columns = {
    last_address: storableText(address, addressLengthMax),
    ...(form === undefined ? {} : { password_form: form }),
  };
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const row = await rowOf(db, id);
    const before = credentialFromRow(row).usedProfile;
    if (row !== undefined && isNoted(row, profile, columns)) return before;
    const usedBefore = row?.used_profile ?? 0;
    const isOpen = sql<boolean>`
      charger_credential.candidate_profile > cast(${profile} as bigint)`;
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('charger_credential')
      .values({ ...emptyRow(id), ...columns, used_profile: profile })
      .onConflict((conflict) =>
        conflict
          .column('identity_key')
          .doUpdateSet({
            ...columns,
            used_profile: Math.max(usedBefore, profile),
            candidate_profile: sql`
              case when ${isOpen} then charger_credential.candidate_profile end`,
            candidate_since_ms: sql`
              case when ${isOpen} then charger_credential.candidate_since_ms end`,
            fallbacks: sql`case when ${isOpen} then charger_credential.fallbacks else 0 end`,
          })
          // Another gateway may have raised it since it was read.
          .where('charger_credential.used_profile', '=', usedBefore),
      )
      .executeTakeFirstOrThrow();
    if ((numInsertedOrUpdatedRows ?? 0n) > 0n) return before;
  }
  throw new BrokenInvariant('a used security profile does not rise for ever');
}

/** Asks the gateway that has the charger, or will have it, to give it a new password. */
export async function requestRotation(
  db: Transaction<Tables>,
  id: ChargerId,
  nowMs: number,
): Promise<void> {
  await noteChange(db, identityKey(id), nowMs);
  await upsert(db, id, { rotation_requested_ms: nowMs });
}

/**
 * Sets or clears the password towards the CSMS.
 *
 * @param sealed encrypted; see `identity/sealed-text.ts`.
 */
export async function setCsmsPassword(
  db: Transaction<Tables>,
  id: ChargerId,
  sealed: string | null,
  nowMs: number,
): Promise<void> {
  await noteChange(db, identityKey(id), nowMs);
  await upsert(db, id, { csms_password: sealed });
}

type Columns = Partial<Omit<ChargerCredentialTable, 'identity_key' | 'used_profile'>>;

/** Nothing follows the password. */
export const noNext = { next_hash: null, next_origin: null, next_state: null, next_since_ms: null };

function outcomeAt(
  outcome: string,
  nowMs: number,
): { readonly rotation_outcome: string; readonly rotation_outcome_ms: number } {
  return {
    rotation_outcome: storableText(outcome, outcomeLengthMax),
    rotation_outcome_ms: nowMs,
  };
}

/** A row that says nothing. */
export function emptyRow(id: ChargerId): Insertable<ChargerCredentialTable> {
  return { identity_key: identityKey(id), used_profile: 0, fallbacks: 0 };
}

function rowOf(db: Queries, id: ChargerId): Promise<RowOf<'charger_credential'> | undefined> {
  return db
    .selectFrom('charger_credential')
    .selectAll()
    .where('identity_key', '=', identityKey(id))
    .executeTakeFirst();
}

async function upsert(db: Queries, id: ChargerId, columns: Columns): Promise<void> {
  await db
    .insertInto('charger_credential')
    .values({ ...emptyRow(id), ...columns })
    .onConflict((conflict) => conflict.column('identity_key').doUpdateSet(columns))
    .execute();
}

/** An update of a row whose new password is the one of `hash`; of no row when it is another. */
function staged(db: Queries, id: ChargerId, hash: string) {
  return db
    .updateTable('charger_credential')
    .where('identity_key', '=', identityKey(id))
    .where('next_hash', '=', hash);
}

/** Does everything that is to be noted stand there already? */
function isNoted(
  row: RowOf<'charger_credential'>,
  profile: SecurityProfile,
  { last_address: address, password_form: form }: Columns,
): boolean {
  return (
    row.used_profile >= profile &&
    (row.candidate_profile === null || row.candidate_profile > profile) &&
    row.last_address === address &&
    (form === undefined || row.password_form === form)
  );
}
