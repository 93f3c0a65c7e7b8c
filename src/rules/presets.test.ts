import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Peer } from '../ocpp/version.ts';
import {
  type Modes,
  modes,
  type OverrideSubject,
  presetNames,
  presets,
  type RuleOverride,
  resolveModes,
} from './presets.ts';
import { ruleNames, type Severity } from './rule.ts';

// Goal: what is enforced is what the operator chose, for the chargers that were meant.
// Method: walk rules, severities and sides for each preset; then overrides on both sides of a match.

const severities: readonly Severity[] = ['hard', 'soft', 'benign'];
const peers: readonly Peer[] = ['charger', 'csms'];

const subject: OverrideSubject = {
  charger: 'DEPOT-7',
  vendor: 'Huawei Technologies',
  model: 'SCharger-7KS',
  firmware: undefined,
  listener: 'field',
};

function everyMode({ modeOf }: Modes): readonly string[] {
  return ruleNames.flatMap((rule) =>
    severities.flatMap((severity) => peers.map((from) => modeOf(rule, severity, from))),
  );
}

function withOverrides(...overrides: RuleOverride[]): Modes {
  return resolveModes({ preset: 'standard', overrides }, subject);
}

describe('presets', () => {
  test('strict enforces everything, monitor nothing', () => {
    const all = (preset: 'strict' | 'monitor') =>
      new Set(everyMode(resolveModes({ preset, overrides: [] }, subject)));
    assert.deepEqual(all('strict'), new Set(['enforce']));
    assert.deepEqual(all('monitor'), new Set(['monitor']));
  });

  test('standard enforces what is hard, and towards the charger what is soft', () => {
    assert.deepEqual(presets.standard, {
      hard: { charger: 'enforce', csms: 'enforce' },
      soft: { charger: 'monitor', csms: 'enforce' },
      benign: { charger: 'monitor', csms: 'monitor' },
    });
  });

  test('no preset turns a rule off, or is looser than monitor', () => {
    for (const preset of presetNames) {
      assert(!everyMode(resolveModes({ preset, overrides: [] }, subject)).includes('off'));
    }
  });
});

describe('overrides', () => {
  const override = (changes: Partial<RuleOverride> = {}): RuleOverride => ({
    match: { vendor: 'Huawei*' },
    rule: 'payload',
    mode: 'monitor',
    ...changes,
  });

  for (const mode of modes) {
    test(`${mode} holds for one rule, all severities, both sides`, () => {
      const resolved = withOverrides(override({ mode }));
      for (const severity of severities) {
        for (const from of peers) {
          assert.equal(resolved.modeOf('payload', severity, from), mode);
          const untouched = presets.standard[severity][from];
          assert.equal(resolved.modeOf('direction', severity, from), untouched);
        }
      }
    });
  }

  test('for one side only, where it says so', () => {
    const resolved = withOverrides(override({ from: 'charger' }));
    assert.equal(resolved.modeOf('payload', 'hard', 'charger'), 'monitor');
    assert.equal(resolved.modeOf('payload', 'hard', 'csms'), 'enforce');
  });

  test('the later one wins', () => {
    const resolved = withOverrides(override({ mode: 'off' }), override({ mode: 'enforce' }));
    assert.equal(resolved.modeOf('payload', 'benign', 'csms'), 'enforce');
  });

  const matches: readonly (readonly [RuleOverride['match'], boolean])[] = [
    [{ vendor: 'Huawei*' }, true],
    [{ vendor: 'Huawei' }, false],
    [{ vendor: 'huawei*' }, false],
    [{ vendor: 'Huawei*', model: 'SCharger*' }, true],
    [{ vendor: 'Huawei*', model: 'Other*' }, false],
    [{ charger: 'DEPOT-*' }, true],
    // Identities have no case, what a charger says of itself has one.
    [{ charger: 'depot-*' }, true],
    [{ charger: 'CP-*' }, false],
    [{ listener: 'field' }, true],
    // Nothing is known of its firmware, so no pattern matches it, not even "*".
    [{ firmware: '*' }, false],
    [{ vendor: undefined, listener: 'field' }, true],
  ];
  for (const [match, expected] of matches) {
    test(`${JSON.stringify(match)} ${expected ? 'matches' : 'does not match'}`, () => {
      const resolved = withOverrides(override({ match }));
      assert.equal(resolved.modeOf('payload', 'hard', 'csms') === 'monitor', expected);
    });
  }
});
