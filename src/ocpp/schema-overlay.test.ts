import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import * as packaged16 from 'typed-ocpp/dist/ocpp16/schemas.js';
import { StatusNotificationRequest } from 'typed-ocpp/dist/ocpp16/schemas.js';
import * as packaged21 from 'typed-ocpp/dist/ocpp21/schemas.js';
import { type JsonObject, ownProperty } from './message.ts';
import { applyOverlay, corrections } from './schema-overlay.ts';
import { schemaErrors, schemaOf } from './schemas.ts';

// Goal: the official limits are in force, and a release of the schema package that changes what it
// says is noticed.
// Method: walk the table of corrections, against the package, against the schemas in use, and
// against another copy of the official files.

const packages: Readonly<Record<string, Readonly<Record<string, JsonObject>>>> = {
  'ocpp1.6': packaged16,
  'ocpp2.1': packaged21,
};

/** The copy that ocpp-rpc ships. */
function officialSchema(schema: string): unknown {
  const file = new URL('lib/schemas/ocpp1_6.json', import.meta.resolve('ocpp-rpc'));
  const all = JSON.parse(readFileSync(file, 'utf8')) as readonly JsonObject[];
  const id = `urn:${schema.replace('Request', '.req').replace('Response', '.conf')}`;
  return all.find((candidate) => candidate['$id'] === id);
}

function valueAt(object: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((inside, key) => ownProperty(inside, key), object);
}

describe('the schema overlay', () => {
  for (const { version, schema, path, keyword, packaged: told, limit } of corrections) {
    const where = `${version} ${schema} ${path.join('.')} ${keyword}`;

    test(`${where}: the package still says ${told}`, () => {
      assert.equal(valueAt(packages[version]?.[schema], [...path, keyword]), told);
    });

    test(`${where}: ${limit} is in force`, () => {
      const match = /^(.*)(Request|Response)$/.exec(schema);
      const side = match?.[2] === 'Request' ? 'request' : 'response';
      const inUse = schemaOf(version, match?.[1] ?? '', side);
      assert.equal(valueAt(inUse, [...path, keyword]), limit);
    });
  }

  for (const { schema, path, keyword, packaged: told, limit } of corrections) {
    // Where the package has no limit, the official schema has none either.
    if (told === undefined) continue;
    test(`${schema} ${path.join('.')} ${keyword}: ocpp-rpc has ${limit} as well`, () => {
      assert.equal(valueAt(officialSchema(schema), [...path, keyword]), limit);
    });
  }

  test('the official length passes, one more does not', () => {
    const lengthErrors = (length: number): number =>
      schemaErrors('ocpp1.6', 'ChangeConfiguration', 'request', {
        key: 'k',
        value: 'x'.repeat(length),
      }).length;
    assert.equal(lengthErrors(500), 0);
    assert.equal(lengthErrors(501), 1);
  });

  test('the package itself is not changed, and its neighbours are shared', () => {
    const before = structuredClone(StatusNotificationRequest);
    const schema = StatusNotificationRequest as JsonObject;
    const corrected = applyOverlay('ocpp1.6', 'StatusNotificationRequest', schema);
    assert.notEqual(corrected, schema);
    assert.deepEqual(StatusNotificationRequest, before);
    assert.deepEqual(ownProperty(corrected, 'required'), ownProperty(schema, 'required'));
  });

  test('another version or another schema stays as it is', () => {
    const schema = StatusNotificationRequest as JsonObject;
    assert.equal(applyOverlay('ocpp2.0.1', 'StatusNotificationRequest', schema), schema);
    assert.equal(applyOverlay('ocpp1.6', 'HeartbeatRequest', schema), schema);
  });
});
