import type { X509Certificate } from 'node:crypto';

/** The certificates between a leaf and a root, as the peer sent them. */
export type IssuerChain = readonly X509Certificate[];

/** Chargers that one gateway may have, and then some; an entry is a few hundred bytes. */
const provenMax = 20_000;
/** Strangers can fill this. */
const unprovenMax = 1_000;
/** Certificates that are kept once only. Manufacturers have few intermediate authorities. */
const sharedMax = 1_000;

/**
 * The issuers that came with a certificate, for when its owner resumes the session: OpenSSL keeps
 * the certificate of the peer in a session, but not those of its issuers, and without them no chain
 * leads to the root.
 *
 * What is remembered proves nothing. It is judged like what is sent.
 */
export class ChainMemory {
  /** Of those that were let in; strangers cannot push them out. */
  readonly #proven = new Map<string, IssuerChain>();
  readonly #unproven = new Map<string, IssuerChain>();
  readonly #shared = new Map<string, X509Certificate>();

  /** Notes what came with `leaf` in a whole handshake. */
  note(leaf: X509Certificate, chain: IssuerChain): void {
    const key = leaf.fingerprint256;
    const place = this.#proven.has(key) ? this.#proven : this.#unproven;
    place.delete(key);
    if (chain.length > 0) place.set(key, this.#share(chain));
    if (place.size > unprovenMax && place === this.#unproven) dropOldest(place);
  }

  /** The owner of `leaf` was let in. */
  prove(leaf: X509Certificate): void {
    const key = leaf.fingerprint256;
    const chain = this.#proven.get(key) ?? this.#unproven.get(key);
    if (chain === undefined) return;
    this.#unproven.delete(key);
    // Once more, to be the youngest.
    this.#proven.delete(key);
    this.#proven.set(key, chain);
    if (this.#proven.size > provenMax) dropOldest(this.#proven);
  }

  /** What came with `leaf`; nothing when it was forgotten. */
  recall(leaf: X509Certificate): IssuerChain {
    const key = leaf.fingerprint256;
    return this.#proven.get(key) ?? this.#unproven.get(key) ?? [];
  }

  /** For new files: sessions from before are not resumed any more. */
  clear(): void {
    this.#proven.clear();
    this.#unproven.clear();
    this.#shared.clear();
  }

  #share(chain: IssuerChain): IssuerChain {
    if (this.#shared.size > sharedMax) this.#shared.clear();
    return chain.map((certificate) => {
      const known = this.#shared.get(certificate.fingerprint256);
      if (known !== undefined) return known;
      this.#shared.set(certificate.fingerprint256, certificate);
      return certificate;
    });
  }
}

function dropOldest(map: Map<string, unknown>): void {
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
