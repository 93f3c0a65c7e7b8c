import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { admittedResult } from '../../test/support/conversation.ts';
import { senderOf } from '../ocpp/actions.ts';
import { type OcppVersion, ocppVersions } from '../ocpp/version.ts';
import { replyHandlerFor, replyHandlers } from './table.ts';
import { withholdCredentials } from './withhold-credentials.ts';

// Goal: a credential never reaches the CSMS in a reply, and every other reply keeps its bytes.
// Method: replies with and without a credential through the handler; then the table around it.

const secret = '0011223344556677';

function handled(version: OcppVersion, action: string, payload: object) {
  return withholdCredentials.handle({ reply: admittedResult(3, '7', payload), action, version });
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

describe('the handler table', () => {
  test('every handler names actions that exist and that its side can answer', () => {
    for (const handler of replyHandlers) {
      for (const version of ocppVersions) {
        for (const action of handler.actions[version]) {
          const sender = senderOf(version, action);
          assert(sender !== undefined && sender !== handler.from, `${version} ${action}`);
        }
      }
    }
  });

  test('at most one handler handles a message', () => {
    for (const version of ocppVersions) {
      const keys = replyHandlers.flatMap(({ actions, from }) =>
        actions[version].map((action) => `${from} ${action}`),
      );
      assert.equal(new Set(keys).size, keys.length);
    }
  });

  test('the handler is found for its side, action and version, and for nothing else', () => {
    assert.equal(replyHandlerFor('ocpp1.6', 'GetConfiguration', 'charger'), withholdCredentials);
    assert.equal(replyHandlerFor('ocpp2.1', 'GetVariables', 'charger'), withholdCredentials);
    assert.equal(replyHandlerFor('ocpp1.6', 'GetConfiguration', 'csms'), undefined);
    assert.equal(replyHandlerFor('ocpp1.6', 'GetVariables', 'charger'), undefined);
    assert.equal(replyHandlerFor('ocpp2.1', 'GetConfiguration', 'charger'), undefined);
    assert.equal(replyHandlerFor('ocpp1.6', 'Reset', 'charger'), undefined);
  });
});
