import { createHash } from 'node:crypto';
import { canonicalPassword, type SlowDigest } from '../../src/identity/password-hash.ts';

/** A digest in the place of Argon2id, for tests with thousands of passwords. */
export const quickDigest: SlowDigest = (password, salt) =>
  Promise.resolve(digest(password, salt.toString('base64')));

/**
 * What the store would hold for `password` if `quickDigest` were Argon2id.
 *
 * @param salt one character: hashes with the same one share their salt.
 */
export function quickHash(password: Buffer | string, salt = 's'): string {
  const bytes = Buffer.alloc(16, salt);
  const tag = digest(canonicalPassword(Buffer.from(password)), bytes.toString('base64'));
  const text = (part: Buffer): string => part.toString('base64').replace(/=+$/, '');
  return `$argon2id$v=19$m=19456,t=2,p=1$${text(bytes)}$${text(tag)}`;
}

function digest(password: Buffer, salt: string): Buffer {
  return createHash('sha256').update(salt).update(password).digest();
}
