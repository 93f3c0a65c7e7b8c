import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { actionsOf, senderOf } from './actions.ts';
import { loadActions, loadClassOf, loadReplyActions } from './load-actions.ts';
import { ocppVersions } from './version.ts';

// Goal: no action that changes load is forgotten, and none is invented.
// Method: the table is compared with the list of actions of the threat model that change load, and
// with the table of who sends what.

/** Every action that changes load, with the versions that have it. */
const changingLoad: readonly string[] = [
  'AFRRSignal',
  'ChangeAvailability',
  'ChangeConfiguration',
  'ClearChargingProfile',
  'ClearDERControl',
  'NotifyAllowedEnergyTransfer',
  'PullDynamicScheduleUpdate',
  'RemoteStartTransaction',
  'RemoteStopTransaction',
  'RequestStartTransaction',
  'RequestStopTransaction',
  'Reset',
  'SetChargingProfile',
  'SetDERControl',
  'SetVariables',
  'SignedUpdateFirmware',
  'UnlockConnector',
  'UpdateDynamicSchedule',
  'UpdateFirmware',
  'UsePriorityCharging',
];

for (const version of ocppVersions) {
  describe(version, () => {
    test('each of its actions that changes load has a class, and no other has', () => {
      const expected = actionsOf(version).filter((action) => changingLoad.includes(action));
      const known = [...Object.keys(loadActions[version]), ...loadReplyActions[version]];
      assert.deepEqual(known.sort(), expected.sort());
      for (const action of actionsOf(version)) {
        const isReply = loadReplyActions[version].includes(action);
        const hasClass = loadClassOf(version, action) !== undefined;
        assert.equal(hasClass, expected.includes(action) && !isReply, action);
      }
    });

    test('the CSMS sends them; the charger asks for what is in a reply', () => {
      for (const action of Object.keys(loadActions[version])) {
        assert.equal(senderOf(version, action), 'csms', action);
      }
      for (const action of loadReplyActions[version]) {
        assert.equal(senderOf(version, action), 'charger', action);
      }
    });

    test('what is no action has no class', () => {
      for (const text of ['', '__proto__', 'constructor', 'reset', 'Reset ', 'DataTransfer']) {
        assert.equal(loadClassOf(version, text), undefined);
      }
    });
  });
}

test('every action that changes load is one of some version', () => {
  for (const action of changingLoad) {
    assert.ok(
      ocppVersions.some((version) => actionsOf(version).includes(action)),
      action,
    );
  }
});
