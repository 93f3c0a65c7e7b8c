import { ok, type Result } from '../lib/result.ts';
import type { SignatureAlgorithm } from './algorithms.ts';
import {
  allowedAlgorithm,
  checkSignature,
  type JwsParts,
  readJws,
  type UnverifiedJws,
} from './jws.ts';
import type { KeySet, PinnedKey } from './key-set.ts';
import type { SignatureProblem } from './problem.ts';
import type { ReplayWindow } from './replay-window.ts';
import type { SignedHeader } from './signed-header.ts';
import { openEnvelope, type SignedEnvelope, unsignedMessage } from './signed-message.ts';
import { messageInside, openWholeFrame } from './whole-frame.ts';

/** The formats of signed messages: OCPP's own, and the one of PNNL. */
export const signatureFormats = ['ocpp', 'whole-frame'] as const;
/** One of them. */
export type SignatureFormat = (typeof signatureFormats)[number];

/** What a signature must say beside what OCPP's format has. What it does say is checked anyway. */
export interface SignatureDemands {
  /** For which message it is (OCPPMessageId); the whole frame holds its id in any case. */
  readonly messageId: boolean;
  /** For which charger (aud). */
  readonly charger: boolean;
  /** When it was made (iat). */
  readonly time: boolean;
  /** Which one it is (jti), so that it counts once. Needs `time`. */
  readonly nonce: boolean;
}

/** What a signed message is compared with. */
export interface SignatureExpectations {
  readonly formats: readonly SignatureFormat[];
  readonly keys: KeySet;
  readonly demand: SignatureDemands;
  /** The identity of the charger that the message is for; compared without case, as OCPP 2.x does. */
  readonly charger: string;
  readonly nowMs: number;
  readonly maxAgeMs: number;
  readonly clockSkewMs: number;
  /** Which messages have come. It remembers this one, when nothing else is wrong with it. */
  readonly replays: ReplayWindow;
  /**
   * The action of the call that a reply is about: with this id, and from whom a reply of this type
   * answers. Undefined if there is none.
   */
  readonly actionOfReply: (id: string, typeId: number) => string | undefined;
}

/** A message that the holder of a pinned key has signed, for this charger and this moment. */
export interface VerifiedFrame {
  readonly format: SignatureFormat;
  /** The message without its signature: the bytes that were signed. */
  readonly bytes: Buffer;
  readonly key: PinnedKey;
  readonly algorithm: SignatureAlgorithm;
  /** Which signature it is, where it says so and when it was made. */
  readonly nonce: { readonly value: string; readonly issuedAtMs: number } | undefined;
}

/**
 * Rule 0: the message is signed by whom it claims to come from.
 *
 * Synchronous, since the messages of a charger must keep their order, and never throws. Says nothing
 * about the message itself: its bytes go to `rules/decode.ts`. What the problem is decided in this
 * order: form, algorithm, key, signature; and only what was signed is compared with the rest.
 *
 * Must be asked once for each message that came: the second time, it is a replay.
 *
 * @param bytes valid UTF-8, bounded, as they came.
 * Source: PNNL-35706 Table 1, row 0; OCPP 2.0.1 part 4 section 7.
 */
export function verifySigned(
  bytes: Uint8Array,
  expectations: SignatureExpectations,
): Result<VerifiedFrame, SignatureProblem> {
  const { formats } = expectations;
  // The two cannot be taken for each other: one is JSON, and the other one cannot be.
  const isJson = bytes[bytes.findIndex((byte) => byte > 0x20)] === 0x5b;
  if (formats.includes('ocpp') && (isJson || formats.length === 1)) {
    return verifyMessage(bytes, expectations);
  }
  return verifyWholeFrame(bytes, expectations);
}

function verifyMessage(
  bytes: Uint8Array,
  expectations: SignatureExpectations,
): Result<VerifiedFrame, SignatureProblem> {
  const envelope = openEnvelope(bytes);
  if (!envelope.ok) return envelope;
  const authentic = authenticate(envelope.value.parts, expectations);
  if (!authentic.ok) return authentic;
  const { algorithm, jws, key } = authentic.value;
  const message = unsignedMessage(envelope.value, jws.payload);
  if (!message.ok) return message;
  const problem =
    messageProblem(envelope.value, jws.header, expectations) ??
    bindingProblem(jws.header, expectations);
  if (problem !== undefined) return { ok: false, error: problem };
  return ok({ format: 'ocpp', bytes: message.value, key, algorithm, nonce: nonceOf(jws.header) });
}

function verifyWholeFrame(
  bytes: Uint8Array,
  expectations: SignatureExpectations,
): Result<VerifiedFrame, SignatureProblem> {
  const parts = openWholeFrame(bytes);
  if (!parts.ok) return parts;
  const authentic = authenticate(parts.value, expectations);
  if (!authentic.ok) return authentic;
  const { algorithm, jws, key } = authentic.value;
  const message = messageInside(jws.payload);
  if (!message.ok) return message;
  const problem = bindingProblem(jws.header, expectations);
  if (problem !== undefined) return { ok: false, error: problem };
  return ok({
    format: 'whole-frame',
    bytes: message.value,
    key,
    algorithm,
    nonce: nonceOf(jws.header),
  });
}

interface Authentic {
  readonly jws: UnverifiedJws;
  readonly key: PinnedKey;
  readonly algorithm: SignatureAlgorithm;
}

/** Reads a JWS and verifies that a pinned key has made it. */
function authenticate(
  parts: JwsParts,
  { keys, nowMs }: SignatureExpectations,
): Result<Authentic, SignatureProblem> {
  const jws = readJws(parts);
  if (!jws.ok) return jws;
  const allowed = allowedAlgorithm(jws.value.header, keys.allowed);
  if (!allowed.ok) return allowed;
  const key = keys.find(jws.value.header, nowMs);
  if (!key.ok) return key;
  const algorithm = checkSignature(jws.value, key.value);
  if (!algorithm.ok) return algorithm;
  return ok({ jws: jws.value, key: key.value, algorithm: algorithm.value });
}

/** Does the signature belong to the message around it? */
function messageProblem(
  { action, id, typeId }: SignedEnvelope,
  header: SignedHeader,
  { actionOfReply, demand }: SignatureExpectations,
): SignatureProblem | undefined {
  if (header.messageTypeId !== typeId) {
    const detail = 'OCPPMessageTypeId is missing or is not the type of the message';
    return { is: 'other-message', detail };
  }
  if (header.messageId === undefined ? demand.messageId : header.messageId !== id) {
    return {
      is: 'other-message',
      detail: 'OCPPMessageId is missing or is not the id of the message',
    };
  }
  // A reply to a call that is not open is refused by rule 3, whatever its action would be.
  const expected = action ?? actionOfReply(id, typeId) ?? header.action;
  if (header.action === undefined || header.action !== expected) {
    return {
      is: 'other-action',
      detail: 'OCPPAction is missing or is not the action of the message',
    };
  }
  return undefined;
}

/** Is it for this charger, of now, and new? */
function bindingProblem(
  { audience, expiresAtMs, issuedAtMs, nonce, notBeforeMs }: SignedHeader,
  { charger, clockSkewMs, demand, maxAgeMs, nowMs, replays }: SignatureExpectations,
): SignatureProblem | undefined {
  const isForIt = audience?.toLowerCase() === charger.toLowerCase();
  if (audience === undefined ? demand.charger : !isForIt) {
    return { is: 'other-charger', detail: 'aud is missing or is not this charger' };
  }
  if (issuedAtMs === undefined) {
    if (demand.time) return { is: 'stale', detail: 'iat is missing' };
  } else {
    const ageMs = nowMs - issuedAtMs;
    if (ageMs > maxAgeMs + clockSkewMs)
      return { is: 'stale', detail: `signed ${seconds(ageMs)} ago` };
    if (-ageMs > clockSkewMs) {
      return { is: 'from-the-future', detail: `signed ${seconds(-ageMs)} from now` };
    }
  }
  if (expiresAtMs !== undefined && nowMs - clockSkewMs >= expiresAtMs) {
    return { is: 'stale', detail: `expired ${seconds(nowMs - expiresAtMs)} ago` };
  }
  if (notBeforeMs !== undefined && nowMs + clockSkewMs < notBeforeMs) {
    return { is: 'from-the-future', detail: `valid in ${seconds(notBeforeMs - nowMs)}` };
  }
  if (nonce === undefined) {
    return demand.nonce ? { is: 'replayed', detail: 'jti is missing' } : undefined;
  }
  // Without a time nobody could say how long it has to be remembered.
  if (issuedAtMs === undefined) return undefined;
  switch (replays.take(nonce, issuedAtMs, nowMs)) {
    case 'fresh':
      return undefined;
    case 'replayed':
      return { is: 'replayed', detail: 'a message with this jti has come before' };
    case 'too-old':
      return { is: 'stale', detail: 'signed before what is remembered, so it may be a replay' };
  }
}

function nonceOf({ issuedAtMs, nonce: value }: SignedHeader): VerifiedFrame['nonce'] {
  return value === undefined || issuedAtMs === undefined ? undefined : { value, issuedAtMs };
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
