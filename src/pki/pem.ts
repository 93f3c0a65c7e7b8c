import { failed, ok, type Result } from '../lib/result.ts';

/** What a text may hold. */
export interface PemLimits {
  /** Characters of the whole text. */
  readonly charsMax: number;
  /** Blocks with the wanted label. */
  readonly countMax: number;
}

/**
 * The contents of the blocks with one of these labels, such as `CERTIFICATE`: at least one.
 *
 * Lines may end in any way, or not at all; what stands between blocks, and blocks with other labels,
 * are ignored, as OpenSSL does. The failure is a text for people that repeats nothing of `text`.
 *
 * Source: RFC 7468.
 */
export function readPem(
  text: string,
  labels: readonly string[],
  { charsMax, countMax }: PemLimits,
): Result<readonly Buffer[], string> {
  if (text.length > charsMax) return failed(`it has more than ${charsMax} characters`);
  const blocks: Buffer[] = [];
  const [wanted] = labels;
  let offset = 0;
  while (true) {
    const begin = text.indexOf(beginMark, offset);
    if (begin === -1) break;
    const labelEnd = text.indexOf(markEnd, begin + beginMark.length);
    if (labelEnd === -1) break;
    const label = text.slice(begin + beginMark.length, labelEnd);
    if (!isLabel.test(label)) {
      offset = begin + beginMark.length;
      continue;
    }
    const endMark = `-----END ${label}-----`;
    const bodyStart = labelEnd + markEnd.length;
    const bodyEnd = text.indexOf(endMark, bodyStart);
    if (bodyEnd === -1) return failed('a block has no end');
    offset = bodyEnd + endMark.length;
    if (!labels.includes(label)) continue;
    const digits = text.slice(bodyStart, bodyEnd).replace(/[\r\n\t ]+/g, '');
    if (!isBase64(digits)) return failed('a block is not Base64');
    if (blocks.length === countMax) return failed(`it has more than ${countMax} blocks`);
    blocks.push(Buffer.from(digits, 'base64'));
  }
  return blocks.length === 0 ? failed(`it has no block ${wanted}`) : ok(blocks);
}

const beginMark = '-----BEGIN ';
const markEnd = '-----';
const isLabel = /^[A-Z0-9 ]{1,64}$/;

/** Buffer ignores what is not Base64, so that two different texts would be one certificate. */
function isBase64(digits: string): boolean {
  return digits.length > 0 && digits.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(digits);
}
