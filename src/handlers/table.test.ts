import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { senderOf } from '../ocpp/actions.ts';
import { ocppVersions, otherPeer } from '../ocpp/version.ts';
import { keepPending } from './keep-pending.ts';
import { callHandlerFor, callHandlers, replyHandlerFor, replyHandlers } from './table.ts';
import { withholdCredentials, withholdReportedCredentials } from './withhold-credentials.ts';

// Goal: each message meets the handler that is for it, and no other.
// Method: the whole tables against the directions of all actions; then single questions.

describe('the handler tables', () => {
  test('every handler of replies names actions that exist and that its side can answer', () => {
    for (const handler of replyHandlers) {
      for (const version of ocppVersions) {
        for (const action of handler.actions[version]) {
          assert.equal(senderOf(version, action), otherPeer(handler.from), `${version} ${action}`);
        }
      }
    }
  });

  test('every handler of calls names actions that exist and that its side can send', () => {
    for (const handler of callHandlers) {
      for (const version of ocppVersions) {
        for (const action of handler.actions[version]) {
          assert.equal(senderOf(version, action), handler.from, `${version} ${action}`);
        }
      }
    }
  });

  test('at most one handler handles a message', () => {
    for (const handlers of [replyHandlers, callHandlers]) {
      for (const version of ocppVersions) {
        const keys = handlers.flatMap(({ actions, from }) =>
          actions[version].map((action) => `${from} ${action}`),
        );
        assert.equal(new Set(keys).size, keys.length);
      }
    }
  });

  test('the handler of a reply is found for its side, action and version, and nothing else', () => {
    assert.equal(replyHandlerFor('ocpp1.6', 'GetConfiguration', 'charger'), withholdCredentials);
    assert.equal(replyHandlerFor('ocpp2.1', 'GetVariables', 'charger'), withholdCredentials);
    for (const version of ocppVersions) {
      assert.equal(replyHandlerFor(version, 'BootNotification', 'csms'), keepPending);
      assert.equal(replyHandlerFor(version, 'BootNotification', 'charger'), undefined);
    }
    assert.equal(replyHandlerFor('ocpp1.6', 'GetConfiguration', 'csms'), undefined);
    assert.equal(replyHandlerFor('ocpp1.6', 'GetVariables', 'charger'), undefined);
    assert.equal(replyHandlerFor('ocpp2.1', 'GetConfiguration', 'charger'), undefined);
    assert.equal(replyHandlerFor('ocpp1.6', 'Reset', 'charger'), undefined);
  });

  test('the handler of a call is found for its side, action and version, and nothing else', () => {
    for (const version of ['ocpp2.0.1', 'ocpp2.1'] as const) {
      for (const action of ['NotifyEvent', 'NotifyReport']) {
        assert.equal(callHandlerFor(version, action, 'charger'), withholdReportedCredentials);
        assert.equal(callHandlerFor(version, action, 'csms'), undefined);
        assert.equal(callHandlerFor('ocpp1.6', action, 'charger'), undefined);
      }
      assert.equal(callHandlerFor(version, 'NotifyMonitoringReport', 'charger'), undefined);
      assert.equal(callHandlerFor(version, 'GetVariables', 'charger'), undefined);
    }
  });
});
