import {
  type DnsHeader,
  type DnsQuestion,
  dnsHeaderBytes,
  dnsNameBytes,
  optType,
  readDnsHeader,
  readDnsQuestion,
} from './dns-query.ts';
import { addressBytes } from './ip-address.ts';

export interface DnsOptions {
  /** Host names of the gateway. All other names do not exist. */
  readonly names: readonly string[];
  /** Addresses of the gateway in this network, IPv4 and IPv6; at most 8 of each are told. */
  readonly addresses: readonly string[];
  /** How long a client may remember an answer, 0 to 2^31 - 1 (RFC 2181 section 8). */
  readonly ttlSeconds: number;
}

/**
 * With the longest name, 8 addresses of IPv6 and an OPT, an answer has 12 + 259 + 8 * 28 + 11 = 506
 * bytes: none is ever longer than the 512 of RFC 1035 section 4.2.1, and so none is cut off.
 */
const addressesMax = 8;
/** One frame of Ethernet: no question is longer, whatever a client pads it with. */
const queryBytesMax = 1472;

/** Source: RFC 1035 section 4.1.1; RFC 6891 section 9 (badVersion, of which these are 4 bits). */
const responseCodes = {
  ok: 0,
  malformed: 1,
  noSuchName: 3,
  notImplemented: 4,
  refused: 5,
} as const;
type ResponseCode = (typeof responseCodes)[keyof typeof responseCodes];

const internet = 1;
/** The types that are answered, with the length of their data. RFC 1035 3.4.1, RFC 3596 2.1. */
const addressTypes: ReadonlyMap<number, number> = new Map([
  [1, 4],
  [28, 16],
]);
/** A name that is the one at byte 12, where the question's begins. RFC 1035 section 4.1.4. */
const questionPointer = 0xc00c;
const ednsVersion = 0;
/** Of the OPT record: we take no longer packets than without it. RFC 6891 section 6.2.4. */
const ednsPayloadBytes = 512;

/**
 * The answer to one DNS query, from `options` alone: nothing is resolved, cached or passed on.
 *
 * - One of the names, type A or AAAA: the addresses of that family. Other types: no data.
 * - Any other name: NXDOMAIN. A class other than IN: REFUSED.
 * - An opcode other than QUERY: NOTIMP.
 * - Malformed, or a number of questions that is not one: FORMERR (RFC 1035 section 4.1.1, RFC
 *   9619), without the question. 12 bytes, so nothing is gained by asking for it.
 * - A response (QR), what is shorter than a header or longer than 1472 bytes: silence.
 *
 * Negative answers have no SOA, deliberately: then nobody remembers them (RFC 2308 section 5), and a
 * charger that is moved to another network finds what is there. All answers are authoritative, and
 * say that there is no recursion. OPT is answered with an empty one (RFC 6891 section 6.1.1).
 *
 * @returns undefined for silence.
 * Source: RFC 1035 section 4; RFC 6891.
 */
export function answerDns(query: Buffer, options: DnsOptions): Buffer | undefined {
  const header = readDnsHeader(query);
  if (header === undefined || header.isResponse || query.length > queryBytesMax) return undefined;
  if (header.opcode !== 0) return headerBytes(header, responseCodes.notImplemented);
  const question = readDnsQuestion(query);
  if (question === undefined) return headerBytes(header, responseCodes.malformed);
  const isVersionKnown = (question.ednsVersion ?? ednsVersion) === ednsVersion;
  // BADVERS is 16: its upper bits stand in OPT, its lower ones are 0 (RFC 6891 section 6.1.3).
  if (!isVersionKnown) return response(header, question, { code: responseCodes.ok, upperCode: 1 });
  if (question.class !== internet) {
    return response(header, question, { code: responseCodes.refused });
  }
  const isOurs = options.names.some((name) => dnsNameBytes(name).equals(question.name));
  if (!isOurs) return response(header, question, { code: responseCodes.noSuchName });
  const records = addressRecords(question.type, options);
  return response(header, question, { code: responseCodes.ok, records });
}

function addressRecords(type: number, options: DnsOptions): readonly Buffer[] {
  const length = addressTypes.get(type);
  return options.addresses
    .map(addressBytes)
    .filter((address) => address !== undefined)
    .filter((address) => address.length === length)
    .slice(0, addressesMax)
    .map((address) => {
      const record = Buffer.alloc(12);
      record.writeUInt16BE(questionPointer, 0);
      record.writeUInt16BE(type, 2);
      record.writeUInt16BE(internet, 4);
      record.writeUInt32BE(options.ttlSeconds, 6);
      record.writeUInt16BE(address.length, 10);
      return Buffer.concat([record, address]);
    });
}

interface Answer {
  readonly code: ResponseCode;
  /** Bits of the code that only OPT has room for. */
  readonly upperCode?: number;
  readonly records?: readonly Buffer[];
}

function response(header: DnsHeader, question: DnsQuestion, answer: Answer): Buffer {
  const { code, records = [], upperCode = 0 } = answer;
  const hasOpt = question.ednsVersion !== undefined;
  const start = headerBytes(header, code);
  start.writeUInt16BE(1, 4);
  start.writeUInt16BE(records.length, 6);
  start.writeUInt16BE(hasOpt ? 1 : 0, 10);
  return Buffer.concat([start, question.bytes, ...records, ...(hasOpt ? [opt(upperCode)] : [])]);
}

/** A response without question and records. AA is set where we speak as the authority. */
function headerBytes({ id, opcode, recursionDesired }: DnsHeader, code: ResponseCode): Buffer {
  const isAuthoritative = code === responseCodes.ok || code === responseCodes.noSuchName;
  const bytes = Buffer.alloc(dnsHeaderBytes);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt16BE(
    0x8000 |
      (opcode << 11) |
      (isAuthoritative ? 0x0400 : 0) |
      (recursionDesired ? 0x0100 : 0) |
      code,
    2,
  );
  return bytes;
}

function opt(upperCode: number): Buffer {
  const record = Buffer.alloc(11);
  record.writeUInt16BE(optType, 1);
  record.writeUInt16BE(ednsPayloadBytes, 3);
  record.writeUInt8(upperCode, 5);
  record.writeUInt8(ednsVersion, 6);
  return record;
}
