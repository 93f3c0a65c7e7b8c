/**
 * Reads DER, the encoding of certificates, requests and revocation lists.
 *
 * Strict, so that two readers cannot see two things: lengths are definite and as short as possible,
 * and nothing follows the value. It copies nothing, and looks only at what it is asked for: a
 * revocation list may have hundreds of thousands of entries.
 *
 * Source: ITU-T X.690 section 10.
 */

/** One value: its tag byte, its content, and both with the length as they stand. */
export interface DerValue {
  readonly tag: number;
  readonly content: Buffer;
  readonly bytes: Buffer;
}

/** The tags that X.509 uses here. */
export const derTags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  t61String: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The tag of a constructed value that is told from others by `number`, as `[0]` is. */
export function contextTag(number: number): number {
  return 0xa0 | number;
}

/** What is read is not DER, or not what was expected. Stays inside `parseDer`. */
class MalformedDer extends Error {}

/** Reads the values of a sequence one after the other. */
export class DerReader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Is everything read? */
  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  /**
   * The next value. With a `tag`, it must have that one.
   *
   * @throws to `parseDer`, which everything here is called by.
   */
  take(tag?: number): DerValue {
    const value = valueAt(this.#bytes, this.#offset);
    if (value === undefined || (tag !== undefined && value.tag !== tag)) throw new MalformedDer();
    this.#offset += value.bytes.length;
    return value;
  }

  /** The next value if it has one of these tags; undefined otherwise. */
  takeIf(...tags: readonly number[]): DerValue | undefined {
    const tag = this.#bytes[this.#offset];
    return tag !== undefined && tags.includes(tag) ? this.take() : undefined;
  }

  /** The next value, with `tag`, as a sequence of its own. */
  enter(tag: number): DerReader {
    return new DerReader(this.take(tag).content);
  }

  /** Nothing may follow. */
  end(): void {
    if (!this.isAtEnd) throw new MalformedDer();
  }
}

/** What `read` makes of `bytes`; undefined when they are not what it expects. */
export function parseDer<Value>(
  bytes: Buffer,
  read: (reader: DerReader) => Value,
): Value | undefined {
  try {
    const reader = new DerReader(bytes);
    const value = read(reader);
    reader.end();
    return value;
  } catch (error) {
    if (error instanceof MalformedDer) return undefined;
    throw error;
  }
}

/** Ends what `parseDer` reads: the value is none that is known here. */
export function malformed(): never {
  throw new MalformedDer();
}

/** The content of a BIT STRING of whole bytes. */
export function bitStringBytes({ content }: DerValue): Buffer {
  if (content[0] !== 0) malformed();
  return content.subarray(1);
}

/** A non-negative INTEGER in lower-case hexadecimal digits without leading zeros. */
export function integerDigits({ content }: DerValue): string {
  const [first, second] = content;
  if (first === undefined || first >= 0x80) malformed();
  if (first === 0 && second !== undefined && second < 0x80) malformed();
  return withoutLeadingZeros(content.toString('hex'));
}

/** `digits` without leading zeros, but with one digit at least. */
export function withoutLeadingZeros(digits: string): string {
  return digits.replace(/^0+(?=.)/, '');
}

/** An OBJECT IDENTIFIER as dotted numbers. */
export function objectIdentifier({ content }: DerValue): string {
  const numbers: number[] = [];
  let number = 0;
  for (const byte of content) {
    number = number * 128 + (byte & 0x7f);
    if (!Number.isSafeInteger(number)) malformed();
    if (byte >= 0x80) continue;
    numbers.push(number);
    number = 0;
  }
  const last = content.at(-1);
  const [first] = numbers;
  if (first === undefined || last === undefined || last >= 0x80) malformed();
  const root = Math.min(Math.floor(first / 40), 2);
  return [root, first - root * 40, ...numbers.slice(1)].join('.');
}

/** A UTCTime or GeneralizedTime, as Unix time in milliseconds. */
export function timeMs({ content, tag }: DerValue): number {
  const text = content.toString('latin1');
  const [, years, rest] =
    (tag === derTags.utcTime ? /^(\d{2})(\d{10})Z$/ : /^(\d{4})(\d{10})Z$/).exec(text) ?? [];
  if (years === undefined || rest === undefined) malformed();
  // RFC 5280 section 4.1.2.5.1: two digits are a year from 1950 to 2049.
  const century = years.length === 4 ? '' : Number(years) >= 50 ? '19' : '20';
  const [month, day, hour, minute, second] = rest.match(/../g) ?? [];
  const ms = Date.parse(`${century}${years}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(ms) ? malformed() : ms;
}

function valueAt(bytes: Buffer, offset: number): DerValue | undefined {
  const tag = bytes[offset];
  const first = bytes[offset + 1];
  // Tags of more than one byte are not used in X.509.
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) return undefined;
  let start = offset + 2;
  let length = first;
  if (first >= 0x80) {
    const size = first & 0x7f;
    if (size === 0 || size > 4 || start + size > bytes.length) return undefined;
    length = bytes.readUIntBE(start, size);
    if (length < 0x80 || length < 256 ** (size - 1)) return undefined;
    start += size;
  }
  const end = start + length;
  if (end > bytes.length) return undefined;
  return { tag, content: bytes.subarray(start, end), bytes: bytes.subarray(offset, end) };
}
