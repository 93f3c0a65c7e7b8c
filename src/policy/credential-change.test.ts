import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { testConversation } from '../../test/support/conversation.ts';
import { acceptedContext } from '../../test/support/policy-context.ts';
import { type OcppVersion, ocppVersions, type Peer } from '../ocpp/version.ts';
import type { Frame } from '../rules/frame.ts';
import { presetNames } from '../rules/presets.ts';
import type { PolicyContext } from './context.ts';
import { credentialChange } from './credential-change.ts';

// Goal: nobody changes a charger's password behind the back of the gateway, and where the CSMS is to
// change it, it can.
// Method: the calls that do it, and their benign twins, through the rule under each setting, then
// through the presets of every version.

const later = ['ocpp2.0.1', 'ocpp2.1'] as const;
const password = '00112233445566778899aabbccddeeff00112233';

const entry = (component: string, variable: string, value: unknown, more = {}) => ({
  attributeValue: value,
  component: { name: component },
  variable: { name: variable },
  ...more,
});

/** The call that sets the password in `version`. */
function passwordCall(version: OcppVersion): readonly [string, object] {
  return version === 'ocpp1.6'
    ? ['ChangeConfiguration', { key: 'AuthorizationKey', value: password }]
    : [
        'SetVariables',
        { setVariableData: [entry('SecurityCtrlr', 'BasicAuthPassword', password)] },
      ];
}

/** One that sets something else. */
function twinCall(version: OcppVersion): readonly [string, object] {
  return version === 'ocpp1.6'
    ? ['ChangeConfiguration', { key: 'HeartbeatInterval', value: '300' }]
    : ['SetVariables', { setVariableData: [entry('OCPPCommCtrlr', 'HeartbeatInterval', '300')] }];
}

function detail(
  version: OcppVersion,
  [action, payload]: readonly [string, object],
  changes: Partial<PolicyContext> = {},
  from: Peer = 'csms',
) {
  const frame = { kind: 'call', id: '1', action, payload, bytes: new Uint8Array() } as Frame;
  const context = acceptedContext(version, changes);
  const found = credentialChange.check({
    context,
    frame,
    from,
    version,
    correlation: { is: 'new' },
  });
  if (found === undefined) return undefined;
  const { rule, code, severity } = found;
  assert.deepEqual([rule, code, severity], ['credential-change', 'CREDENTIAL_CHANGE', 'hard']);
  assert(!found.detail.includes(password));
  return found.detail;
}

for (const version of ocppVersions) {
  describe(`credential-change, ${version}`, () => {
    const call = passwordCall(version);

    test('T2-11: refused where the gateway answers for the password', () => {
      for (const securityProfile of [1, 2, 3]) {
        const found = detail(version, call, { credentialChanges: 'refuse', securityProfile });
        assert.equal(found, 'the password of the charger');
      }
      assert.equal(detail(version, twinCall(version), { credentialChanges: 'refuse' }), undefined);
    });

    test('T2-11: passes where it is tracked, and where there is no password', () => {
      assert.equal(detail(version, call, { credentialChanges: 'track' }), undefined);
      const changes = { credentialChanges: 'refuse', securityProfile: 0 } as const;
      assert.equal(detail(version, call, changes), undefined);
    });

    test('a charger changes nothing, and neither does a reply', () => {
      const changes = { credentialChanges: 'refuse' } as const;
      assert.equal(detail(version, call, changes, 'charger'), undefined);
      const reply = { kind: 'call-result', id: '1', payload: call[1], bytes: new Uint8Array() };
      const found = credentialChange.check({
        context: acceptedContext(version, changes),
        frame: reply as Frame,
        from: 'csms',
        version,
        correlation: { is: 'new' },
      });
      assert.equal(found, undefined);
    });
  });
}

describe('credential-change', () => {
  for (const version of later) {
    test(`${version}, T2-11: passwords of network slots are refused, whatever is tracked`, () => {
      const slots = [
        [
          'SetVariables',
          { setVariableData: [entry('NetworkConfiguration', 'BasicAuthPassword', password)] },
        ],
        [
          'SetNetworkProfile',
          {
            configurationSlot: 1,
            connectionData: { securityProfile: 3, basicAuthPassword: password },
          },
        ],
        [
          'SetVariables',
          {
            setVariableData: [
              entry('SecurityCtrlr', 'BasicAuthPassword', password, { attributeType: 'Target' }),
            ],
          },
        ],
        ['SetVariables', { setVariableData: [entry('SecurityCtrlr', 'BasicAuthPassword', 7)] }],
      ] as const;
      for (const credentialChanges of ['refuse', 'track'] as const) {
        for (const securityProfile of [0, 2]) {
          for (const call of slots) {
            const found = detail(version, call, { credentialChanges, securityProfile });
            assert.equal(found, 'a password that nobody can keep track of', JSON.stringify(call));
          }
        }
      }
      const twin = [
        'SetNetworkProfile',
        { configurationSlot: 1, connectionData: { securityProfile: 3 } },
      ] as const;
      assert.equal(detail(version, twin, { credentialChanges: 'refuse' }), undefined);
    });

    test(`${version}, T2-11: two passwords in one call are one too many to track`, () => {
      const one = entry('SecurityCtrlr', 'BasicAuthPassword', password);
      const other = entry('OCPPCommCtrlr', 'HeartbeatInterval', '300');
      const found = (setVariableData: readonly unknown[]) =>
        detail(version, ['SetVariables', { setVariableData }], { credentialChanges: 'track' });
      assert.equal(found([one, one]), 'several passwords at once');
      assert.equal(found([other, one]), undefined);
    });
  }

  for (const version of ocppVersions) {
    for (const preset of presetNames) {
      test(`T2-11: ${version}, ${preset}: a password set by the CSMS, and a harmless key`, () => {
        const of = (
          [action, payload]: readonly [string, object],
          changes: Partial<PolicyContext>,
        ) => {
          const conversation = testConversation(version, preset, [], { context: changes });
          const { flagged, refused } = conversation.passMessage('csms', 2, '1', action, payload);
          if (refused !== undefined) return `${refused.penalty} ${refused.code}`;
          return flagged.length === 0 ? 'pass' : `flagged ${flagged.join(' ')}`;
        };
        const stopped = preset === 'monitor' ? 'flagged' : 'call-error';
        const call = passwordCall(version);
        assert.equal(of(call, { credentialChanges: 'refuse' }), `${stopped} CREDENTIAL_CHANGE`);
        assert.equal(of(call, { credentialChanges: 'track' }), 'pass');
        assert.equal(of(twinCall(version), { credentialChanges: 'refuse' }), 'pass');
      });
    }
  }
});
