import { isUtf8 } from 'node:buffer';
import { decodeBase64url } from './base64url.ts';
import { openEnvelope, unsignedMessage } from './signed-message.ts';
import { messageInside, openWholeFrame } from './whole-frame.ts';

/**
 * The message inside a signature that is not good: so that what was refused can be named and
 * answered, and so that the modes that block nothing block nothing.
 *
 * Anybody may have written it.
 *
 * @returns undefined when there is none that could be read.
 */
export function unverifiedMessage(bytes: Uint8Array): Buffer | undefined {
  const envelope = openEnvelope(bytes);
  if (envelope.ok) {
    const payload = textIn(envelope.value.parts.payload);
    const message = payload && unsignedMessage(envelope.value, payload);
    return message?.ok === true ? message.value : undefined;
  }
  const parts = openWholeFrame(bytes);
  const payload = parts.ok ? textIn(parts.value.payload) : undefined;
  const message = payload && messageInside(payload);
  return message?.ok === true ? message.value : undefined;
}

function textIn(payload: string): Buffer | undefined {
  const bytes = decodeBase64url(payload);
  return bytes !== undefined && isUtf8(bytes) ? bytes : undefined;
}
