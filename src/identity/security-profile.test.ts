import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ChargerCredential, noCredential } from '../chargers/charger-credential.ts';
import { type SecurityProfile, securityProfiles } from '../chargers/charger-entry.ts';
import { judgeProfile } from './security-profile.ts';

// Goal: a security profile is never lowered, and a raise leaves the old one until it has succeeded.
// Method: every profile against everything that may be known of a charger.

interface Known {
  readonly used?: SecurityProfile;
  readonly required?: SecurityProfile;
  readonly raiseTo?: SecurityProfile;
}

/** `allowed`, `too-low`, or the candidate that the charger falls back from. */
function verdict(profile: SecurityProfile, { raiseTo, required, used = 0 }: Known): unknown {
  const credential: ChargerCredential = {
    ...noCredential,
    usedProfile: used,
    raise: raiseTo === undefined ? undefined : { to: raiseTo, sinceMs: 1, fallbacks: 0 },
  };
  const record =
    required === undefined ? undefined : { id: 'CP', requiredSecurityProfile: required };
  const judged = judgeProfile(profile, record, credential);
  return judged.is === 'allowed' ? (judged.candidate ?? 'allowed') : judged.is;
}

describe('the ratchet of security profiles', () => {
  test('T2-05: a lower profile than was used is refused, whatever the operator demands', () => {
    for (const profile of securityProfiles) {
      for (const used of securityProfiles) {
        const expected = profile >= used ? 'allowed' : 'too-low';
        assert.equal(verdict(profile, { used }), expected);
        assert.equal(verdict(profile, { used, required: 0 }), expected);
      }
    }
  });

  test('a lower profile than the operator demands is refused, before it was ever used', () => {
    for (const profile of securityProfiles) {
      for (const required of securityProfiles) {
        const expected = profile >= required ? 'allowed' : 'too-low';
        assert.equal(verdict(profile, { required }), expected);
      }
    }
  });

  test('T2-05: while a raise is under way the old profile is a fallback, and nothing below it', () => {
    assert.equal(verdict(1, { used: 1, raiseTo: 2 }), 2);
    assert.equal(verdict(2, { used: 1, raiseTo: 2 }), 'allowed');
    assert.equal(verdict(3, { used: 1, raiseTo: 2 }), 'allowed');
    assert.equal(verdict(0, { used: 1, raiseTo: 2 }), 'too-low');
    assert.equal(verdict(2, { used: 1, raiseTo: 3 }), 3);
  });

  test('T2-05: a demand of the operator ends the window', () => {
    assert.equal(verdict(1, { used: 1, raiseTo: 2, required: 2 }), 'too-low');
  });
});
