import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { testConversation } from '../../test/support/conversation.ts';
import { acceptedContext } from '../../test/support/policy-context.ts';
import { samplePayload } from '../../test/support/sample-payload.ts';
import { isJsonObject } from '../ocpp/message.ts';
import { type OcppVersion, ocppVersions, type Peer } from '../ocpp/version.ts';
import type { Frame } from '../rules/frame.ts';
import { presetNames } from '../rules/presets.ts';
import { securityProfile } from './security-profile.ts';

// Goal: no call of the CSMS lowers the security profile of a charger, in whatever spelling, and every
// call that raises or keeps it passes.
// Method: each way to set a profile with each value, against each profile in use and used before; then
// the presets of every version.

type Call = readonly [string, object];

const later = ['ocpp2.0.1', 'ocpp2.1'] as const;

const variable = (component: string, name: string, attributeValue: unknown): Call => [
  'SetVariables',
  { setVariableData: [{ attributeValue, component: { name: component }, variable: { name } }] },
];
const key = (name: string, value: unknown): Call => ['ChangeConfiguration', { key: name, value }];
const slot = (profile: unknown): Call => [
  'SetNetworkProfile',
  { configurationSlot: 1, connectionData: { securityProfile: profile } },
];

/** Every way to set a profile, by version. */
const ways: Readonly<Record<OcppVersion, readonly ((profile: number) => Call)[]>> = {
  'ocpp1.6': [(profile) => key('SecurityProfile', String(profile))],
  'ocpp2.0.1': [
    (profile) => variable('SecurityCtrlr', 'SecurityProfile', String(profile)),
    (profile) => slot(profile),
  ],
  'ocpp2.1': [
    (profile) => variable('SecurityCtrlr', 'SecurityProfile', String(profile)),
    (profile) => variable('NetworkConfiguration', 'SecurityProfile', String(profile)),
    (profile) => slot(profile),
  ],
};

function detail(
  version: OcppVersion,
  [action, payload]: Call,
  { now, used, from = 'csms' }: { now: number; used: number; from?: Peer },
) {
  const frame = { kind: 'call', id: '1', action, payload, bytes: new Uint8Array() } as Frame;
  const context = acceptedContext(version, { securityProfile: now, usedProfile: used });
  const found = securityProfile.check({
    context,
    frame,
    from,
    version,
    correlation: { is: 'new' },
  });
  if (found === undefined) return undefined;
  const { rule, code, severity } = found;
  assert.deepEqual(
    [rule, code, severity],
    ['security-profile', 'SECURITY_PROFILE_LOWERED', 'hard'],
  );
  return found.detail;
}

const profiles = [0, 1, 2, 3];

for (const version of ocppVersions) {
  describe(`security-profile, ${version}`, () => {
    test('T1-17, T2-17: a lower profile than now or ever is refused, any other passes', () => {
      for (const way of ways[version]) {
        for (const now of profiles) {
          for (const used of profiles) {
            for (const profile of profiles) {
              const found = detail(version, way(profile), { now, used });
              const lowest = Math.max(now, used);
              const expected =
                profile < lowest ? `profile ${profile}, where ${lowest} has been used` : undefined;
              assert.equal(found, expected, JSON.stringify(way(profile)));
            }
          }
        }
      }
    });

    test('T1-17: what is no profile to the gateway may be one to a charger', () => {
      for (const value of [
        '',
        'x',
        '01',
        '1 ',
        ' 3',
        '3abc',
        '-1',
        '4',
        '3.0',
        -1,
        4,
        1.5,
        null,
        true,
      ]) {
        const call =
          version === 'ocpp1.6'
            ? key('SecurityProfile', value)
            : variable('SecurityCtrlr', 'SecurityProfile', value);
        const found = detail(version, call, { now: 0, used: 0 });
        assert.equal(found, 'a profile that cannot be read', JSON.stringify(value));
      }
    });

    test('other keys and variables have nothing to do with it, and neither has a charger', () => {
      const twin =
        version === 'ocpp1.6'
          ? key('SecurityProfileX', '0')
          : variable('SecurityCtrlr', 'OrganizationName', '0');
      assert.equal(detail(version, twin, { now: 3, used: 3 }), undefined);
      for (const way of ways[version]) {
        assert.equal(detail(version, way(0), { now: 3, used: 3, from: 'charger' }), undefined);
      }
    });
  });
}

describe('security-profile', () => {
  test('T1-17: names in another case, and with spaces around them', () => {
    const at = { now: 2, used: 2 };
    // The third begins with a long s, which folds to an s.
    for (const name of ['SECURITYPROFILE', ' SecurityProfile\t', '\u017fecurityProfile']) {
      for (const [version, call] of [
        ['ocpp1.6', key(name, '1')],
        ['ocpp2.0.1', variable('securityctrlr', name, '1')],
        ['ocpp2.1', variable(' SECURITYCTRLR', name, '1')],
        ['ocpp2.1', variable('Elsewhere', name, '1')],
      ] as const) {
        assert.match(detail(version, call, at) ?? '', /^profile 1/, name);
      }
    }
  });

  for (const version of later) {
    test(`${version}, T1-17: one bad entry among good ones is found`, () => {
      const entry = (name: string, attributeValue: string) => ({
        attributeValue,
        component: { name: 'SecurityCtrlr' },
        variable: { name },
      });
      const setVariableData = [
        entry('OrganizationName', 'CPO'),
        entry('SecurityProfile', '3'),
        entry('SecurityProfile', '1'),
      ];
      const at = { now: 2, used: 2 };
      assert.match(detail(version, ['SetVariables', { setVariableData }], at) ?? '', /^profile 1/);
      const good = setVariableData.slice(0, 2);
      assert.equal(detail(version, ['SetVariables', { setVariableData: good }], at), undefined);
    });

    test(`${version}, T1-17: a charger is not allowed to lower its profile by itself`, () => {
      const at = { now: 1, used: 1 };
      for (const value of ['true', 'TRUE', ' true', '1', 'yes', true, '']) {
        const call = variable('SecurityCtrlr', 'AllowSecurityProfileDowngrade', value);
        assert.match(detail(version, call, at) ?? '', /^permission/, JSON.stringify(value));
      }
      for (const value of ['false', 'False', ' false ', false]) {
        const call = variable('SecurityCtrlr', 'AllowSecurityProfileDowngrade', value);
        assert.equal(detail(version, call, at), undefined, JSON.stringify(value));
      }
    });

    test(`${version}, T1-17: a network slot without a profile is none that can be read`, () => {
      const call = ['SetNetworkProfile', { configurationSlot: 1, connectionData: {} }] as const;
      assert.match(detail(version, call, { now: 0, used: 0 }) ?? '', /^a profile that cannot/);
    });
  }

  for (const version of ocppVersions) {
    for (const preset of presetNames) {
      test(`T1-17, T2-17: ${version}, ${preset}: lowered is stopped, raised passes`, () => {
        const of = (call: Call) => {
          const [action, payload] = call;
          const context = { securityProfile: 2, usedProfile: 2 };
          const conversation = testConversation(version, preset, [], { context });
          const whole = action === 'SetNetworkProfile' ? wholeSlot(version, payload) : payload;
          const { flagged, refused } = conversation.passMessage('csms', 2, '1', action, whole);
          if (refused !== undefined) return `${refused.penalty} ${refused.code}`;
          return flagged.length === 0 ? 'pass' : `flagged ${flagged.join(' ')}`;
        };
        const stopped = preset === 'monitor' ? 'flagged' : 'call-error';
        for (const way of ways[version]) {
          assert.equal(of(way(1)), `${stopped} SECURITY_PROFILE_LOWERED`);
          assert.equal(of(way(2)), 'pass');
          assert.equal(of(way(3)), 'pass');
        }
      });
    }
  }
});

/** A SetNetworkProfile that keeps its schema, with the profile of `payload`. */
function wholeSlot(version: OcppVersion, payload: object): object {
  const sample = samplePayload(version, 'SetNetworkProfile', 'request', 'minimal');
  const { connectionData } = sample;
  const given = 'connectionData' in payload ? payload.connectionData : undefined;
  return {
    ...sample,
    connectionData: { ...(isJsonObject(connectionData) ? connectionData : {}), ...Object(given) },
  };
}
