/**
 * Reads a DNS query: a header, one question, and records of which only OPT is looked at.
 *
 * Names are never followed: a query has nothing before its first name that a compression pointer
 * could lead to, so one there is malformed, and a pointer in a later name ends it.
 *
 * Source: RFC 1035 section 4.1; RFC 6891 section 6.1 (OPT).
 */

/** The fields of the header that matter here. */
export interface DnsHeader {
  readonly id: number;
  readonly isResponse: boolean;
  /** 0 is QUERY. */
  readonly opcode: number;
  /** What the client says; it is copied. */
  readonly recursionDesired: boolean;
}

/** A query with one question. */
export interface DnsQuestion {
  /** The question as it stands, with its spelling: name, type, class. */
  readonly bytes: Buffer;
  /** The name in the form of the packet, lengths and labels, in lower case. */
  readonly name: Buffer;
  readonly type: number;
  readonly class: number;
  /** The version of EDNS that the client speaks; undefined when it sent no OPT. */
  readonly ednsVersion: number | undefined;
}

export const dnsHeaderBytes = 12;
export const optType = 41;

/** RFC 1035 section 2.3.4. */
const labelBytesMax = 63;
const nameBytesMax = 255;
/** The first two bits of a byte that is a compression pointer. RFC 1035 section 4.1.4. */
const pointerBits = 0xc0;

/** The header of `packet`; undefined when it is shorter than one. */
export function readDnsHeader(packet: Buffer): DnsHeader | undefined {
  if (packet.length < dnsHeaderBytes) return undefined;
  const flags = packet.readUInt16BE(2);
  return {
    id: packet.readUInt16BE(0),
    isResponse: (flags & 0x8000) !== 0,
    opcode: (flags >> 11) & 0xf,
    recursionDesired: (flags & 0x0100) !== 0,
  };
}

/**
 * The question of `query`, which must be all that it says: exactly one question, no answers, and
 * every byte belongs to something.
 *
 * @returns undefined when it is malformed.
 */
export function readDnsQuestion(query: Buffer): DnsQuestion | undefined {
  if (query.length < dnsHeaderBytes) return undefined;
  const [questions, answers, authorities] = [4, 6, 8].map((at) => query.readUInt16BE(at));
  if (questions !== 1 || answers !== 0 || authorities !== 0) return undefined;
  const nameEnd = endOfName(query, dnsHeaderBytes, { pointerEnds: false });
  if (nameEnd === undefined) return undefined;
  const end = nameEnd + 4;
  if (end > query.length) return undefined;
  const edns = readAdditional(query, end);
  if (edns === undefined) return undefined;
  return {
    bytes: query.subarray(dnsHeaderBytes, end),
    name: lowerCase(query.subarray(dnsHeaderBytes, nameEnd)),
    type: query.readUInt16BE(nameEnd),
    class: query.readUInt16BE(nameEnd + 2),
    ednsVersion: edns.version,
  };
}

/** `name` as it stands in a packet, in lower case; it may end with a dot. */
export function dnsNameBytes(name: string): Buffer {
  const labels = name.replace(/\.$/, '').split('.');
  const parts = labels.flatMap((label) => [Buffer.of(label.length), Buffer.from(label, 'latin1')]);
  return lowerCase(Buffer.concat([...parts, Buffer.of(0)]));
}

/** The records after the question. Each takes 11 bytes at least, so the packet bounds the loop. */
function readAdditional(
  query: Buffer,
  start: number,
): { readonly version: number | undefined } | undefined {
  const count = query.readUInt16BE(10);
  let version: number | undefined;
  let at = start;
  for (let index = 0; index < count; index += 1) {
    const fixed = endOfName(query, at, { pointerEnds: true });
    if (fixed === undefined || fixed + 10 > query.length) return undefined;
    if (query.readUInt16BE(fixed) === optType) {
      // RFC 6891 section 6.1.1: one OPT, and its name is the root.
      if (version !== undefined || fixed !== at + 1) return undefined;
      version = query.readUInt8(fixed + 5);
    }
    at = fixed + 10 + query.readUInt16BE(fixed + 8);
  }
  // What goes beyond the packet ends neither here nor in another record.
  return at === query.length ? { version } : undefined;
}

/**
 * Where the name that begins at `start` ends: after its root label or, where one may be, a pointer.
 *
 * @returns undefined when it does not end, or is longer than a name may be.
 */
function endOfName(
  bytes: Buffer,
  start: number,
  { pointerEnds }: { readonly pointerEnds: boolean },
): number | undefined {
  let at = start;
  while (at < start + nameBytesMax) {
    const length = bytes[at];
    if (length === undefined) return undefined;
    if (length === 0) return at + 1;
    if (pointerEnds && length >= pointerBits) return at + 2;
    if (length > labelBytesMax) return undefined;
    at += 1 + length;
  }
  return undefined;
}

/** ASCII only (RFC 4343 section 3). The lengths between the labels are below all letters. */
function lowerCase(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte)));
}
