import { bufferOver } from '../lib/buffer-over.ts';
import { ok, type Result } from '../lib/result.ts';
import { compactParts, type JwsParts } from './jws.ts';
import { refuse, type SignatureProblem } from './problem.ts';

// The format of PNNL: the text message is a compact JWS, and its payload is the OCPP message, byte
// for byte. So the signature covers message type, id and action as well.
//
// Source: PNNL-35706 Table 1, row 0: "Message is JWS decodable".

/** Finds the JWS in a text. */
export function openWholeFrame(bytes: Uint8Array): Result<JwsParts, SignatureProblem> {
  const text = bufferOver(bytes).toString('utf8');
  if (/^\s*[[{]/.test(text)) return refuse('missing', 'the text is JSON, and not a compact JWS');
  if (!text.includes('.')) return refuse('missing', 'the text is not a compact JWS');
  const parts = compactParts(text);
  if (parts === undefined) return refuse('unreadable', 'the text is not a compact JWS');
  return ok(parts);
}

/**
 * The message that was signed.
 *
 * It must begin like one. Then nothing that was signed for the other format, of which the payloads
 * are objects or begin with an error code, is one here.
 */
export function messageInside(payload: Buffer): Result<Buffer, SignatureProblem> {
  if (/^\s*\[\s*[2-6]\s*,/.test(payload.toString('latin1', 0, 64))) return ok(payload);
  return refuse('unreadable', 'what was signed is not an OCPP message');
}

/** The text of a signed message. */
export function wholeFrame({ payload, protected: header, signature }: JwsParts): Buffer {
  return Buffer.from(`${header}.${payload}.${signature}`, 'latin1');
}
