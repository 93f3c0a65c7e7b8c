const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/**
 * The bytes that `text` spells in base64url; undefined unless it is the one spelling of them.
 *
 * Decoders ignore padding, foreign characters, and the bits of the last digit that belong to no
 * byte, so that several texts would be one signature: each would get past a list of those that were
 * seen.
 *
 * Source: RFC 7515 section 2 and appendix C; RFC 4648 section 3.5.
 */
export function decodeBase64url(text: string): Buffer | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return undefined;
  const over = text.length % 4;
  if (over === 1) return undefined;
  const last = alphabet.indexOf(text.at(-1) ?? 'A');
  const strayBits = over === 2 ? 0b1111 : over === 3 ? 0b11 : 0;
  return (last & strayBits) === 0 ? Buffer.from(text, 'base64url') : undefined;
}

/** `bytes` in base64url, without padding. */
export function encodeBase64url(bytes: Uint8Array | string): string {
  const buffer = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : Buffer.from(bytes);
  return buffer.toString('base64url');
}
