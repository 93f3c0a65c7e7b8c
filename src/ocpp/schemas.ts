import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import * as ocpp16 from 'typed-ocpp/dist/ocpp16/schemas.js';
import * as ocpp20 from 'typed-ocpp/dist/ocpp20/schemas.js';
import * as ocpp21 from 'typed-ocpp/dist/ocpp21/schemas.js';
import { invariant } from '../lib/assert.ts';
import { isSendAction } from './actions.ts';
import { readDateTime } from './date-time.ts';
import { isJsonObject, type JsonObject, ownProperty } from './message.ts';
import { applyOverlay } from './schema-overlay.ts';
import type { OcppVersion } from './version.ts';

/** Which payload of an action: what the caller sends, or what it gets back. */
export type PayloadSide = 'request' | 'response';

/** One way in which a payload departs from its schema. */
export type SchemaError = ErrorObject;

const packages: Readonly<Record<OcppVersion, Readonly<Record<string, JsonObject>>>> = {
  'ocpp1.6': ocpp16,
  'ocpp2.0.1': ocpp20,
  'ocpp2.1': ocpp21,
};

interface Validators {
  readonly inlined: JsonObject;
  /** Stops at the first departure. */
  readonly first: ValidateFunction;
  /** Finds all of them. Compiled when a payload first departs; most never do. */
  all: ValidateFunction | undefined;
}

/** By action: one map for each version and side, since a key of all three would be built for each message. */
const compiled: Readonly<
  Record<OcppVersion, Readonly<Record<PayloadSide, Map<string, Validators>>>>
> = {
  'ocpp1.6': { request: new Map(), response: new Map() },
  'ocpp2.0.1': { request: new Map(), response: new Map() },
  'ocpp2.1': { request: new Map(), response: new Map() },
};

/**
 * Objects, lists and list items of a payload up to which all departures are looked for. A frame
 * that is full of meter values has fewer; one that is full of `{}` has twenty times more, and every
 * one of them departs in several ways.
 */
const nodesMax = 5_000;

/** How a payload departs from its schema. */
export interface SchemaReport {
  /** Empty when it conforms. */
  readonly errors: readonly SchemaError[];
  /** False when only the first departure was looked for, because the payload is too large. */
  readonly isComplete: boolean;
}

const conforms: SchemaReport = { errors: [], isComplete: true };

/**
 * The departures of `payload` from the official schema of `action`.
 *
 * `action` must exist in `version`. The validators are compiled on first use, which takes some
 * milliseconds once. `payload` is not changed. The time is linear in the size of the payload.
 */
export function schemaReport(
  version: OcppVersion,
  action: string,
  side: PayloadSide,
  payload: unknown,
): SchemaReport {
  const validators = validatorsFor(version, action, side);
  if (validators.first(payload)) return conforms;
  const firstErrors = takeErrors(validators.first);
  if (hasMoreNodes(payload, nodesMax)) return { errors: firstErrors, isComplete: false };
  validators.all ??= newAjv({ allErrors: true }).compile(validators.inlined);
  validators.all(payload);
  return { errors: takeErrors(validators.all), isComplete: true };
}

/** Errors hold the payload, and validators live as long as the process: none may stay behind. */
function takeErrors(validate: ValidateFunction): readonly SchemaError[] {
  const errors = validate.errors ?? [];
  validate.errors = null;
  return errors;
}

/** The departures that `schemaReport` finds. */
export function schemaErrors(
  version: OcppVersion,
  action: string,
  side: PayloadSide,
  payload: unknown,
): readonly SchemaError[] {
  return schemaReport(version, action, side, payload).errors;
}

/** Has `value` more than `countMax` objects, lists and list items? Looks at no more than that. */
function hasMoreNodes(value: unknown, countMax: number): boolean {
  const open: unknown[] = [value];
  let count = 0;
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (typeof node !== 'object' || node === null) continue;
    count += 1;
    for (const child of Object.values(node) as readonly unknown[]) {
      if (typeof child === 'object') open.push(child);
      else if (Array.isArray(node)) count += 1;
    }
    if (count > countMax) return true;
  }
  return false;
}

/** The corrected official schema of one payload; undefined when the version has no such payload. */
export function schemaOf(
  version: OcppVersion,
  action: string,
  side: PayloadSide,
): JsonObject | undefined {
  const name = schemaName(version, action, side);
  const schemas = packages[version];
  if (name === undefined || !Object.hasOwn(schemas, name)) return undefined;
  const schema = schemas[name];
  return schema === undefined ? undefined : applyOverlay(version, name, schema);
}

function schemaName(version: OcppVersion, action: string, side: PayloadSide): string | undefined {
  if (isSendAction(version, action)) return side === 'request' ? action : undefined;
  return side === 'request' ? `${action}Request` : `${action}Response`;
}

function validatorsFor(version: OcppVersion, action: string, side: PayloadSide): Validators {
  const validatorsOf = compiled[version][side];
  const known = validatorsOf.get(action);
  if (known !== undefined) return known;
  const schema = schemaOf(version, action, side);
  invariant(schema !== undefined, `no schema for the ${side} of ${action} in ${version}`);
  const inlined = inline(schema, schema['definitions']) as JsonObject;
  const first = newAjv({ allErrors: false }).compile(inlined);
  const validators = { inlined, first, all: undefined };
  validatorsOf.set(action, validators);
  return validators;
}

/**
 * The schema with every reference replaced by what it refers to. The official schemas have no
 * circles. Validators for references copy all errors found so far at each failing one, which is
 * quadratic: a frame of 64 KiB took seven seconds.
 */
function inline(node: unknown, definitions: unknown): unknown {
  if (Array.isArray(node)) return node.map((item) => inline(item, definitions));
  if (!isJsonObject(node)) return node;
  const reference = node['$ref'];
  if (typeof reference === 'string') {
    const target = ownProperty(definitions, reference.replace('#/definitions/', ''));
    invariant(target !== undefined, `the schema package has no ${reference}`);
    return inline(target, definitions);
  }
  const entries = Object.entries(node).filter(([key]) => key !== 'definitions');
  return Object.fromEntries(entries.map(([key, child]) => [key, inline(child, definitions)]));
}

function newAjv({ allErrors }: { readonly allErrors: boolean }): Ajv {
  const ajv = new Ajv({
    strict: true,
    // The official files carry keywords that Ajv's strict mode calls meaningless.
    strictSchema: false,
    strictTypes: false,
    // The worst departure decides, so all are wanted where that is affordable.
    allErrors,
    // The offending value tells a soft departure from a hard one.
    verbose: true,
    // A gateway never changes what it checks.
    removeAdditional: false,
    useDefaults: false,
    coerceTypes: false,
    // Charging limits have one decimal; binary floating point would refuse 0.3 or 1.2.
    multipleOfPrecision: 2,
  });
  addFormats.default(ajv, ['uri']);
  ajv.addFormat('date-time', (text) => readDateTime(text) === 'exact');
  return ajv;
}
