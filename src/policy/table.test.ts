import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptedContext } from '../../test/support/policy-context.ts';
import { actionsOf } from '../ocpp/actions.ts';
import { type MessageKind, messageTypeIds } from '../ocpp/message.ts';
import type { Peer } from '../ocpp/version.ts';
import { decode } from '../rules/decode.ts';
import { ruleNames } from '../rules/rule.ts';
import { allRules } from './table.ts';

// Goal: no rule is forgotten, each has a number of its own, and none is passed over for a message that
//   it has something against.
// Method: both tables against the list of names; and all rules over messages of all kinds, of a
//   charger of which the rules of context think the worst.

test('every rule is in one of the two tables, in the order of their names and numbers', () => {
  const { all } = allRules;
  assert.deepEqual(
    all.map(({ name }) => name),
    ruleNames,
  );
  assert.deepEqual(
    all.map(({ id }) => id),
    ruleNames.map((_, index) => index),
  );
});

const kinds = Object.keys(messageTypeIds) as readonly MessageKind[];
const sides: readonly Peer[] = ['charger', 'csms'];

test('no message breaks a rule that is not asked about messages of its kind', () => {
  const context = acceptedContext('ocpp2.1', {
    bootStatus: 'Rejected',
    wasTriggered: () => false,
    ownsTransaction: () => false,
    otherOwnersOf: () => 1,
    securityProfile: 0,
    usedProfile: 3,
    credentialChanges: 'refuse',
    restriction: 'default-password',
    isOwnCertificate: () => true,
    isForeignName: () => true,
    mayRequestCertificate: false,
  });
  const broken = new Set<string>();
  for (const kind of kinds) {
    for (const action of [...actionsOf('ocpp2.1'), 'NoAction']) {
      const payload = { transactionInfo: { transactionId: '1234567890123456' } };
      const { frame } = decode(textOf(kind, action, payload), 'charger', 'ocpp2.1');
      assert(frame.kind === kind, kind);
      for (const from of sides) {
        const asked = allRules.for(from, kind);
        for (const is of ['new', 'late'] as const) {
          const input = { frame, from, version: 'ocpp2.1', correlation: { is }, context } as const;
          for (const rule of allRules.all) {
            if (rule.check(input) === undefined) continue;
            assert(asked.includes(rule), `${rule.name} minds a ${kind} of the ${from}: ${action}`);
            broken.add(rule.name);
          }
        }
      }
    }
  }
  // Otherwise this would show little.
  assert(broken.size >= 8, [...broken].join(' '));
});

function textOf(kind: MessageKind, action: string, payload: object): Buffer {
  const isRequest = kind === 'call' || kind === 'send';
  const isError = kind === 'call-error' || kind === 'call-result-error';
  const rest = isRequest ? [action, payload] : isError ? ['GenericError', '', {}] : [payload];
  return Buffer.from(JSON.stringify([messageTypeIds[kind], '1', ...rest]));
}
