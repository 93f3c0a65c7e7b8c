import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptedContext } from '../../test/support/policy-context.ts';
import { ruleNames } from '../rules/rule.ts';
import { rules } from '../rules/table.ts';
import { policyRules } from './table.ts';

// Goal: no rule is forgotten, and each has a number of its own.
// Method: both tables against the list of names.

test('every rule is in one of the two tables, in the order of their names and numbers', () => {
  const all = [...rules, ...policyRules(acceptedContext('ocpp1.6'))];
  assert.deepEqual(
    all.map(({ name }) => name),
    ruleNames,
  );
  assert.deepEqual(
    all.map(({ id }) => id),
    ruleNames.map((_, index) => index),
  );
});
