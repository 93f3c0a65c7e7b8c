import type { ErrorCode } from '../errors/catalogue.ts';
import { bufferOver } from '../lib/buffer-over.ts';
import { readEmptyMessage } from '../ocpp/empty-message.ts';
import { isErrorCodeSpelling } from '../ocpp/error-codes.ts';
import {
  isJsonObject,
  type JsonObject,
  type Message,
  type MessageKind,
  messageTypeIds,
} from '../ocpp/message.ts';
import { type JsonFailure, type JsonHazard, parseStrictJson } from '../ocpp/strict-json.ts';
import type { OcppVersion, Peer } from '../ocpp/version.ts';
import type { Frame, Seal, Unreadable } from './frame.ts';
import type { Severity, Violation } from './rule.ts';

/** A frame, or what is known of a text that is none, with what broke rule 1. */
export interface Decoded {
  readonly frame: Frame | Unreadable;
  readonly violations: readonly Violation[];
}

/** Deeper than any OCPP message: the deepest official schema (2.1) nests 9 levels. */
const limits = { depthMax: 24 };
const messageIdLengthOfficial = 36;
/** OCPP-J gives ids 36 characters; beyond this one they are refused and never sent back. */
export const messageIdLengthMax = 255;
/** A MessageTypeId as OCPP-J writes it. */
const typeIdSpelling = /^\s*\[\s*\d\s*,/;
/** The longest action name has 33 characters; signed messages append to it. */
const actionLengthMax = 64;

/**
 * Rule 1: the text is JSON, and the JSON is an OCPP message. What is known of its signature comes
 * first: that is rule 0.
 *
 * Never throws. `bytes` must be valid UTF-8, which the WebSocket layer has checked.
 *
 * Source: PNNL-35706 Table 1, row 1; OCPP-J 1.6 section 4.2; OCPP 2.1 part 4 section 4.2.
 */
export function decode(bytes: Uint8Array, from: Peer, version: OcppVersion, seal?: Seal): Decoded {
  const decoded = decodeMessage(bytes, from, version);
  if (seal === undefined) return decoded;
  const { received, sealed, violation } = seal;
  const { frame, violations } = decoded;
  return {
    frame: { ...frame, received, sealed },
    violations: violation === undefined ? violations : [violation, ...violations],
  };
}

function decodeMessage(bytes: Uint8Array, from: Peer, version: OcppVersion): Decoded {
  if (bytes.byteLength === 0) return unreadable(bytes, 'FORMAT_EMPTY', 'an empty text frame');
  const empty = readEmptyMessage(bytes);
  if (empty !== undefined) return decodeValue(empty, bytes, version, []);
  const text = bufferOver(bytes).toString('utf8');
  const json = parseStrictJson(text, limits, bytes);
  if (!json.ok) return unreadable(bytes, failureCodes[json.error], json.error);

  const violations: Violation[] = [];
  const { hazards, value } = json.value;
  if (hazards.size > 0) for (const it of hazards) violations.push(hazardViolation(it, from));
  return decodeValue(value, bytes, version, violations);
}

/** @param violations what is wrong with the text already; what is wrong with the message is added. */
function decodeValue(
  value: unknown,
  bytes: Uint8Array,
  version: OcppVersion,
  violations: Violation[],
): Decoded {
  const message = readMessage(value, bytes, version, violations);
  if (message === undefined) {
    const [typeId, id] = startOf(value);
    return { frame: { kind: 'unreadable', bytes, typeId, id }, violations };
  }
  if (!isDigitFirst(bytes)) {
    // 2.0 and 2e0 are the number 2 to some parsers, and no MessageTypeId to others.
    violations.push(formatViolation('FORMAT_MESSAGE_TYPE', 'hard', 'not spelled as one digit'));
  }
  checkMessageId(message, version, violations);
  // The one place where a Frame is made.
  return { frame: message as Frame, violations };
}

/** Is the MessageTypeId spelled as one digit? Nearly all texts begin with `[2,"`. */
function isDigitFirst(bytes: Uint8Array): boolean {
  const isUsual = bytes[0] === 0x5b && bytes[2] === 0x2c;
  return isUsual || typeIdSpelling.test(bufferOver(bytes).toString('utf8'));
}

const failureCodes: Readonly<Record<JsonFailure, ErrorCode>> = {
  syntax: 'FORMAT_JSON',
  'byte-order-mark': 'FORMAT_JSON',
  'too-deep': 'FORMAT_JSON_DEPTH',
};

function unreadable(bytes: Uint8Array, code: ErrorCode, detail: string): Decoded {
  return {
    frame: { kind: 'unreadable', bytes, typeId: undefined, id: undefined },
    violations: [formatViolation(code, 'hard', detail)],
  };
}

function formatViolation(code: ErrorCode, severity: Severity, detail: string): Violation {
  return { rule: 'format', code, severity, detail };
}

function hazardViolation(hazard: JsonHazard, from: Peer): Violation {
  switch (hazard) {
    case 'inexact-integer':
      // Chargers send 2^63-1 for "no transaction". It carries no second message, so it passes up;
      // rules that compare such a number must not trust the rounded copy.
      return formatViolation('FORMAT_NUMBER_INEXACT', from === 'charger' ? 'soft' : 'hard', hazard);
    case 'number-out-of-range':
      return formatViolation('FORMAT_NUMBER_RANGE', 'hard', hazard);
    case 'duplicate-key':
    case 'prototype-key':
    case 'lone-surrogate':
    case 'nul-character':
      return formatViolation('FORMAT_JSON_AMBIGUOUS', 'hard', hazard);
  }
}

type MessageOfBytes = Message & { readonly bytes: Uint8Array };

const kinds: ReadonlyMap<number, MessageKind> = new Map(
  Object.entries(messageTypeIds).map(([kind, typeId]) => [typeId, kind as MessageKind]),
);

/** @returns undefined for what is no message, with what is wrong at the end of `violations`. */
function readMessage(
  value: unknown,
  bytes: Uint8Array,
  version: OcppVersion,
  violations: Violation[],
): MessageOfBytes | undefined {
  if (!Array.isArray(value)) return refuse(violations, 'FORMAT_FRAME', 'not an array');
  const elements: readonly unknown[] = value;
  const [typeId, id] = elements;
  const kind = typeof typeId === 'number' ? kinds.get(typeId) : undefined;
  if (kind === undefined || !existsIn(kind, version)) {
    return refuse(violations, 'FORMAT_MESSAGE_TYPE', `no such message type in ${version}`);
  }
  if (typeof id !== 'string') {
    return refuse(violations, 'FORMAT_MESSAGE_ID', 'the message id is not a string');
  }
  switch (kind) {
    case 'call':
    case 'send':
      return readRequest({ kind, id, elements, bytes }, version, violations);
    case 'call-result': {
      if (elements.length !== 3) {
        return refuse(violations, 'FORMAT_FRAME', 'a CALLRESULT has 3 elements');
      }
      const payload = readPayload(elements[2], version, violations);
      if (payload === undefined) {
        return refuse(violations, 'FORMAT_FRAME', 'the payload is not an object');
      }
      return { kind, id, payload, bytes };
    }
    case 'call-error':
    case 'call-result-error':
      return readError({ kind, id, elements, bytes }, violations);
  }
}

/** The MessageTypeId and the id of what is no message, as far as they are there. */
function startOf(value: unknown): readonly [typeId: number | undefined, id: string | undefined] {
  const [typeId, id] = Array.isArray(value) ? (value as readonly unknown[]) : [];
  return [typeof typeId === 'number' ? typeId : undefined, typeof id === 'string' ? id : undefined];
}

function refuse(violations: Violation[], code: ErrorCode, detail: string): undefined {
  violations.push(formatViolation(code, 'hard', detail));
}

/** SEND and CALLRESULTERROR came with OCPP 2.1. */
function existsIn(kind: MessageKind, version: OcppVersion): boolean {
  return (kind !== 'send' && kind !== 'call-result-error') || version === 'ocpp2.1';
}

/** A message of which only the kind and the id are known yet. */
interface Opened<Kind extends MessageKind> {
  readonly kind: Kind;
  readonly id: string;
  readonly elements: readonly unknown[];
  readonly bytes: Uint8Array;
}

function readRequest(
  { bytes, elements, id, kind }: Opened<'call' | 'send'>,
  version: OcppVersion,
  violations: Violation[],
): MessageOfBytes | undefined {
  if (elements.length !== 4) {
    return refuse(violations, 'FORMAT_FRAME', `a ${kind} has 4 elements`);
  }
  const action = elements[2];
  if (typeof action !== 'string' || action.length === 0 || action.length > actionLengthMax) {
    return refuse(violations, 'FORMAT_FRAME', 'the action is not a name');
  }
  const payload = readPayload(elements[3], version, violations);
  if (payload === undefined) {
    return refuse(violations, 'FORMAT_FRAME', 'the payload is not an object');
  }
  return { kind, id, action, payload, bytes };
}

function readPayload(
  value: unknown,
  version: OcppVersion,
  violations: Violation[],
): JsonObject | undefined {
  if (isJsonObject(value)) return value;
  const isEmptyList = Array.isArray(value) && value.length === 0;
  if (value !== null && !isEmptyList) return undefined;
  // PHP writes an empty object as an empty list, and early OCPP 1.6 allowed null.
  const severity = version === 'ocpp1.6' || isEmptyList ? 'benign' : 'soft';
  violations.push(
    formatViolation('FORMAT_PAYLOAD_NULL', severity, 'no object for an empty payload'),
  );
  return {};
}

function readError(
  { bytes, elements, id, kind }: Opened<'call-error' | 'call-result-error'>,
  violations: Violation[],
): MessageOfBytes | undefined {
  const [, , code, description, details] = elements;
  if (typeof code !== 'string' || elements.length > 5) {
    return refuse(violations, 'FORMAT_FRAME', 'an error has 5 elements and a code');
  }
  const isComplete =
    typeof description === 'string' && isJsonObject(details) && isErrorCodeSpelling(code);
  // It still says that the call failed, and chargers that shorten it mean no harm; but a charger
  // has crashed on a description of more than 255 characters (CVE-2025-59398), and C counts bytes.
  const isOdd =
    (description !== undefined && description !== null && typeof description !== 'string') ||
    (details !== undefined &&
      details !== null &&
      typeof details !== 'string' &&
      !isJsonObject(details)) ||
    Buffer.byteLength(typeof description === 'string' ? description : '') > 255 ||
    code.length > 255;
  if (!isComplete || isOdd) {
    const severity = isOdd ? 'soft' : 'benign';
    violations.push(formatViolation('FORMAT_ERROR_FIELDS', severity, 'incomplete or odd error'));
  }
  return {
    kind,
    id,
    code,
    description: typeof description === 'string' ? description : '',
    details: isJsonObject(details) ? details : {},
    bytes,
  };
}

function checkMessageId(
  { id, kind }: Message,
  version: OcppVersion,
  violations: Violation[],
): void {
  if (id === '' || id.length > messageIdLengthMax) {
    violations.push(formatViolation('FORMAT_MESSAGE_ID', 'hard', 'empty or over 255 characters'));
  } else if (id.length > messageIdLengthOfficial && (kind === 'call' || kind === 'send')) {
    // The id of a reply is its caller's, and rule 3 asks for it as it is.
    const severity = version === 'ocpp1.6' ? 'soft' : 'hard';
    violations.push(formatViolation('FORMAT_MESSAGE_ID_LONG', severity, 'over 36 characters'));
  }
}
