import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ChargerId } from '../chargers/charger-id.ts';
import { type ChargerRecord, type ChargerRecords, recordsFromList } from '../chargers/record.ts';
import { ocppVersions } from '../ocpp/version.ts';
import { type AdmissionPolicy, admitCharger } from './admission.ts';

// Goal: a charger connects with a version that both sides can keep, and under its one name.
// Method: one policy and its variations; each refusal beside what would have passed.

const id = (text: string): ChargerId => text as ChargerId;

interface TestPolicy extends AdmissionPolicy {
  readonly records: ChargerRecords;
}

function policy(
  records: readonly ChargerRecord[],
  changes: Partial<AdmissionPolicy> = {},
): TestPolicy {
  const base = { versions: ocppVersions } as const;
  return { ...base, records: recordsFromList(records), ...changes };
}

function admitted(identity: string, offered: readonly string[], by: TestPolicy) {
  const request = { unverifiedId: id(identity), offered };
  return admitCharger(request, by.records.find(id(identity)), by);
}

function outcome(identity: string, offered: readonly string[], by: TestPolicy): unknown {
  const result = admitted(identity, offered, by);
  return result.ok ? result.value.versions : result.error;
}

describe('admission: who', () => {
  test('a charger is admitted with its record, or without one', () => {
    const known = policy([{ id: 'CP-1', vendor: 'V' }]);
    const result = admitted('CP-1', ['ocpp1.6'], known);
    assert(result.ok);
    assert.equal(result.value.record?.vendor, 'V');
    const stranger = admitted('new', ['ocpp2.1'], known);
    assert(stranger.ok);
    assert.equal(stranger.value.record, undefined);
    assert.equal(stranger.value.id, 'new');
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
