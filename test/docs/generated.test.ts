import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ConfigOption, configOptions } from '../../scripts/docs/config-options.ts';
import { codesOf, judge } from '../../scripts/docs/judge-example.ts';
import { codesOfRule } from '../../scripts/docs/message-rules-page.ts';
import { ruleExamples } from '../../scripts/docs/rule-examples.ts';
import { generatedDocs } from '../../scripts/generate-docs.ts';
import { parseConfig } from '../../src/config/load.ts';
import { errors } from '../../src/errors/catalogue.ts';
import { events } from '../../src/events/catalogue.ts';
import { ruleNames } from '../../src/rules/rule.ts';
import { exists, textOf } from './repository.ts';

// Goal: the generated pages say what the code says, and leave nothing out.
// Method: generate them in memory and compare; then look for each name of each catalogue.
describe('generated documentation', () => {
  test('is what the generator writes today; if not, run "npm run docs"', async () => {
    for (const [file, text] of await generatedDocs()) {
      assert.ok(exists(file), `${file} is missing`);
      assert.equal(textOf(file), text, `${file} is stale`);
    }
  });

  test('comes out the same each time', async () => {
    assert.deepEqual(await generatedDocs(), await generatedDocs());
  });

  test('docs/errors.md has every error code', () => {
    assert.deepEqual(headings('docs/errors.md'), Object.keys(errors));
  });

  test('docs/events.md has every event', () => {
    assert.deepEqual(headings('docs/events.md'), Object.keys(events));
  });

  test('docs/config.md has every option', () => {
    const paths = configOptions().map((option) => option.path);
    assert.deepEqual(headings('docs/config.md'), paths);
    assert.ok(paths.includes('limits.frameBytesMax'));
    assert.ok(paths.includes('chargers.records[].assumeSubprotocol'));
  });

  test('every option that holds no others has a description, but for patterns of overrides', () => {
    const bare = configOptions().filter(({ path, schema }) => {
      const isSection = schema.properties !== undefined || schema.items?.properties !== undefined;
      // The description of `match` speaks of all of them.
      const isExplainedAbove = path.startsWith('rules.overrides[].match.');
      const isTag = path === 'csms.auth.type';
      return !isSection && !isExplainedAbove && !isTag && schema.description === undefined;
    });
    assert.deepEqual(
      bare.map(({ path }: ConfigOption) => path),
      [],
    );
  });

  test('every default in docs/config.md is what a minimal configuration gets', () => {
    const config = parseConfig(
      'listeners: [{ name: a, address: "127.0.0.1:0", securityProfile: 0,' +
        ' allowUnauthenticated: true }]\ncsms: { url: "ws://127.0.0.1:1/" }\n' +
        'isolation: { bindings: [{ name: b, interface: i, addresses: [10.0.0.1/8], listener: a,' +
        ' port: 1, chargers: [C] }] }\n',
    );
    assert.ok(config.ok);
    for (const { path, schema } of configOptions()) {
      const { default: value } = schema;
      const isPlain = typeof value !== 'object' && !path.includes('[]') && value !== undefined;
      // Addresses are parsed; their text is gone.
      if (!isPlain || path.endsWith('.address')) continue;
      assert.equal(valueAt(config.value, path.split('.')), value, path);
    }
  });

  test('each violation code belongs to one rule, and docs/message-rules.md shows it', () => {
    const page = textOf('docs/message-rules.md');
    const all = ruleNames.flatMap(codesOfRule);
    assert.equal(new Set(all).size, all.length);
    for (const rule of ruleNames) {
      const codes = codesOfRule(rule);
      assert.notEqual(codes.length, 0, rule);
      for (const code of codes) assert.ok(page.includes(`[${code}](errors.md#`), code);
    }
  });

  test('the examples of docs/message-rules.md break at least one code of every rule', () => {
    const codes = ruleExamples.flatMap((example) => codesOf(judge(example, 'strict')));
    for (const rule of ruleNames) {
      const ofRule: readonly string[] = codesOfRule(rule);
      assert.ok(
        codes.some((code) => ofRule.includes(code)),
        rule,
      );
    }
  });

  test('remedies name options that exist', () => {
    const paths = new Set(configOptions().map((option) => option.path));
    const entries = [...Object.entries(errors), ...Object.entries(events)];
    for (const [name, { remedy }] of entries) {
      for (const [, option] of remedy.matchAll(/`([a-z][A-Za-z]*(?:\[\])?\.[A-Za-z.[\]]+)[`:]/g)) {
        assert.ok(paths.has(option ?? ''), `${name} names ${option}`);
      }
    }
  });
});

function headings(file: string): readonly string[] {
  return [...textOf(file).matchAll(/^###? (\S+)$/gm)].map(([, heading]) => heading ?? '');
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], value);
}
