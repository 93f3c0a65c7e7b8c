import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ChargerId } from '../chargers/charger-id.ts';
import { type ChargerRecord, type ChargerRecords, recordsFromList } from '../chargers/record.ts';
import { ocppVersions } from '../ocpp/version.ts';
import { type AdmissionPolicy, admitCharger } from './admission.ts';

// Goal: only who may connect does, with a version that both sides can keep.
// Method: one policy and its variations; each refusal beside what would have passed.

const id = (text: string): ChargerId => text as ChargerId;

interface TestPolicy extends AdmissionPolicy {
  readonly records: ChargerRecords;
}

function policy(
  records: readonly ChargerRecord[],
  changes: Partial<AdmissionPolicy> = {},
): TestPolicy {
  const base = { unknown: 'reject', versions: ocppVersions } as const;
  return { ...base, records: recordsFromList(records), ...changes };
}

function admitted(
  identity: string,
  offered: readonly string[],
  by: TestPolicy,
  securityProfile = 0,
) {
  const request = { unverifiedId: id(identity), offered, securityProfile };
  return admitCharger(request, by.records.find(id(identity)), by);
}

function outcome(
  identity: string,
  offered: readonly string[],
  by: TestPolicy,
  securityProfile = 0,
): unknown {
  const result = admitted(identity, offered, by, securityProfile);
  return result.ok ? result.value.versions : result.error;
}

describe('admission: who', () => {
  test('a charger with a record is admitted, a stranger is not', () => {
    const known = policy([{ id: 'CP-1' }, { id: 'DEPOT-*' }]);
    assert.deepEqual(outcome('CP-1', ['ocpp1.6'], known), ['ocpp1.6']);
    assert.deepEqual(outcome('DEPOT-9', ['ocpp1.6'], known), ['ocpp1.6']);
    assert.equal(outcome('CP-2', ['ocpp1.6'], known), 'IDENTITY_UNKNOWN');
  });

  test('with enroll, a stranger is admitted without a record', () => {
    const result = admitted('new', ['ocpp2.1'], policy([], { unknown: 'enroll' }));
    assert(result.ok);
    assert.equal(result.value.record, undefined);
    assert.equal(result.value.id, 'new');
  });

  test('a stranger learns nothing about versions', () => {
    for (const offered of [[], ['ocpp0.1'], ['ocpp1.6']]) {
      assert.equal(outcome('CP-2', offered, policy([])), 'IDENTITY_UNKNOWN');
    }
  });

  test('C8: the identity is spelled as the record spells it', () => {
    const result = admitted('cp-1', ['ocpp1.6'], policy([{ id: 'CP-1' }]));
    assert(result.ok);
    assert.equal(result.value.id, 'CP-1');
  });
});

describe('admission: versions (T2-31)', () => {
  const known = policy([{ id: 'CP-1' }]);

  test('what both know, in the order of the charger', () => {
    const offered = ['ocpp2.1', 'ocpp0.1', 'ocpp1.6', 'ocpp2.0.1'];
    assert.deepEqual(outcome('CP-1', offered, known), ['ocpp2.1', 'ocpp1.6', 'ocpp2.0.1']);
  });

  test('a version twice counts once', () => {
    assert.deepEqual(outcome('CP-1', ['ocpp1.6', 'ocpp1.6'], known), ['ocpp1.6']);
  });

  test('a version that the operator does not let through is not in common', () => {
    const narrow = policy([{ id: 'CP-1' }], { versions: ['ocpp2.0.1'] });
    assert.equal(outcome('CP-1', ['ocpp1.6'], narrow), 'SUBPROTOCOL_NONE_IN_COMMON');
    assert.deepEqual(outcome('CP-1', ['ocpp1.6', 'ocpp2.0.1'], narrow), ['ocpp2.0.1']);
  });

  test('unknown, misspelled and similar names are not in common', () => {
    for (const offered of ['ocpp0.1', 'OCPP1.6', 'ocpp1.6 ', 'ocpp2.0', '__proto__', '']) {
      assert.equal(outcome('CP-1', [offered], known), 'SUBPROTOCOL_NONE_IN_COMMON', offered);
    }
  });

  test('C1: no subprotocol is refused, unless the record assumes one', () => {
    assert.equal(outcome('CP-1', [], known), 'SUBPROTOCOL_MISSING');
    const result = admitted('CP-1', [], policy([{ id: 'CP-1', assumeSubprotocol: 'ocpp1.6' }]));
    assert(result.ok);
    assert.deepEqual(result.value.versions, ['ocpp1.6']);
    assert.equal(result.value.offeredSubprotocol, false);
  });

  test('C1: the assumed version is no reason to ignore what was offered', () => {
    const assuming = policy([{ id: 'CP-1', assumeSubprotocol: 'ocpp1.6' }]);
    assert.equal(outcome('CP-1', ['ocpp0.1'], assuming), 'SUBPROTOCOL_NONE_IN_COMMON');
    assert.deepEqual(outcome('CP-1', ['ocpp2.1'], assuming), ['ocpp2.1']);
  });

  test('an assumed version must be one that is let through', () => {
    const assuming = policy([{ id: 'CP-1', assumeSubprotocol: 'ocpp1.6' }], {
      versions: ['ocpp2.1'],
    });
    assert.equal(outcome('CP-1', [], assuming), 'SUBPROTOCOL_NONE_IN_COMMON');
  });
});
