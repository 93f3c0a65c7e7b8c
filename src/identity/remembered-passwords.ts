import { createHmac } from 'node:crypto';
import { secretBytes } from '../lib/random.ts';
import { isSameTag } from './password-hash.ts';
import { unknownSource } from './source-of.ts';

/** Identities that are remembered; the least recently used one is forgotten first. */
const identitiesMax = 100_000;
/** Sources of one identity that are remembered: a mobile charger changes its address. */
const sourcesMax = 4;

interface Remembered {
  readonly tag: Buffer | undefined;
  /** Least recently used first. */
  readonly sources: readonly string[];
}

/**
 * The passwords that were found right since this process began, as keyed digests, and from where
 * they came.
 *
 * A charger that comes back from there needs no slow hash. The key is random and never leaves this
 * process, so the digests are of no use to who reads them. A digest covers identity and stored
 * hash: it is worth nothing for another charger, or after a change of the password.
 */
export class RememberedPasswords {
  readonly #key = secretBytes(32);
  readonly #nobody = secretBytes(32);
  readonly #identities = new Map<string, Remembered>();
  #digestCount = 0;

  /** Digests that were computed and compared so far. */
  get digestCount(): number {
    return this.#digestCount;
  }

  /** A keyed digest of `parts`, which cannot run into each other. 32 bytes. */
  digest(...parts: readonly (string | Buffer)[]): Buffer {
    this.#digestCount += 1;
    const hmac = createHmac('sha256', this.#key);
    for (const part of parts) {
      const bytes = Buffer.from(part);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      hmac.update(length).update(bytes);
    }
    return hmac.digest();
  }

  /**
   * Was this the digest of what was right last? Does the same work for an identity nobody knows.
   */
  isRight(identityKey: string, digest: Buffer): boolean {
    return isSameTag(this.#identities.get(identityKey)?.tag ?? this.#nobody, digest);
  }

  /** Has this charger shown who it is from this source? */
  isGoodSource(identityKey: string, source: string): boolean {
    return this.#identities.get(identityKey)?.sources.includes(source) === true;
  }

  /**
   * The charger has shown who it is, from `source`.
   *
   * @param digest what to remember; undefined to leave that as it is.
   */
  remember(identityKey: string, source: string, digest?: Buffer): void {
    const known = this.#identities.get(identityKey);
    const others = known?.sources.filter((other) => other !== source) ?? [];
    const sources = source === unknownSource ? others : [...others, source].slice(-sourcesMax);
    // Taken out and put back: a Map keeps the order of insertion, so the first is the least used.
    this.#identities.delete(identityKey);
    this.#identities.set(identityKey, { tag: digest ?? known?.tag, sources });
    if (this.#identities.size <= identitiesMax) return;
    const oldest = this.#identities.keys().next();
    if (oldest.done === false) this.#identities.delete(oldest.value);
  }
}
