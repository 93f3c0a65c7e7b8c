import { isJsonObject, type JsonObject } from '../../src/ocpp/message.ts';
import { type PayloadSide, schemaOf } from '../../src/ocpp/schemas.ts';
import type { OcppVersion } from '../../src/ocpp/version.ts';

/** Which properties a sample has: those that must be there, or all (to a bounded depth). */
export type SampleSize = 'smallest' | 'full';

/** Below this depth only required properties are filled in. */
const optionalDepthMax = 2;

/** A payload that conforms to the official schema of `action`. */
export function samplePayload(
  version: OcppVersion,
  action: string,
  size: SampleSize,
  side: PayloadSide = 'request',
): JsonObject {
  const root = schemaOf(version, action, side);
  if (root === undefined) throw new Error(`no schema for ${version} ${action}`);
  const sample = sampleOf(root, root, size === 'full' ? optionalDepthMax : 0);
  return isJsonObject(sample) ? sample : {};
}

function sampleOf(schema: unknown, root: JsonObject, optionalDepth: number): unknown {
  if (!isJsonObject(schema)) return 'x';
  const reference = schema['$ref'];
  if (typeof reference === 'string') {
    const definitions = root['definitions'];
    const name = reference.split('/').at(-1) ?? '';
    const target = isJsonObject(definitions) ? definitions[name] : undefined;
    return sampleOf(target, root, optionalDepth);
  }
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  switch (schema['type']) {
    case 'object':
      return sampleObject(schema, root, optionalDepth);
    case 'array':
      return [sampleOf(schema['items'], root, optionalDepth - 1)];
    case 'integer':
    case 'number':
      // Limits of discharging are at most 0.
      return typeof schema['maximum'] === 'number' ? Math.min(1, schema['maximum']) : 1;
    case 'boolean':
      return true;
    default:
      return sampleText(schema);
  }
}

function sampleObject(schema: JsonObject, root: JsonObject, optionalDepth: number): JsonObject {
  const properties = isJsonObject(schema['properties']) ? schema['properties'] : {};
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  const names = Object.keys(properties).filter(
    (name) => required.includes(name) || (optionalDepth > 0 && name !== 'customData'),
  );
  return Object.fromEntries(
    names.map((name) => [name, sampleOf(properties[name], root, optionalDepth - 1)]),
  );
}

function sampleText(schema: JsonObject): string {
  if (schema['format'] === 'date-time') return '2026-01-01T00:00:00Z';
  if (schema['format'] === 'uri') return 'https://files.example/1';
  return 'x';
}
