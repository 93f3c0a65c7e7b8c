import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { samplePayload } from '../../test/support/sample-payload.ts';
import { actionsOf, isSendAction, senderOf } from './actions.ts';
import {
  type ChangeOutcome,
  credentialChangesIn,
  passwordChangeCall,
  passwordChangeOutcome,
  profileRaiseOutcome,
} from './credential-changes.ts';
import { schemaErrors } from './schemas.ts';
import { type OcppVersion, ocppVersions } from './version.ts';

// Goal: every way in which a CSMS changes a credential is seen, and what the charger says to it is
// understood; everything else is no change.
// Method: each way in each spelling, beside twins that differ in one respect; every action of every
// version; and replies in and out of order.

const later = ['ocpp2.0.1', 'ocpp2.1'] as const;
const text = '0011223344556677001122334455667700112233';

const entry = (component: string, variable: string, attributeValue: unknown, more = {}) => ({
  attributeValue,
  component: { name: component },
  variable: { name: variable },
  ...more,
});

const inKey = (key: unknown, value: unknown) =>
  credentialChangesIn('ocpp1.6', 'ChangeConfiguration', { key, value });

describe('credential changes in OCPP 1.6', () => {
  test('T2-11: AuthorizationKey, in any case and with spaces around it', () => {
    const expected = [{ is: 'password', password: Buffer.from(text), index: 0 }];
    for (const key of ['AuthorizationKey', 'AUTHORIZATIONKEY', ' authorizationkey\t']) {
      assert.deepEqual(inKey(key, text), expected, key);
    }
    for (const key of ['AuthorizationKeys', 'Authorization Key', 'LocalAuthorizeOffline', '', 7]) {
      assert.deepEqual(inKey(key, text), [], String(key));
    }
  });

  test('the password is the text as it was given: its digits are read elsewhere', () => {
    for (const value of ['', 'AbCdEf', 'p\u00e4ssword', 'a'.repeat(500)]) {
      const expected = [{ is: 'password', password: Buffer.from(value, 'utf8'), index: 0 }];
      assert.deepEqual(inKey('AuthorizationKey', value), expected);
    }
  });

  test('T2-11: a password that is no text is none that anybody can keep track of', () => {
    for (const value of [1234, null, undefined, { hex: text }, [text], true]) {
      assert.deepEqual(inKey('AuthorizationKey', value), [{ is: 'slot-password', index: 0 }]);
    }
  });

  test('T1-17: SecurityProfile, as text or number', () => {
    for (const profile of [0, 1, 2, 3]) {
      const expected = [{ is: 'security-profile', profile, index: 0 }];
      assert.deepEqual(inKey('SecurityProfile', String(profile)), expected);
      assert.deepEqual(inKey('securityPROFILE', profile), expected);
    }
    for (const value of [
      '4',
      '-1',
      '1 ',
      '01',
      '1e0',
      '',
      null,
      undefined,
      1.5,
      {},
      [1],
      '\u0661',
    ]) {
      const expected = [{ is: 'security-profile', profile: undefined, index: 0 }];
      assert.deepEqual(inKey('SecurityProfile', value), expected, JSON.stringify(value));
    }
  });

  test('the calls of later versions are none of 1.6, and the reverse', () => {
    const change = { key: 'AuthorizationKey', value: text };
    const setVariableData = [entry('SecurityCtrlr', 'BasicAuthPassword', text)];
    const slot = { connectionData: { securityProfile: 0 } };
    assert.deepEqual(credentialChangesIn('ocpp1.6', 'SetVariables', { setVariableData }), []);
    assert.deepEqual(credentialChangesIn('ocpp1.6', 'SetNetworkProfile', slot), []);
    for (const version of later) {
      assert.deepEqual(credentialChangesIn(version, 'ChangeConfiguration', change), []);
    }
  });
});

for (const version of later) {
  const inVariables = (...setVariableData: readonly unknown[]) =>
    credentialChangesIn(version, 'SetVariables', { setVariableData });

  describe(`credential changes in ${version}`, () => {
    test('T2-11: SecurityCtrlr.BasicAuthPassword, with any instance and EVSE', () => {
      const expected = [{ is: 'password', password: Buffer.from(text), index: 0 }];
      for (const item of [
        entry('SecurityCtrlr', 'BasicAuthPassword', text),
        entry(' securityctrlr', 'BASICAUTHPASSWORD ', text),
        entry('SecurityCtrlr', 'BasicAuthPassword', text, { attributeType: 'Actual' }),
        entry('SecurityCtrlr', 'BasicAuthPassword', text, { attributeType: null }),
        entry('', '', text, {
          component: { name: 'SecurityCtrlr', instance: '1', evse: { id: 1 } },
          variable: { name: 'BasicAuthPassword', instance: 'x' },
        }),
      ]) {
        assert.deepEqual(inVariables(item), expected, JSON.stringify(item));
      }
    });

    test('T2-11: any other password of that name cannot be kept track of', () => {
      const expected = [{ is: 'slot-password', index: 0 }];
      for (const item of [
        entry('NetworkConfiguration', 'BasicAuthPassword', text),
        entry('NETWORKCONFIGURATION', 'basicAuthPassword', text),
        entry('Vendor', 'BasicAuthPassword', text),
        entry('SecurityCtrlr', 'BasicAuthPassword', text, { attributeType: 'Target' }),
        entry('SecurityCtrlr', 'BasicAuthPassword', 1234),
        { attributeValue: text, variable: { name: 'BasicAuthPassword' } },
      ]) {
        assert.deepEqual(inVariables(item), expected, JSON.stringify(item));
      }
    });

    test('T1-17: profiles of the charger, of its slots, and the permission to lower them', () => {
      assert.deepEqual(
        inVariables(
          entry('OCPPCommCtrlr', 'HeartbeatInterval', '300'),
          entry('SecurityCtrlr', 'SecurityProfile', '2'),
          entry('NetworkConfiguration', 'SecurityProfile', '1', { attributeType: 'Target' }),
          entry('SecurityCtrlr', 'AllowSecurityProfileDowngrade', 'true'),
          entry('SecurityCtrlr', 'AllowSecurityProfileDowngrade', 'false'),
          entry('SecurityCtrlr', 'BasicAuthPassword', text),
        ),
        [
          { is: 'security-profile', profile: 2, index: 1 },
          { is: 'slot-profile', profile: 1, index: 2 },
          { is: 'allow-downgrade', index: 3 },
          { is: 'password', password: Buffer.from(text), index: 5 },
        ],
      );
    });

    test('T1-17: SetNetworkProfile, with a password or without', () => {
      const inSlot = (connectionData: unknown) =>
        credentialChangesIn(version, 'SetNetworkProfile', { configurationSlot: 1, connectionData });
      assert.deepEqual(inSlot({ securityProfile: 3 }), [
        { is: 'slot-profile', profile: 3, index: 0 },
      ]);
      assert.deepEqual(inSlot({ securityProfile: 1, basicAuthPassword: '' }), [
        { is: 'slot-profile', profile: 1, index: 0 },
        { is: 'slot-password', index: 0 },
      ]);
      for (const broken of [undefined, null, {}, [], 'x']) {
        assert.deepEqual(inSlot(broken), [{ is: 'slot-profile', profile: undefined, index: 0 }]);
      }
    });
  });
}

describe('credential changes', () => {
  test('no action but these changes anything, whatever is in it', () => {
    const changing = ['ChangeConfiguration', 'SetNetworkProfile', 'SetVariables'];
    const all = {
      key: 'AuthorizationKey',
      value: text,
      setVariableData: [entry('SecurityCtrlr', 'BasicAuthPassword', text)],
      connectionData: { securityProfile: 0 },
    };
    for (const version of ocppVersions) {
      for (const action of actionsOf(version)) {
        const found = credentialChangesIn(version, action, all);
        assert.equal(found.length > 0, changing.includes(action), `${version} ${action}`);
        if (isSendAction(version, action) || senderOf(version, action) === 'charger') continue;
        // An ordinary message of the same action changes nothing, but for the profile of a slot.
        const sample = samplePayload(version, action, 'request', 'minimal');
        const kinds = credentialChangesIn(version, action, sample).map(({ is }) => is);
        assert.deepEqual(kinds, action === 'SetNetworkProfile' ? ['slot-profile'] : [], action);
      }
    }
  });

  test('payloads of any shape are read without a fault', () => {
    const shapes = [
      undefined,
      null,
      0,
      '',
      [],
      {},
      { setVariableData: {} },
      { setVariableData: [null, 1, []] },
    ];
    for (const version of ocppVersions) {
      for (const shape of shapes) {
        assert.deepEqual(credentialChangesIn(version, 'SetVariables', shape), []);
        assert.deepEqual(credentialChangesIn(version, 'ChangeConfiguration', shape), []);
      }
    }
    // What is inherited is not there.
    assert.deepEqual(inKey(undefined, text), []);
    const inherited: unknown = Object.create({ key: 'AuthorizationKey', value: text });
    assert.deepEqual(credentialChangesIn('ocpp1.6', 'ChangeConfiguration', inherited), []);
  });
});

describe('what became of a change', () => {
  const in16: readonly (readonly [unknown, ChangeOutcome])[] = [
    ['Accepted', 'accepted'],
    ['RebootRequired', 'reboot-required'],
    ['Rejected', 'rejected'],
    ['NotSupported', 'not-supported'],
    ['accepted', 'unclear'],
    [undefined, 'unclear'],
    [1, 'unclear'],
  ];
  test('T2-11: ocpp1.6: by the status', () => {
    for (const [status, outcome] of in16) {
      assert.equal(passwordChangeOutcome('ocpp1.6', { status }, 0), outcome);
      const raised = profileRaiseOutcome('ocpp1.6', 'ChangeConfiguration', { status }, 0);
      assert.equal(raised, outcome);
    }
    assert.equal(passwordChangeOutcome('ocpp1.6', null, 0), 'unclear');
  });

  const in2: readonly (readonly [unknown, ChangeOutcome])[] = [
    ...in16,
    ['UnknownComponent', 'not-supported'],
    ['UnknownVariable', 'not-supported'],
    ['NotSupportedAttributeType', 'not-supported'],
  ];
  for (const version of later) {
    const result = (variable: string, attributeStatus: unknown, component = 'SecurityCtrlr') => ({
      attributeStatus,
      component: { name: component },
      variable: { name: variable },
    });
    const outcome = (index: number, ...setVariableResult: readonly unknown[]) =>
      passwordChangeOutcome(version, { setVariableResult }, index);

    test(`T2-11: ${version}: by the result that is about the password, wherever it stands`, () => {
      const other = result('OrganizationName', 'Rejected');
      for (const [status, expected] of in2) {
        const own = result('BasicAuthPassword', status);
        assert.equal(outcome(0, own), expected);
        assert.equal(outcome(0, other, own), expected);
        assert.equal(outcome(1, own, other), expected);
        assert.equal(outcome(5, result('basicauthpassword ', status)), expected);
      }
    });

    test(`T2-11: ${version}: of several results, the one in the place of the call`, () => {
      const good = result('BasicAuthPassword', 'Accepted');
      const bad = result('BasicAuthPassword', 'Rejected');
      assert.equal(outcome(0, good, bad), 'accepted');
      assert.equal(outcome(1, good, bad), 'rejected');
      assert.equal(outcome(2, good, bad), 'unclear');
    });

    test(`T2-11: ${version}: without a result about it, nobody can tell`, () => {
      const elsewhere = result('BasicAuthPassword', 'Accepted', 'NetworkConfiguration');
      for (const results of [[], [result('OrganizationName', 'Accepted')], [elsewhere], [null]]) {
        assert.equal(outcome(0, ...results), 'unclear');
      }
      assert.equal(passwordChangeOutcome(version, { setVariableResult: {} }, 0), 'unclear');
    });

    test(`${version}: a profile that is set in a variable, or for a slot`, () => {
      const profile = { setVariableResult: [result('SecurityProfile', 'Accepted')] };
      assert.equal(profileRaiseOutcome(version, 'SetVariables', profile, 0), 'accepted');
      const ofSlot = (status: string) =>
        profileRaiseOutcome(version, 'SetNetworkProfile', { status }, 0);
      assert.deepEqual(['Accepted', 'Rejected', 'Failed', 'Maybe'].map(ofSlot), [
        'accepted',
        'rejected',
        'rejected',
        'unclear',
      ]);
    });
  }
});

describe('the call that gives a charger a password', () => {
  const key = Buffer.from('00FFa0b1c2d3e4f5061728394a5b6c7d8e9fA0B1', 'hex');

  for (const version of ocppVersions) {
    test(`${version}: it keeps its schema, and is understood by what reads such calls`, () => {
      const { action, payload } = passwordChangeCall(version, key);
      assert.deepEqual(schemaErrors(version, action, 'request', payload), []);
      const digits = '00ffa0b1c2d3e4f5061728394a5b6c7d8e9fa0b1';
      const expected = [{ is: 'password', password: Buffer.from(digits), index: 0 }];
      assert.deepEqual(credentialChangesIn(version, action, payload), expected);
    });
  }

  test('as it goes on the wire', () => {
    const named = (version: OcppVersion) => passwordChangeCall(version, key).action;
    assert.deepEqual(ocppVersions.map(named), [
      'ChangeConfiguration',
      'SetVariables',
      'SetVariables',
    ]);
  });
});
