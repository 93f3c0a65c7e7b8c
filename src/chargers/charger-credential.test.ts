import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RowOf } from '../store/tables.ts';
import { credentialFromRow, noCredential } from './charger-credential.ts';

// Goal: whatever stands in a row is read without harm, and never opens a door.
// Method: an empty row, a full one, then each column with what does not belong there.

const empty: RowOf<'charger_credential'> = {
  identity_key: 'cp-1',
  used_profile: 0,
  candidate_profile: null,
  candidate_since_ms: null,
  fallbacks: 0,
  password_hash: null,
  password_origin: null,
  password_set_ms: null,
  password_form: null,
  next_hash: null,
  next_origin: null,
  next_state: null,
  next_since_ms: null,
  default_retired_ms: null,
  rotation_requested_ms: null,
  rotation_outcome: null,
  rotation_outcome_ms: null,
  csms_password: null,
  last_address: null,
};
const full: RowOf<'charger_credential'> = {
  identity_key: 'cp-1',
  used_profile: 2,
  candidate_profile: 3,
  candidate_since_ms: 1,
  fallbacks: 4,
  password_hash: 'current',
  password_origin: 'csms',
  password_set_ms: 2,
  password_form: 'raw',
  next_hash: 'next',
  next_origin: 'provisioned',
  next_state: 'accepted',
  next_since_ms: 3,
  default_retired_ms: 4,
  rotation_requested_ms: 5,
  rotation_outcome: 'accepted',
  rotation_outcome_ms: 6,
  csms_password: 'sealed',
  last_address: '192.0.2.1',
};

describe('the credential in a row', () => {
  test('is none without a row, and in an empty one', () => {
    assert.deepEqual(credentialFromRow(undefined), noCredential);
    assert.deepEqual(credentialFromRow(empty), noCredential);
  });

  test('is read whole', () => {
    assert.deepEqual(credentialFromRow(full), {
      usedProfile: 2,
      raise: { to: 3, sinceMs: 1, fallbacks: 4 },
      password: { hash: 'current', origin: 'csms', setAtMs: 2, form: 'raw' },
      next: { hash: 'next', origin: 'provisioned', state: 'accepted', sinceMs: 3 },
      isDefaultRetired: true,
      rotationRequestedAtMs: 5,
      rotationOutcome: { outcome: 'accepted', atMs: 6 },
      csmsPassword: 'sealed',
      lastAddress: '192.0.2.1',
    });
  });

  test('with times of 0 is not an empty one', () => {
    const row = { ...empty, default_retired_ms: 0, rotation_requested_ms: 0 };
    const { isDefaultRetired, rotationRequestedAtMs } = credentialFromRow(row);
    assert.deepEqual([isDefaultRetired, rotationRequestedAtMs], [true, 0]);
  });

  for (const profile of [4, -1, 1.5, Number.NaN, 1e9]) {
    test(`demands the strictest profile where ${profile} stands`, () => {
      const row = { ...full, used_profile: profile, candidate_profile: profile };
      const { raise, usedProfile } = credentialFromRow(row);
      assert.deepEqual([usedProfile, raise?.to], [3, 3]);
    });
  }

  test('keeps a password whose origin, form, state or time it cannot read', () => {
    const row = {
      ...full,
      password_origin: 'future',
      password_set_ms: null,
      password_form: 'future',
      next_origin: null,
      next_state: 'future',
      next_since_ms: null,
    };
    const { next, password } = credentialFromRow(row);
    assert.deepEqual(password, {
      hash: 'current',
      origin: 'operator',
      setAtMs: 0,
      form: undefined,
    });
    // Nobody may take it for accepted.
    assert.deepEqual(next, { hash: 'next', origin: 'operator', state: 'sent', sinceMs: 0 });
  });

  test('has no password where only what belongs to one stands', () => {
    const row = { ...full, password_hash: null, next_hash: null, candidate_profile: null };
    const { next, password, raise } = credentialFromRow(row);
    assert.deepEqual([next, password, raise], [undefined, undefined, undefined]);
  });
});
