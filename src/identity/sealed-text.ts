import { createCipheriv, createDecipheriv } from 'node:crypto';
import { invariant } from '../lib/assert.ts';
import { secretBytes } from '../lib/random.ts';

/** Bytes of the key that seals. */
export const sealingKeyLength = 32;
const algorithm = 'aes-256-gcm';
const nonceLength = 12;
const tagLength = 16;
const prefix = 'v1.';
/** A sealed password has less than 400 characters; what is longer was not sealed here. */
const sealedLengthMax = 4096;

/**
 * Encrypts a secret that has to be kept in a form that can be read again.
 *
 * @param key 32 bytes.
 * @param context whose secret it is. It is not in the result, but `open` needs the same, so that
 *   nobody who can write to the store gives one charger the secret of another.
 * @returns `v1.`, then nonce, cipher text and tag in base64url.
 * Source: NIST SP 800-38D (AES-GCM); a random nonce of 96 bits is good for 2^32 texts by one key.
 */
export function seal(text: Buffer, key: Buffer, context: string): string {
  invariant(key.length === sealingKeyLength, 'a sealing key has 32 bytes');
  const nonce = secretBytes(nonceLength);
  const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagLength });
  cipher.setAAD(Buffer.from(context, 'utf8'));
  const encrypted = Buffer.concat([cipher.update(text), cipher.final()]);
  const sealed =
    prefix + Buffer.concat([nonce, encrypted, cipher.getAuthTag()]).toString('base64url');
  invariant(sealed.length <= sealedLengthMax, 'a sealed text is a password, not a document');
  return sealed;
}

/**
 * Decrypts what `seal` has made.
 *
 * @returns undefined for another key or context, and for a text of which anything was changed.
 */
export function open(sealed: string, key: Buffer, context: string): Buffer | undefined {
  invariant(key.length === sealingKeyLength, 'a sealing key has 32 bytes');
  if (!sealed.startsWith(prefix) || sealed.length > sealedLengthMax) return undefined;
  const text = sealed.slice(prefix.length);
  const bytes = Buffer.from(text, 'base64url');
  // Node skips characters that do not belong there; then it was another text.
  if (bytes.toString('base64url') !== text) return undefined;
  if (bytes.length < nonceLength + tagLength) return undefined;
  const nonce = bytes.subarray(0, nonceLength);
  const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagLength });
  decipher.setAAD(Buffer.from(context, 'utf8'));
  decipher.setAuthTag(bytes.subarray(-tagLength));
  const opened = decipher.update(bytes.subarray(nonceLength, -tagLength));
  try {
    return Buffer.concat([opened, decipher.final()]);
  } catch {
    // The one reason for which `final` throws here: the tag does not fit.
    return undefined;
  }
}
