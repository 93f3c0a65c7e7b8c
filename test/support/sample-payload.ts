import { isJsonObject, type JsonObject, ownProperty } from '../../src/ocpp/message.ts';
import { type PayloadSide, schemaOf } from '../../src/ocpp/schemas.ts';
import type { OcppVersion } from '../../src/ocpp/version.ts';

/** `minimal` has the required properties alone; `full` has every one, to a bounded depth. */
export type PayloadSize = 'minimal' | 'full';

/** Objects within objects below which a full sample becomes a minimal one. */
const fullDepthMax = 4;

/**
 * A payload that keeps the official schema of `action`, made from that schema.
 *
 * The same arguments give the same payload. Texts of a full sample are as long as they may be, up to
 * 64 characters, so that a limit that was tightened by mistake is noticed.
 */
export function samplePayload(
  version: OcppVersion,
  action: string,
  side: PayloadSide,
  size: PayloadSize,
): JsonObject {
  const root = schemaOf(version, action, side);
  if (root === undefined) throw new Error(`no schema for ${version} ${action} ${side}`);
  const sample = valueFor(root, { root, size, depth: 0 });
  if (!isJsonObject(sample)) throw new Error(`${version} ${action} ${side} is no object`);
  return sample;
}

interface Place {
  readonly root: JsonObject;
  readonly size: PayloadSize;
  readonly depth: number;
}

function valueFor(schema: unknown, place: Place): unknown {
  const resolved = resolveReference(schema, place.root);
  const values = ownProperty(resolved, 'enum');
  if (Array.isArray(values)) return values[0];
  switch (ownProperty(resolved, 'type')) {
    case 'object':
      return objectFor(resolved, place);
    case 'array':
      return arrayFor(resolved, place);
    case 'integer':
    case 'number':
      return numberWithin(resolved);
    case 'boolean':
      return true;
    case 'string':
      return textFor(resolved, place.size);
    default:
      // `data` of DataTransfer and the inside of customData may be anything.
      return 'anything';
  }
}

function resolveReference(schema: unknown, root: JsonObject): unknown {
  const reference = ownProperty(schema, '$ref');
  if (typeof reference !== 'string') return schema;
  const name = reference.replace('#/definitions/', '');
  return ownProperty(ownProperty(root, 'definitions'), name);
}

function objectFor(schema: unknown, place: Place): JsonObject {
  const properties = ownProperty(schema, 'properties');
  if (!isJsonObject(properties)) return {};
  const required = ownProperty(schema, 'required');
  const isRequired = (name: string): boolean => Array.isArray(required) && required.includes(name);
  const wantsAll = place.size === 'full' && place.depth < fullDepthMax;
  const inside = { ...place, depth: place.depth + 1 };
  return Object.fromEntries(
    Object.entries(properties)
      .filter(([name]) => wantsAll || isRequired(name))
      .map(([name, property]) => [name, valueFor(property, inside)]),
  );
}

function arrayFor(schema: unknown, place: Place): readonly unknown[] {
  const countMin = ownProperty(schema, 'minItems');
  const count = typeof countMin === 'number' ? countMin : place.size === 'full' ? 1 : 0;
  const items = ownProperty(schema, 'items');
  return Array.from({ length: count }, () => valueFor(items, place));
}

function numberWithin(schema: unknown): number {
  const minimum = ownProperty(schema, 'minimum');
  const maximum = ownProperty(schema, 'maximum');
  if (typeof minimum === 'number' && minimum > 1) return minimum;
  return typeof maximum === 'number' && maximum < 1 ? maximum : 1;
}

function textFor(schema: unknown, size: PayloadSize): string {
  const format = ownProperty(schema, 'format');
  if (format === 'date-time') return '2026-01-01T00:00:00Z';
  if (format === 'uri') return 'https://files.example/upload';
  const lengthMax = ownProperty(schema, 'maxLength');
  if (size === 'minimal' || typeof lengthMax !== 'number') return 'x';
  return 'x'.repeat(Math.min(lengthMax, 64));
}
