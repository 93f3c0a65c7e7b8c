import { failed, ok, type Result } from '../lib/result.ts';
import {
  bitStringBytes,
  contextTag,
  DerReader,
  derTags,
  malformed,
  parseDer,
  timeMs,
  withoutLeadingZeros,
} from './der.ts';
import { takeExtension } from './extensions.ts';
import { readPem } from './pem.ts';

/** Characters of a file with revocation lists. */
export const listCharsMax = 16 * 1024 * 1024;
/** Lists in one file. */
const listsMax = 256;

/** What one authority has revoked. */
export interface RevocationList {
  /** DER of the name of its issuer. */
  readonly issuer: Buffer;
  /** Unix time in milliseconds. */
  readonly thisUpdateMs: number;
  /** When the next list was promised for, Unix time in milliseconds. */
  readonly nextUpdateMs: number;
  /** Serial numbers in lower-case hexadecimal digits without leading zeros. */
  readonly revoked: ReadonlySet<string>;
  readonly signed: Buffer;
  /** DER of the AlgorithmIdentifier. */
  readonly signatureAlgorithm: Buffer;
  readonly signature: Buffer;
}

/**
 * Reads revocation lists in PEM, at least one. Their signatures are not verified here.
 *
 * Lists that only hold for a part of the certificates are refused: they would let others in.
 *
 * Source: RFC 5280 section 5.
 */
export function readRevocationLists(pem: string): Result<readonly RevocationList[], string> {
  const blocks = readPem(pem, ['X509 CRL', 'CRL'], { charsMax: listCharsMax, countMax: listsMax });
  if (!blocks.ok) return blocks;
  const lists: RevocationList[] = [];
  for (const [index, block] of blocks.value.entries()) {
    const list = parseDer(block, takeList);
    if (list === undefined) return failed(`list ${index + 1} cannot be read`);
    const { nextUpdateMs } = list;
    if (list.isPartial) {
      return failed(`list ${index + 1} is not a complete list of one authority`);
    }
    if (nextUpdateMs === undefined) {
      return failed(`list ${index + 1} does not say when the next one is due`);
    }
    lists.push({ ...list, nextUpdateMs });
  }
  return ok(lists);
}

function takeList(reader: DerReader) {
  const list = reader.enter(derTags.sequence);
  const signed = list.take(derTags.sequence);
  const signatureAlgorithm = list.take(derTags.sequence).bytes;
  const signature = bitStringBytes(list.take(derTags.bitString));
  list.end();
  const body = parseDer(signed.content, takeBody) ?? malformed();
  if (!body.innerAlgorithm.equals(signatureAlgorithm)) malformed();
  return { ...body, signed: signed.bytes, signatureAlgorithm, signature };
}

function takeBody(body: DerReader) {
  body.takeIf(derTags.integer);
  const innerAlgorithm = body.take(derTags.sequence).bytes;
  const issuer = body.take(derTags.sequence).bytes;
  const thisUpdateMs = timeMs(body.take());
  const next = body.takeIf(derTags.utcTime, derTags.generalizedTime);
  const entries = body.takeIf(derTags.sequence);
  const extended = body.takeIf(contextTag(0));
  const revoked = new Set<string>();
  let isPartial = extended !== undefined && hasCritical(extended.content);
  if (entries !== undefined) {
    const reader = new DerReader(entries.content);
    while (!reader.isAtEnd) {
      const entry = reader.enter(derTags.sequence);
      const { content } = entry.take(derTags.integer);
      revoked.add(withoutLeadingZeros(content.toString('hex')));
      if (entry.takeIf(derTags.utcTime, derTags.generalizedTime) === undefined) malformed();
      if (entry.isAtEnd) continue;
      isPartial = hasCritical(entry.take(derTags.sequence).bytes) || isPartial;
      entry.end();
    }
  }
  const nextUpdateMs = next && timeMs(next);
  return { innerAlgorithm, issuer, thisUpdateMs, nextUpdateMs, revoked, isPartial };
}

/**
 * Whatever restricts a list (deltas, distribution points, other issuers) is a critical extension.
 */
function hasCritical(bytes: Buffer): boolean {
  const found = parseDer(bytes, (reader) => {
    const extensions = reader.enter(derTags.sequence);
    let isCritical = false;
    while (!extensions.isAtEnd) isCritical = takeExtension(extensions).isCritical || isCritical;
    return isCritical;
  });
  return found ?? malformed();
}
