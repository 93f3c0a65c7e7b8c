import { createHash } from 'node:crypto';

/**
 * The hash of an audit record, which chains it to the record before.
 *
 * It is the SHA-256, in lower-case hexadecimal digits, of these nine texts, each written as a
 * netstring (its length in bytes of UTF-8, a colon, the text, a comma):
 *
 *     gatewatt-audit-1, hash of the record before, chain, sequence, at_ms, event,
 *     `charger` or `no charger`, charger (empty without one), document
 *
 * The lengths make it impossible that two different records are written alike, whatever is in them.
 * Numbers are decimal. `document` is hashed as it is stored and never parsed for it, so that two
 * spellings of the same JSON are two documents. An auditor who trusts no program of ours can
 * compute it from an export, in a few lines of any language.
 */
export function auditHash(previousHash: string, record: HashedRecord): string {
  const { chain, sequence, at_ms, event, charger, document } = record;
  const hash = createHash('sha256');
  const texts = [
    'gatewatt-audit-1',
    previousHash,
    chain,
    String(sequence),
    String(at_ms),
    event,
    charger === null ? 'no charger' : 'charger',
    charger ?? '',
    document,
  ];
  for (const text of texts) hash.update(`${Buffer.byteLength(text)}:${text},`);
  return hash.digest('hex');
}

/** What a hash is made of. Numbers may be texts, as a database writes them. */
export interface HashedRecord {
  readonly chain: string;
  readonly sequence: number | string;
  readonly at_ms: number | string;
  readonly event: string;
  readonly charger: string | null;
  readonly document: string;
}

/** What stands for the record before the first one: 64 zeros. */
export const genesisHash = '0'.repeat(64);
