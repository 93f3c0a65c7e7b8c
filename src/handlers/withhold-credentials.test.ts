import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { admittedCall, admittedResult } from '../../test/support/conversation.ts';
import { samplePayload } from '../../test/support/sample-payload.ts';
import { schemaErrors } from '../ocpp/schemas.ts';
import type { OcppVersion } from '../ocpp/version.ts';
import { withholdCredentials, withholdReportedCredentials } from './withhold-credentials.ts';

// Goal: a credential never reaches the CSMS in a reply or a report, and everything else keeps its
// bytes.
// Method: replies and reports with and without a credential through the handlers.

const secret = '0011223344556677';

function handled(version: OcppVersion, action: string, payload: object) {
  const reply = admittedResult(3, '7', payload);
  return withholdCredentials.handle({ reply, action, version, restriction: undefined });
}

const configuration = (value: string) => ({
  configurationKey: [
    { key: 'HeartbeatInterval', readonly: false, value: '300' },
    { key: 'AuthorizationKey', readonly: false, value },
  ],
  unknownKey: ['X'],
});

const variables = (name: string, attributeValue: string) => ({
  getVariableResult: [
    {
      attributeStatus: 'Accepted',
      attributeValue,
      component: { name: 'SecurityCtrlr' },
      variable: { name },
    },
  ],
});

describe('T2-10: credentials are withheld', () => {
  test('1.6: AuthorizationKey in a GetConfiguration reply, and nothing beside it', () => {
    assert.deepEqual(handled('ocpp1.6', 'GetConfiguration', configuration(secret)), {
      do: 'rewrite',
      message: { kind: 'call-result', id: '7', payload: configuration('[redacted]') },
    });
  });

  for (const version of ['ocpp2.0.1', 'ocpp2.1'] as const) {
    test(`${version}: BasicAuthPassword in a GetVariables reply`, () => {
      const outcome = handled(version, 'GetVariables', variables('BasicAuthPassword', secret));
      assert.deepEqual(outcome, {
        do: 'rewrite',
        message: {
          kind: 'call-result',
          id: '7',
          payload: variables('BasicAuthPassword', '[redacted]'),
        },
      });
    });
  }

  test('a reply without a credential is forwarded as it came', () => {
    const replies: readonly object[] = [
      { configurationKey: [{ key: 'HeartbeatInterval', readonly: false, value: '300' }] },
      configuration(''),
      variables('HeartbeatInterval', '300'),
      {},
    ];
    for (const payload of replies) {
      assert.deepEqual(handled('ocpp1.6', 'GetConfiguration', payload), { do: 'forward' });
    }
  });

  test('a URL with a user name is no credential of the charger: the CSMS set it', () => {
    const outcome = handled('ocpp1.6', 'GetConfiguration', {
      configurationKey: [{ key: 'LogUrl', readonly: false, value: 'ftp://u:p@h/' }],
    });
    assert.deepEqual(outcome, { do: 'forward' });
  });
});

const later = ['ocpp2.0.1', 'ocpp2.1'] as const;

function reported(version: OcppVersion, action: string, payload: object) {
  const call = admittedCall(2, '7', action, payload);
  return withholdReportedCredentials.handle({ call, version });
}

/** A report of two variables, the second of which is `name`. */
const report = (name: string, value: string) => ({
  requestId: 1,
  generatedAt: '2026-01-01T00:00:00Z',
  seqNo: 0,
  reportData: [
    {
      component: { name: 'SecurityCtrlr' },
      variable: { name: 'SecurityProfile' },
      variableAttribute: [{ type: 'Actual', value: '2' }],
    },
    {
      component: { name: 'SecurityCtrlr' },
      variable: { name },
      variableAttribute: [
        { type: 'Actual', value, mutability: 'WriteOnly' },
        { type: 'Target', value },
      ],
      variableCharacteristics: { dataType: 'string', supportsMonitoring: false, maxLimit: 40 },
    },
  ],
});

const eventOf = (name: string, actualValue: string) => ({
  generatedAt: '2026-01-01T00:00:00Z',
  seqNo: 0,
  eventData: [
    {
      eventId: 1,
      timestamp: '2026-01-01T00:00:00Z',
      trigger: 'Delta',
      actualValue,
      component: { name: 'SecurityCtrlr' },
      variable: { name },
      eventNotificationType: 'CustomMonitor',
    },
  ],
});

describe('T2-10: credentials are withheld from reports', () => {
  for (const version of later) {
    for (const name of ['BasicAuthPassword', 'BASICAUTHPASSWORD', ' basicAuthPassword ']) {
      test(`${version}: ${JSON.stringify(name)} in NotifyReport and NotifyEvent`, () => {
        for (const [action, payload, clean] of [
          ['NotifyReport', report(name, secret), report(name, '[redacted]')],
          ['NotifyEvent', eventOf(name, secret), eventOf(name, '[redacted]')],
        ] as const) {
          assert.deepEqual(reported(version, action, payload), {
            do: 'rewrite',
            message: { kind: 'call', id: '7', action, payload: clean },
          });
          // What takes its place keeps the schema as well as what was there.
          const errors = [payload, clean].map((it) => schemaErrors(version, action, 'request', it));
          assert.deepEqual(errors, [[], []]);
        }
      });
    }

    test(`${version}: reports without a credential are forwarded as they came`, () => {
      for (const [action, payload] of [
        ['NotifyReport', report('OrganizationName', secret)],
        ['NotifyReport', report('BasicAuthPassword', '')],
        // Nor is a password that the CSMS has given for its own server.
        ['NotifyReport', report('LogUrl', 'ftp://u:p@h/')],
        ['NotifyReport', samplePayload(version, 'NotifyReport', 'request', 'full')],
        ['NotifyEvent', eventOf('AvailabilityState', 'Faulted')],
        ['NotifyEvent', samplePayload(version, 'NotifyEvent', 'request', 'full')],
      ] as const) {
        assert.deepEqual(reported(version, action, payload), { do: 'forward' });
      }
    });
  }
});
