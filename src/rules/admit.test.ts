import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ErrorCode } from '../errors/catalogue.ts';
import type { Peer } from '../ocpp/version.ts';
import { type AdmitContext, admit, type Verdict } from './admit.ts';
import { decode } from './decode.ts';
import { type PresetName, type RuleOverride, resolveModes } from './presets.ts';
import type { Rule, RuleName, Severity } from './rule.ts';
import { rules } from './table.ts';

// Goal: rules are asked in order, the first enforced violation decides, and what only watches does
// not stop anything.
// Method: rules made for the test, so that order and severity are free; then the real table.

const subject = {
  charger: 'CP-1',
  vendor: undefined,
  model: undefined,
  firmware: undefined,
  listener: 'field',
};

function context(
  preset: PresetName,
  changes: { from?: Peer; overrides?: readonly RuleOverride[] } = {},
): AdmitContext {
  const { from = 'charger', overrides = [] } = changes;
  const modes = resolveModes({ preset, overrides }, subject);
  return { from, version: 'ocpp1.6', correlation: { is: 'new' }, modes };
}

/** A rule that always finds something. */
function finding(name: RuleName, severity: Severity, asked: string[] = []): Rule {
  return {
    id: 0,
    name,
    factor: '',
    demand: '',
    source: '',
    onFail: { call: 'call-error', reply: 'drop' },
    check: () => {
      asked.push(name);
      return { rule: name, code: 'PAYLOAD_TYPE', severity, detail: name };
    },
  };
}

const call = (text = '[2,"1","Heartbeat",{}]', from: Peer = 'charger') =>
  decode(Buffer.from(text), from, 'ocpp1.6');

function summary(verdict: Verdict): readonly string[] {
  const flagged = verdict.flagged.map(({ rule }) => `flagged ${rule}`);
  return [...flagged, verdict.is === 'admitted' ? 'admitted' : `refused ${verdict.violation.rule}`];
}

describe('admit', () => {
  test('a message that breaks nothing is admitted with its own bytes', () => {
    const decoded = call();
    const verdict = admit(decoded, context('strict'), rules);
    assert.deepEqual(summary(verdict), ['admitted']);
    assert.equal(verdict.frame.bytes, decoded.frame.bytes);
  });

  test('rules are asked in order, and none after the first that is enforced', () => {
    const asked: string[] = [];
    const table = [
      finding('direction', 'soft', asked),
      finding('message-id', 'hard', asked),
      finding('payload', 'hard', asked),
    ];
    const verdict = admit(call(), context('standard'), table);
    assert.deepEqual(summary(verdict), ['flagged direction', 'refused message-id']);
    assert.deepEqual(asked, ['direction', 'message-id']);
  });

  test('what decode found comes before the rules', () => {
    const asked: string[] = [];
    const decoded = call('[2,"1","Heartbeat",{"a":1,"a":2}]');
    const verdict = admit(decoded, context('standard'), [finding('direction', 'hard', asked)]);
    assert.deepEqual(summary(verdict), ['refused format']);
    assert.deepEqual(asked, []);
  });

  test('monitor flags everything and refuses nothing', () => {
    const table = [finding('direction', 'hard'), finding('payload', 'hard')];
    const verdict = admit(call('[2,"1","Heartbeat",{"a":1,"a":2}]'), context('monitor'), table);
    assert.deepEqual(summary(verdict), [
      'flagged format',
      'flagged direction',
      'flagged payload',
      'admitted',
    ]);
  });

  test('a rule that is off neither refuses nor flags', () => {
    const overrides: RuleOverride[] = [{ match: { charger: '*' }, rule: 'payload', mode: 'off' }];
    const verdict = admit(call(), context('strict', { overrides }), [finding('payload', 'hard')]);
    assert.deepEqual(summary(verdict), ['admitted']);
  });

  test('a text that is no message is not shown to the rules', () => {
    const asked: string[] = [];
    const table = [finding('direction', 'hard', asked)];
    assert.deepEqual(summary(admit(call('nonsense'), context('monitor'), table)), [
      'flagged format',
      'admitted',
    ]);
    assert.deepEqual(summary(admit(call('nonsense'), context('standard'), table)), [
      'refused format',
    ]);
    assert.deepEqual(asked, []);
  });
});

describe('P2: a soft violation never stops the end of a transaction or a fault', () => {
  const stop = '[2,"1","StopTransaction",{}]';
  const enforceSoft: RuleOverride[] = [
    { match: { charger: '*' }, rule: 'payload', mode: 'enforce' },
  ];

  test('not even where an override enforces the rule, outside strict', () => {
    const table = [finding('payload', 'soft')];
    const overridden = context('standard', { overrides: enforceSoft });
    assert.deepEqual(summary(admit(call(stop), overridden, table)), [
      'flagged payload',
      'admitted',
    ]);
    assert.deepEqual(summary(admit(call(), overridden, table)), ['refused payload']);
  });

  test('strict is to the letter', () => {
    const verdict = admit(call(stop), context('strict'), [finding('payload', 'soft')]);
    assert.deepEqual(summary(verdict), ['refused payload']);
  });

  test('of the hard ones only those stop it that break or deceive others', () => {
    const outcome = (code: ErrorCode, text: string): readonly string[] => {
      const violation = { rule: 'payload', code, severity: 'hard', detail: '' } as const;
      const rule: Rule = { ...finding('payload', 'hard'), check: () => violation };
      return summary(admit(call(text), context('standard'), [rule]));
    };
    for (const code of ['PAYLOAD_DATE', 'PAYLOAD_MISSING', 'PAYLOAD_TYPE'] as const) {
      assert.deepEqual(outcome(code, stop), ['flagged payload', 'admitted'], code);
      assert.deepEqual(outcome(code, '[2,"1","Heartbeat",{}]'), ['refused payload'], code);
    }
    for (const code of ['PAYLOAD_YEAR', 'PAYLOAD_EXTRA', 'PAYLOAD_LENGTH'] as const) {
      assert.deepEqual(outcome(code, stop), ['refused payload'], code);
    }
  });

  test('from the CSMS it is nothing special', () => {
    const decoded = call(stop, 'csms');
    const verdict = admit(decoded, context('standard', { from: 'csms' }), [
      finding('payload', 'soft'),
    ]);
    assert.deepEqual(summary(verdict), ['refused payload']);
  });
});
