import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import * as ocpp16 from 'typed-ocpp/dist/ocpp16/schemas.js';
import * as ocpp20 from 'typed-ocpp/dist/ocpp20/schemas.js';
import * as ocpp21 from 'typed-ocpp/dist/ocpp21/schemas.js';
import { invariant } from '../lib/assert.ts';
import { isSendAction } from './actions.ts';
import { readDateTime } from './date-time.ts';
import type { JsonObject } from './message.ts';
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

const compiled = new Map<string, ValidateFunction>();

/**
 * The departures of `payload` from the official schema of `action`; empty when it conforms.
 *
 * `action` must exist in `version`. The validator is compiled on first use, which takes some
 * milliseconds once. `payload` is not changed.
 */
export function schemaErrors(
  version: OcppVersion,
  action: string,
  side: PayloadSide,
  payload: unknown,
): readonly SchemaError[] {
  const validate = validatorFor(version, action, side);
  return validate(payload) ? [] : (validate.errors ?? []);
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

function validatorFor(version: OcppVersion, action: string, side: PayloadSide): ValidateFunction {
  const key = `${version} ${action} ${side}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const schema = schemaOf(version, action, side);
  invariant(schema !== undefined, `no schema for ${key}`);
  const validate = newAjv().compile(schema);
  compiled.set(key, validate);
  return validate;
}

function newAjv(): Ajv {
  const ajv = new Ajv({
    strict: true,
    // The official files carry keywords that Ajv's strict mode calls meaningless.
    strictSchema: false,
    strictTypes: false,
    // All departures are wanted: the worst of them decides. Frames are bounded, so is the list.
    allErrors: true,
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
