import type { ChargerId } from '../chargers/charger-id.ts';
import {
  acceptStaged,
  dropStaged,
  type ExpectedPassword,
  noteRotationOutcome,
  type StagedPassword,
  stagePassword,
} from '../chargers/credentials.ts';
import type { EventSink } from '../events/emit.ts';
import { hashGeneratedKey } from '../identity/password-hash.ts';
import { secretBytes } from '../lib/random.ts';
import { passwordChangeCall, passwordChangeOutcome } from '../ocpp/credential-changes.ts';
import type { JsonObject } from '../ocpp/message.ts';
import type { OcppVersion } from '../ocpp/version.ts';
import type { Store } from '../store/store.ts';
import { isStoreError } from '../store/store-error.ts';
import type { OwnReply } from './own-calls.ts';

/** What a change of a password needs. */
export interface PasswordChangeTools {
  readonly store: Store;
  readonly emit: EventSink;
  /** Calls the charger; the answer stays here. */
  call(action: string, payload: JsonObject): Promise<OwnReply>;
}

/** What became of it; `unavailable`: the store is away, and nothing was sent. */
export type PasswordChangeResult =
  | 'accepted'
  /** Accepted, but it does not hold before the charger has booted. */
  | 'reboot-required'
  /** An earlier one was accepted, and the charger has not come with it yet. */
  | 'pending'
  /** Somebody has said what its password is, or took the default away. */
  | 'superseded'
  | 'rejected'
  | 'not-supported'
  | 'unanswered'
  /** It never left the gateway. */
  | 'unsent'
  | 'not-over-tls'
  | 'no-password'
  | 'unavailable';

/** Of a key, in bytes: the longest that OCPP 1.6 allows. */
const keyBytes = 20;

/**
 * Gives a charger a password of its own.
 *
 * The new one is noted before it is sent, and the old one holds until the charger has come with the
 * new one: whatever fails in between, it can always come back. Nobody ever learns the new one but
 * the charger; what is kept is its hash.
 *
 * Source: OCPP 2.0.1 part 2, A01; "Improved security for OCPP 1.6-J" edition 3, A01.
 */
export async function changePassword(
  charger: ChargerId,
  version: OcppVersion,
  expected: ExpectedPassword,
  { call, emit, store }: PasswordChangeTools,
): Promise<PasswordChangeResult> {
  const key = secretBytes(keyBytes);
  const hash = hashGeneratedKey(key);
  const request = passwordChangeCall(version, key);
  let staged: StagedPassword;
  try {
    staged = await store.transactDurably((db) =>
      stagePassword(db, charger, { hash, origin: 'provisioned' }, expected, store.nowMs()),
    );
  } catch (error) {
    return unavailable(charger, error, emit);
  }
  if (staged.is !== 'staged') return declineChange(charger, staged.is, { emit, store });
  const { before } = staged;
  emit({ name: 'PasswordChangeSent', charger, by: 'gateway' });
  const result = resultOf(version, await call(request.action, request.payload));
  const isAccepted = result === 'accepted' || result === 'reboot-required';
  if (isAccepted) emit({ name: 'PasswordChangeAccepted', charger, by: 'gateway' });
  else emit({ name: 'PasswordChangeFailed', charger, by: 'gateway', outcome: result });
  try {
    const nowMs = store.nowMs();
    await store.query<unknown>((db) => {
      if (isAccepted) return acceptStaged(db, charger, hash, nowMs);
      // It may have taken the new one all the same: both hold.
      if (result === 'unanswered') return noteRotationOutcome(db, charger, result, nowMs);
      return dropStaged(db, charger, hash, { outcome: result, before }, nowMs);
    });
  } catch (error) {
    // Both hold, and the next connection shows which one the charger has.
    if (!isStoreError(error)) throw error;
  }
  return result;
}

/** Says that a charger cannot be given a password here, and why. */
export async function declineChange(
  charger: ChargerId,
  outcome: 'not-over-tls' | 'no-password' | 'pending' | 'superseded',
  { emit, store }: Pick<PasswordChangeTools, 'emit' | 'store'>,
): Promise<PasswordChangeResult> {
  emit({ name: 'PasswordChangeFailed', charger, by: 'gateway', outcome });
  try {
    await store.query((db) => noteRotationOutcome(db, charger, outcome, store.nowMs()));
  } catch (error) {
    return unavailable(charger, error, emit);
  }
  return outcome;
}

function unavailable(charger: ChargerId, error: unknown, emit: EventSink): PasswordChangeResult {
  if (!isStoreError(error)) throw error;
  emit({ name: 'PasswordChangeFailed', charger, by: 'gateway', outcome: 'unavailable' });
  return 'unavailable';
}

function resultOf(
  version: OcppVersion,
  reply: OwnReply,
): 'accepted' | 'reboot-required' | 'rejected' | 'not-supported' | 'unanswered' | 'unsent' {
  switch (reply.is) {
    case 'unanswered':
    case 'unsent':
      return reply.is;
    case 'error':
      return /^Not(?:Implemented|Supported)$/.test(reply.errorCode) ? 'not-supported' : 'rejected';
    case 'result': {
      const outcome = passwordChangeOutcome(version, reply.payload, 0);
      return outcome === 'unclear' ? 'unanswered' : outcome;
    }
  }
}
