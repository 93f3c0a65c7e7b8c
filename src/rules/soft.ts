import type { ErrorCode } from '../errors/catalogue.ts';
import { readDateTime } from '../ocpp/date-time.ts';
import { isJsonObject, type JsonObject, ownProperty } from '../ocpp/message.ts';
import { type PayloadSide, type SchemaError, schemaOf } from '../ocpp/schemas.ts';
import { foldKey } from '../ocpp/strict-json.ts';
import type { OcppVersion } from '../ocpp/version.ts';
import type { Frame } from './frame.ts';
import type { Severity, Violation } from './rule.ts';

/**
 * Which departures from the schema are soft: wrong, but seen from healthy chargers.
 *
 * The presets decide what becomes of a soft violation. What is hard here is what a command or a
 * bill depends on, what no system could make sense of, and what has broken systems.
 *
 * Source: docs/divergences.md, "Payloads"; each row of it has a test.
 */
export interface PayloadContext {
  readonly version: OcppVersion;
  readonly action: string;
  readonly side: PayloadSide;
  readonly payload: JsonObject;
}

/**
 * Fields on which a command or a bill depends: a wrong type or an unknown value there is hard.
 * Everywhere else a number for a string, or an unknown measurand, is only untidy.
 */
const consequentialFields: ReadonlySet<string> = new Set([
  'connectorId',
  'currentTime',
  'eventType',
  'evseId',
  'id',
  'idTag',
  'interval',
  'meterStart',
  'meterStop',
  'remoteStartId',
  'requestId',
  'reservationId',
  'seqNo',
  'timestamp',
  'transactionId',
]);

/**
 * Over-long texts are soft up to this many characters, or to 16 times their limit if that is more.
 * Signed meter data was given 2500 characters by OCPP 2.0.1 and 32768 by 2.1: 16 covers it.
 */
const softLengthMin = 512;
const softLengthFactor = 16;

/** The violation that `error` is, in the payload that `context` describes. */
export function payloadViolation(error: SchemaError, context: PayloadContext): Violation {
  const { code, severity: inGeneral } = classify(error, context);
  const isHarmless = inGeneral === 'soft' && context.side === 'response' && untidyCodes.has(code);
  const severity = isHarmless ? 'benign' : inGeneral;
  // The path holds names from the schema and list positions: unknown properties end the descent.
  const detail = `${context.action} ${context.side} ${error.instancePath || '/'} ${error.keyword}`;
  return { rule: 'payload', code, severity, detail };
}

/**
 * Soft departures that are benign in replies. A reply commands nothing: it answers what its receiver
 * has asked, and a charger whose BootNotification is never answered charges nobody. Widespread CSMS
 * send `currentTime` without a zone, nulls, and members of their own.
 */
const untidyCodes: ReadonlySet<ErrorCode> = new Set([
  'PAYLOAD_DATE',
  'PAYLOAD_EXTRA',
  'PAYLOAD_NULL',
]);

interface Classification {
  readonly code: ErrorCode;
  readonly severity: Severity;
}

function classify(error: SchemaError, context: PayloadContext): Classification {
  const field = fieldName(error.instancePath);
  const value: unknown = error.data;
  switch (error.keyword) {
    case 'required':
      return { code: 'PAYLOAD_MISSING', severity: 'hard' };
    case 'additionalProperties':
      return { code: 'PAYLOAD_EXTRA', severity: imitatesProperty(error) ? 'hard' : 'soft' };
    case 'type':
      return classifyType(error, context, field);
    case 'enum':
      return { code: 'PAYLOAD_VALUE', severity: hardIfConsequential(field) };
    case 'maxLength':
      return { code: 'PAYLOAD_LENGTH', severity: isFarTooLong(error) ? 'hard' : 'soft' };
    case 'minimum':
    case 'maximum':
      return { code: 'PAYLOAD_RANGE', severity: 'soft' };
    case 'multipleOf':
      // A limit of 13.33 A is understood by all; refusing it would leave a higher one in force.
      return { code: 'PAYLOAD_RANGE', severity: 'benign' };
    case 'minItems':
      return { code: 'PAYLOAD_COUNT', severity: 'soft' };
    case 'maxItems':
      return { code: 'PAYLOAD_COUNT', severity: 'hard' };
    case 'format': {
      const isDate = error.params['format'] === 'date-time';
      if (!isDate) return { code: 'PAYLOAD_FORMAT', severity: 'hard' };
      return classifyDate(String(value), field);
    }
    default:
      return { code: 'PAYLOAD_FORMAT', severity: 'hard' };
  }
}

/** Fields in which a year far away means that there is no end. */
const endlessFields: ReadonlySet<string> = new Set([
  'cacheExpiryDateTime',
  'expiryDate',
  'expiryDateTime',
  'validTo',
]);

function classifyDate(text: string, field: string): Classification {
  switch (readDateTime(text)) {
    case 'exact':
    case 'loose':
      return { code: 'PAYLOAD_DATE', severity: 'soft' };
    case 'far':
      return { code: 'PAYLOAD_DATE', severity: endlessFields.has(field) ? 'benign' : 'hard' };
    case 'unreadable':
      return { code: 'PAYLOAD_DATE', severity: 'hard' };
    case 'absurd':
      return { code: 'PAYLOAD_YEAR', severity: 'hard' };
  }
}

function classifyType(error: SchemaError, context: PayloadContext, field: string): Classification {
  const value: unknown = error.data;
  const isTunnel =
    context.version === 'ocpp1.6' &&
    context.action === 'DataTransfer' &&
    error.instancePath === '/data';
  if (isTunnel) return { code: 'PAYLOAD_OPAQUE_DATA', severity: 'benign' };
  if (value === null) {
    const required = isRequired(context, error.instancePath);
    return required
      ? { code: 'PAYLOAD_TYPE', severity: 'hard' }
      : { code: 'PAYLOAD_NULL', severity: 'soft' };
  }
  const expected: unknown = error.params['type'];
  const isStructural = typeof value === 'object' || expected === 'object' || expected === 'array';
  const severity = isStructural ? 'hard' : hardIfConsequential(field);
  return { code: 'PAYLOAD_TYPE', severity };
}

/**
 * Is the unknown property a known one in another spelling? Parsers that fold case would read it in
 * place of the one that was checked.
 */
function imitatesProperty({ params, parentSchema }: SchemaError): boolean {
  const extra: unknown = params['additionalProperty'];
  const properties = ownProperty(parentSchema, 'properties');
  if (typeof extra !== 'string' || !isJsonObject(properties)) return false;
  const folded = foldKey(extra);
  return Object.keys(properties).some((name) => foldKey(name) === folded);
}

function hardIfConsequential(field: string): Severity {
  return consequentialFields.has(field) ? 'hard' : 'soft';
}

function isFarTooLong(error: SchemaError): boolean {
  const value: unknown = error.data;
  const limit: unknown = error.params['limit'];
  if (typeof value !== 'string' || typeof limit !== 'number') return true;
  return value.length > Math.max(softLengthMin, softLengthFactor * limit);
}

/** The last name in a JSON pointer, without list positions. */
function fieldName(pointer: string): string {
  const names = pointer.split('/').filter((segment) => segment !== '' && !/^\d+$/.test(segment));
  return names.at(-1) ?? '';
}

/** Does the schema require the property at `pointer` of its parent? */
function isRequired(context: PayloadContext, pointer: string): boolean {
  const root = schemaOf(context.version, context.action, context.side);
  const segments = pointer.split('/').slice(1);
  const last = segments.pop();
  let schema: unknown = root;
  for (const segment of segments) {
    const resolved = resolve(root, schema);
    const properties = ownProperty(resolved, 'properties');
    schema = /^\d+$/.test(segment)
      ? ownProperty(resolved, 'items')
      : ownProperty(properties, segment);
  }
  const required = ownProperty(resolve(root, schema), 'required');
  return Array.isArray(required) && required.includes(last);
}

function resolve(root: unknown, schema: unknown): unknown {
  const reference = ownProperty(schema, '$ref');
  if (typeof reference !== 'string') return schema;
  const name = reference.replace('#/definitions/', '');
  return ownProperty(ownProperty(root, 'definitions'), name);
}

/**
 * Must this frame never be lost to what is wrong in its payload?
 *
 * The end of a transaction and a fault are facts of the physical world. A charger whose
 * StopTransaction was refused for an over-long idTag has gone on delivering power (field-proven).
 */
export function isNeverLost(frame: Frame): boolean {
  if (frame.kind !== 'call') return false;
  const { payload } = frame;
  switch (frame.action) {
    case 'StopTransaction':
      return true;
    case 'TransactionEvent':
      return ownProperty(payload, 'eventType') === 'Ended';
    case 'StatusNotification': {
      const status = ownProperty(payload, 'status') ?? ownProperty(payload, 'connectorStatus');
      return status === 'Faulted';
    }
    default:
      return false;
  }
}

/** What a charger says of itself in BootNotification, unverified. */
export interface UnverifiedDescription {
  readonly vendor: string | undefined;
  readonly model: string | undefined;
  readonly firmware: string | undefined;
}

/** Characters that are kept of what a charger says of itself. */
const descriptionLengthMax = 128;

/**
 * A text that is safe to keep for long and to show: without control and formatting characters,
 * which terminals obey, and without the memory of the message that it was cut from.
 */
function shortText(text: string): string {
  const cut = text.slice(0, descriptionLengthMax).replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\ufffd');
  return Buffer.from(cut).toString();
}

/** Reads a BootNotification; undefined for anything else. */
export function describedBy(frame: Frame): UnverifiedDescription | undefined {
  if (frame.kind !== 'call' || frame.action !== 'BootNotification') return undefined;
  const text = (object: unknown, key: string): string | undefined => {
    const value = ownProperty(object, key);
    return typeof value === 'string' ? shortText(value) : undefined;
  };
  const station = ownProperty(frame.payload, 'chargingStation');
  if (isJsonObject(station)) {
    return {
      vendor: text(station, 'vendorName'),
      model: text(station, 'model'),
      firmware: text(station, 'firmwareVersion'),
    };
  }
  return {
    vendor: text(frame.payload, 'chargePointVendor'),
    model: text(frame.payload, 'chargePointModel'),
    firmware: text(frame.payload, 'firmwareVersion'),
  };
}
