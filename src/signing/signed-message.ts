import { ok, type Result } from '../lib/result.ts';
import { isActionName } from '../ocpp/actions.ts';
import { messageTypeIds } from '../ocpp/message.ts';
import { flattenedParts, type JwsParts, looksLikeFlattened } from './jws.ts';
import { elementTexts, type MessageOutline, readOutline } from './message-outline.ts';
import { refuse, type SignatureProblem } from './problem.ts';

// OCPP's own format: a message of which the payload is a flattened JWS.
//
//   [2, id, "Reset-Signed", {jws}]    [6, id, "X-Signed", {jws}]    [3, id, {jws}]
//   [4, id, code, description, {jws}]    [5, …]
//
// The payload of the JWS is the text of the payload as its sender wrote it, byte for byte. That a
// CALLRESULT has its JWS as payload is how other implementations have it; it is not verified against
// the text of the specification. Errors have no payload, and OCPP does not sign them; here the JWS
// stands for the details, and its payload is the list of code, description and details.
//
// Source: OCPP 2.0.1 part 4 section 7.

/** What is appended to the action of a message that is signed. */
export const signedSuffix = '-Signed';

/** The message around a JWS. Anybody may have written it. */
export interface SignedEnvelope {
  readonly typeId: number;
  readonly id: string;
  /** The action without the suffix; undefined for replies, which have none. */
  readonly action: string | undefined;
  /** Code and description, of errors. */
  readonly errorFields: readonly [unknown, unknown] | undefined;
  readonly parts: JwsParts;
}

/** How many elements a message has, the JWS being the last one. */
const elementCounts: ReadonlyMap<number, number> = new Map([
  [messageTypeIds.call, 4],
  [messageTypeIds.send, 4],
  [messageTypeIds['call-result'], 3],
  [messageTypeIds['call-error'], 5],
  [messageTypeIds['call-result-error'], 5],
]);

function hasAction(typeId: number): boolean {
  return typeId === messageTypeIds.call || typeId === messageTypeIds.send;
}

function isError(typeId: number): boolean {
  return elementCounts.get(typeId) === 5;
}

/** Finds the JWS in a message. */
export function openEnvelope(bytes: Uint8Array): Result<SignedEnvelope, SignatureProblem> {
  const outline = readOutline(bytes);
  if (outline === undefined) return refuse('missing', 'the text is not a message with a signature');
  const { hazards, id, typeId, values } = outline;
  const jws = values.at(-1);
  const action = hasAction(typeId) ? values[2] : undefined;
  if (hasAction(typeId)) {
    if (typeof action !== 'string' || !action.endsWith(signedSuffix)) {
      return refuse('missing', `the action does not end with ${signedSuffix}`);
    }
  } else if (!looksLikeFlattened(jws)) {
    return refuse('missing', 'the reply holds no signature');
  }
  const [hazard] = hazards;
  if (hazard !== undefined) {
    return refuse('unreadable', `the message can be read in two ways: ${hazard}`);
  }
  if (values.length !== elementCounts.get(typeId)) {
    return refuse('unreadable', 'the message has too many or too few elements');
  }
  const plainAction =
    typeof action === 'string' ? action.slice(0, -signedSuffix.length) : undefined;
  if (plainAction !== undefined && !isActionName(plainAction)) {
    return refuse('unreadable', 'the action is not a name');
  }
  const parts = flattenedParts(jws);
  if (!parts.ok) return parts;
  const errorFields = isError(typeId) ? ([values[2], values[3]] as const) : undefined;
  return ok({ typeId, id, action: plainAction, errorFields, parts: parts.value });
}

/**
 * The message as it was before it was signed: the payload byte for byte, and around it what the
 * signature was compared with.
 */
export function unsignedMessage(
  envelope: SignedEnvelope,
  payload: Buffer,
): Result<Buffer, SignatureProblem> {
  const { action, errorFields, id, typeId } = envelope;
  const text = payload.toString('utf8');
  const value = parsed(text);
  if (value === undefined) return refuse('unreadable', 'what was signed is not JSON');
  if (errorFields !== undefined) {
    if (!Array.isArray(value) || value.length !== 3) {
      return refuse('unreadable', 'what was signed is not code, description and details');
    }
    // They stand outside as well, for those that know nothing of signatures.
    if (value[0] !== errorFields[0] || value[1] !== errorFields[1]) {
      return refuse('altered', 'code or description are not those that were signed');
    }
    return ok(joined([String(typeId), JSON.stringify(id), ...elementTexts(text)]));
  }
  const named = action === undefined ? [] : [JSON.stringify(action)];
  return ok(joined([String(typeId), JSON.stringify(id), ...named, text]));
}

/** The bytes that are signed of a message. */
export function payloadToSign({ texts, typeId }: MessageOutline): Buffer {
  const last = texts.at(-1) ?? '';
  return Buffer.from(isError(typeId) ? `[${texts.slice(2).join(',')}]` : last, 'utf8');
}

/** Can the message be signed in this format, as far as its outline tells? */
export function isSignable({ typeId, values }: MessageOutline): boolean {
  if (values.length !== elementCounts.get(typeId)) return false;
  if (!hasAction(typeId)) return true;
  const action = values[2];
  return typeof action === 'string' && isActionName(action);
}

/** A message with `parts` in the place of what they were made from. */
export function signedMessage({ texts, typeId, values }: MessageOutline, parts: JwsParts): Buffer {
  const head = texts.slice(0, -1);
  if (hasAction(typeId)) head[2] = JSON.stringify(`${String(values[2])}${signedSuffix}`);
  return joined([...head, JSON.stringify(parts)]);
}

/** The JSON value, or undefined; there is no JSON for undefined. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function joined(elements: readonly string[]): Buffer {
  return Buffer.from(`[${elements.join(',')}]`, 'utf8');
}
