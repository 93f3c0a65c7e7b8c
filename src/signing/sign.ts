import { failed, ok, type Result } from '../lib/result.ts';
import { makeJws } from './jws.ts';
import { type MessageOutline, readOutline } from './message-outline.ts';
import { isSignable, payloadToSign, signedMessage } from './signed-message.ts';
import type { SigningKey } from './signing-key.ts';
import type { SignatureFormat } from './verify.ts';
import { wholeFrame } from './whole-frame.ts';

/** What a signature says beside the message. */
export interface SignContext {
  /** The identity of the charger that the message is for. */
  readonly charger: string;
  readonly nowMs: number;
  /** Used once, by anybody, ever. */
  readonly nonce: string;
  /** The action of the call that a reply of this type with this id is about. */
  readonly actionOfReply: (id: string, typeId: number) => string | undefined;
}

/** A message that was signed. */
export interface SignedFrame {
  readonly bytes: Buffer;
  /** The message without its signature. */
  readonly outline: MessageOutline;
}

/** Why a message cannot be signed. */
export type SignFailure =
  /** It is not an OCPP message. */
  | 'not-a-message'
  /** A reply to a call that nobody has made. OCPP's format has to say the action. */
  | 'no-such-call';

/**
 * Signs a message for one charger. What is signed is what its sender wrote, byte for byte.
 *
 * The header says more than OCPP asks for: which message, which charger, when, and which signature.
 * Without that, a signed stop of yesterday stops another charger today.
 *
 * Source: OCPP 2.0.1 part 4 section 7; PNNL-35706 Table 1, row 0.
 */
export function signMessage(
  bytes: Uint8Array,
  format: SignatureFormat,
  key: SigningKey,
  context: SignContext,
): Result<SignedFrame, SignFailure> {
  const outline = readOutline(bytes);
  if (outline === undefined) return failed('not-a-message');
  const { actionOfReply, charger, nonce, nowMs } = context;
  const binding = { aud: charger, iat: nowMs / 1000, jti: nonce };
  switch (format) {
    case 'whole-frame':
      return ok({ bytes: wholeFrame(makeJws(bytes, binding, key)), outline });
    case 'ocpp': {
      if (!isSignable(outline)) return failed('not-a-message');
      const { id, typeId, values } = outline;
      const isRequest = values.length === 4;
      const action = isRequest ? String(values[2]) : actionOfReply(id, typeId);
      if (action === undefined) return failed('no-such-call');
      const claims = {
        OCPPAction: action,
        OCPPMessageTypeId: typeId,
        OCPPMessageId: id,
        ...binding,
      };
      const parts = makeJws(payloadToSign(outline), claims, key);
      return ok({ bytes: signedMessage(outline, parts), outline });
    }
  }
}
