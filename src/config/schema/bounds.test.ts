import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { isJsonObject, ownProperty } from '../../ocpp/message.ts';
import { configSchema } from './config.ts';

// Goal: every number in the configuration has a bound on both sides, and the bound holds.
// Method: walk the JSON schema of the configuration, find every number, and try both sides of both
// bounds. An option that is added tomorrow is tested tomorrow.

const listener = { name: 'f', address: 'a:1', securityProfile: 0, allowUnauthenticated: true };

interface NumberOption {
  readonly path: readonly string[];
  readonly schema: unknown;
}

function numbersIn(schema: unknown, path: readonly string[]): readonly NumberOption[] {
  const properties = ownProperty(schema, 'properties');
  const inside = isJsonObject(properties)
    ? Object.entries(properties).flatMap(([key, child]) => numbersIn(child, [...path, key]))
    : [];
  const items = ownProperty(schema, 'items');
  const inItems = items === undefined ? [] : numbersIn(items, [...path, '0']);
  const type = ownProperty(schema, 'type');
  const isNumber = (type === 'integer' || type === 'number') && !isConstant(schema);
  return isNumber ? [{ path, schema }] : [...inside, ...inItems];
}

function isConstant(schema: unknown): boolean {
  return ownProperty(schema, 'const') !== undefined || ownProperty(schema, 'enum') !== undefined;
}

/** A configuration in which the option at `path` is `value`, and every other one is harmless. */
function configWith([section = '', ...path]: readonly string[], value: unknown): unknown {
  const config: Record<string, unknown> = {
    listeners: [listener],
    csms: { url: 'ws://c/' },
    limits: { pingSeconds: 0 },
  };
  const [key = '', , inner = ''] = path;
  if (section === 'listeners') {
    const certificates = [{ certFile: 'c', keyFile: 'k' }];
    const clientCertificates = { caFile: 'a', [path.at(-1) ?? '']: value };
    const tls = { certificates, clientCertificates };
    return { ...config, listeners: [{ name: 'f', address: 'a:1', securityProfile: 3, tls }] };
  }
  if (section === 'chargers' && key === 'records') {
    return { ...config, chargers: { records: [{ id: 'CP-1', [inner]: value }] } };
  }
  if (section === 'isolation') {
    return { ...config, isolation: { bindings: [bindingWith(path.slice(2), value)] } };
  }
  if (section === 'rampLimit') {
    const csms = { url: 'ws://c/', callTimeoutSeconds: 600 };
    return { ...config, csms, rampLimit: rampLimitWith(path, value) };
  }
  const nested = path.reduceRight<unknown>((inside, name) => ({ [name]: inside }), value);
  return { ...config, [section]: { ...Object(config[section]), ...Object(nested) } };
}

function rampLimitWith([key = '', ...path]: readonly string[], value: unknown): unknown {
  const inner = path.at(-1);
  if (inner === undefined) return { [key]: value };
  // As little as a ceiling can be.
  const entry = { commandsPerInterval: 1, [inner]: value };
  if (key === 'feeders') return { feeders: [{ name: 'f', ...entry }] };
  return { [key]: key === 'unassigned' ? entry : { [inner]: value } };
}

function bindingWith([key = '', inner = '']: readonly string[], value: unknown): unknown {
  const binding = {
    ...{ name: 'b', interface: 'i', addresses: ['10.0.0.1/24'], listener: 'f', port: 1 },
    chargers: ['C'],
  };
  if (key === 'dhcp') {
    return { ...binding, dhcp: { from: '10.0.0.2', to: '10.0.0.3', [inner]: value } };
  }
  return { ...binding, [key]: inner === '' ? value : [value] };
}

const jsonSchema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' });
const options = numbersIn(jsonSchema, []);

describe('the bounds of the configuration', () => {
  test('there are numbers to test', () => assert(options.length >= 20, String(options.length)));

  for (const { path, schema } of options) {
    const [minimum, maximum] = [ownProperty(schema, 'minimum'), ownProperty(schema, 'maximum')];

    test(`${path.join('.')} is a whole number from ${minimum} to ${maximum}`, () => {
      assert.equal(ownProperty(schema, 'type'), 'integer');
      assert(typeof minimum === 'number' && typeof maximum === 'number');
      assert(minimum >= 0 && maximum < Number.MAX_SAFE_INTEGER);
      const accepts = (value: unknown): boolean =>
        configSchema.safeParse(configWith(path, value)).success;
      assert.deepEqual([minimum, maximum].map(accepts), [true, true]);
      const refused = [minimum - 1, maximum + 1, minimum + 0.5, String(minimum), null, Infinity];
      for (const value of refused) assert.equal(accepts(value), false, String(value));
    });

    test(`${path.join('.')} has its unit or bound in its name`, () => {
      assert.match(
        path.findLast((name) => !/^\d+$/.test(name)) ?? '',
        // A port has none.
        /^port$|Ports$|(?:Seconds|PerSecond|Minutes|Hours|Days|Max|Kw|(?:Kw|[cC]ommands)PerInterval|Volts)$/,
      );
    });
  }

  test('every list and every free text has a limit', () => {
    const unbounded: string[] = [];
    const walk = (schema: unknown, path: string): void => {
      const type = ownProperty(schema, 'type');
      const isFreeText = type === 'string' && !isConstant(schema);
      if (isFreeText && !['maxLength', 'pattern'].some((key) => ownProperty(schema, key))) {
        unbounded.push(path);
      }
      const items = ownProperty(schema, 'items');
      const isFreeList = type === 'array' && !isConstant(items);
      if (isFreeList && ownProperty(schema, 'maxItems') === undefined) unbounded.push(path);
      if (items !== undefined) walk(items, `${path}[]`);
      const properties = ownProperty(schema, 'properties');
      if (!isJsonObject(properties)) return;
      for (const [key, child] of Object.entries(properties)) walk(child, `${path}.${key}`);
    };
    walk(jsonSchema, '');
    assert.deepEqual(unbounded, []);
  });
});
