import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadActions } from '../ocpp/load-actions.ts';
import { schemaErrors } from '../ocpp/schemas.ts';
import { ocppVersions } from '../ocpp/version.ts';
import { earlyAnswer, isAnswerable, isAsTold } from './early-answer.ts';

// Goal: what the gateway says for a charger is what a charger could have said; and it says nothing
// where nobody can know.
// Method: all actions that change load, in all versions, and their answers against the schemas.

const answerable = ocppVersions.flatMap((version) =>
  Object.entries(loadActions[version])
    .filter(([action, loadClass]) => isAnswerable(loadClass, action))
    .map(([action, loadClass]) => ({ version, action, loadClass })),
);

describe('an answer in the name of a charger', () => {
  for (const { action, version } of answerable) {
    test(`${version}: that to ${action} is as its schema has it, and counts as done`, () => {
      const payloads = [
        {},
        { type: 'Inoperative', operationalStatus: 'Inoperative' },
        { type: 'Operative', operationalStatus: 'Operative' },
        { type: 7, operationalStatus: null },
      ];
      for (const payload of payloads) {
        const answer = earlyAnswer(version, action, payload);
        assert.deepEqual(schemaErrors(version, action, 'response', answer), []);
        assert.ok(isAsTold(answer));
      }
    });
  }

  test('says "later" where OCPP has a word for it', () => {
    const off16 = { connectorId: 0, type: 'Inoperative' };
    const off2 = { operationalStatus: 'Inoperative' };
    const scheduled = { status: 'Scheduled' };
    const accepted = { status: 'Accepted' };
    assert.deepEqual(earlyAnswer('ocpp1.6', 'ChangeAvailability', off16), scheduled);
    assert.deepEqual(earlyAnswer('ocpp2.0.1', 'ChangeAvailability', off2), scheduled);
    assert.deepEqual(earlyAnswer('ocpp2.1', 'ChangeAvailability', off2), scheduled);
    const on16 = { connectorId: 0, type: 'Operative' };
    assert.deepEqual(earlyAnswer('ocpp1.6', 'ChangeAvailability', on16), accepted);
    // Each version has its own word for what is to be switched off.
    assert.deepEqual(earlyAnswer('ocpp1.6', 'ChangeAvailability', off2), accepted);
    assert.deepEqual(earlyAnswer('ocpp2.1', 'ChangeAvailability', off16), accepted);
    assert.deepEqual(earlyAnswer('ocpp1.6', 'Reset', { type: 'Hard' }), accepted);
    assert.deepEqual(earlyAnswer('ocpp2.0.1', 'Reset', { type: 'Immediate' }), scheduled);
    assert.deepEqual(earlyAnswer('ocpp1.6', 'RemoteStopTransaction', {}), accepted);
  });
});

test('the gateway answers for these actions, and for no others', () => {
  const found = ocppVersions.map((version) => [
    version,
    answerable.filter((it) => it.version === version).map(({ action }) => action),
  ]);
  const common = ['ChangeAvailability', 'ClearChargingProfile', 'Reset', 'SetChargingProfile'];
  const since2 = [...common, 'RequestStartTransaction', 'RequestStopTransaction'];
  assert.deepEqual(found, [
    ['ocpp1.6', [...common, 'RemoteStartTransaction', 'RemoteStopTransaction']],
    ['ocpp2.0.1', since2],
    ['ocpp2.1', since2],
  ]);
});

describe('what a charger says afterwards', () => {
  for (const [reply, expected] of [
    [{ status: 'Accepted' }, true],
    [{ status: 'Scheduled' }, true],
    [{ status: 'Rejected' }, false],
    [{ status: 'accepted' }, false],
    [{ status: 'Unknown' }, false],
    [{ status: ['Accepted'] }, false],
    [{}, false],
  ] as const) {
    test(`${JSON.stringify(reply)} is ${expected ? '' : 'not '}what the CSMS was told`, () => {
      assert.equal(isAsTold(reply), expected);
    });
  }
});
