import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import * as packaged16 from 'typed-ocpp/dist/ocpp16/schemas.js';
import * as packaged20 from 'typed-ocpp/dist/ocpp20/schemas.js';
import * as packaged21 from 'typed-ocpp/dist/ocpp21/schemas.js';
import { actionsOf, isSendAction, senderOf, senders } from './actions.ts';
import { type OcppVersion, ocppVersions } from './version.ts';

// Goal: the direction table has every action of every version, and no other.
// Method: count it, and hold it against two schema collections that were made by others: the one
// that the gateway uses, and the one of ocpp-rpc.

const counts: Readonly<Record<OcppVersion, number>> = {
  'ocpp1.6': 39,
  'ocpp2.0.1': 64,
  'ocpp2.1': 91,
};

const packages: Readonly<Record<OcppVersion, object>> = {
  'ocpp1.6': packaged16,
  'ocpp2.0.1': packaged20,
  'ocpp2.1': packaged21,
};

const foreignFiles: Readonly<Record<OcppVersion, string>> = {
  'ocpp1.6': 'ocpp1_6.json',
  'ocpp2.0.1': 'ocpp2_0_1.json',
  'ocpp2.1': 'ocpp2_1.json',
};

/** The actions that the schemas of ocpp-rpc are for, read from their ids. */
function foreignActions(version: OcppVersion): ReadonlySet<string> {
  const folder = new URL('lib/schemas/', import.meta.resolve('ocpp-rpc'));
  const text = readFileSync(new URL(foreignFiles[version], folder), 'utf8');
  const schemas = JSON.parse(text) as readonly { readonly $id: string }[];
  return new Set(
    schemas.map(({ $id }) =>
      $id.replace(/^urn:/, '').replace(/(?:\.req|\.conf|Request|Response)$/, ''),
    ),
  );
}

describe('the direction table', () => {
  for (const version of ocppVersions) {
    test(`${version} has ${counts[version]} actions, in alphabetical order`, () => {
      const actions = actionsOf(version);
      assert.equal(actions.length, counts[version]);
      assert.deepEqual(actions, [...actions].sort());
    });

    test(`${version}: every schema of the package belongs to an action, and the reverse`, () => {
      const expected = actionsOf(version).flatMap((action) =>
        isSendAction(version, action) ? [action] : [`${action}Request`, `${action}Response`],
      );
      assert.deepEqual(Object.keys(packages[version]).sort(), expected.sort());
    });

    test(`${version}: ocpp-rpc knows the same actions`, () => {
      const foreign = foreignActions(version);
      assert.deepEqual([...foreign].sort(), [...actionsOf(version)].sort());
    });

    test(`${version}: DataTransfer alone may come from either side`, () => {
      const either = actionsOf(version).filter((it) => senderOf(version, it) === 'either');
      assert.deepEqual(either, ['DataTransfer']);
    });

    test(`${version}: what objects inherit is no action`, () => {
      for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '']) {
        assert.equal(senderOf(version, name), undefined, name);
      }
    });

    test(`${version}: the case of a name matters`, () => {
      for (const action of actionsOf(version)) {
        assert.equal(senderOf(version, action.toLowerCase()), undefined, action);
      }
    });
  }

  test('an action that two versions share has the same sender in both', () => {
    for (const action of actionsOf('ocpp2.0.1')) {
      assert.equal(senderOf('ocpp2.1', action), senderOf('ocpp2.0.1', action), action);
      const in16 = senderOf('ocpp1.6', action);
      if (in16 !== undefined) assert.equal(in16, senderOf('ocpp2.0.1', action), action);
    }
  });

  test('every action of OCPP 2.0.1 is still there in 2.1', () => {
    for (const action of actionsOf('ocpp2.0.1')) assert(senderOf('ocpp2.1', action), action);
  });

  test('R13: one action travels as SEND, in OCPP 2.1 alone', () => {
    const sends = ocppVersions.flatMap((version) =>
      actionsOf(version)
        .filter((action) => isSendAction(version, action))
        .map((action) => `${version} ${action}`),
    );
    assert.deepEqual(sends, ['ocpp2.1 NotifyPeriodicEventStream']);
  });

  test('what commands load, firmware, trust or routing comes from the CSMS alone', () => {
    const commands = [
      /^(?:Remote|Request)(?:Start|Stop)Transaction$/,
      /^(?:Set|Clear)/,
      /^(?:Signed)?UpdateFirmware$/,
      /^PublishFirmware$/,
      /^Change/,
      /^(?:Install|Delete)Certificate$/,
      /^(?:Extended)?TriggerMessage$/,
      /^(?:Reset|UnlockConnector|AFRRSignal|UpdateDynamicSchedule|UsePriorityCharging)$/,
    ];
    for (const version of ocppVersions) {
      for (const [action, sender] of Object.entries(senders[version])) {
        if (action === 'ClearedChargingLimit') continue;
        const isCommand = commands.some((pattern) => pattern.test(action));
        if (isCommand) assert.equal(sender, 'csms', `${version} ${action}`);
      }
    }
  });
});
