/** When a request came and when its answer goes, Unix milliseconds of the gateway's clock. */
export interface NtpTimes {
  readonly receivedMs: number;
  readonly sentMs: number;
}

export interface NtpOptions {
  /** How far the gateway is from a reference clock, 2 to 15; 3 unless it is said. */
  readonly stratum?: number;
}

const answerBytes = 48;
/** More than all extension fields that are in use; what is longer is no NTP. */
const requestBytesMax = 1024;
const clientMode = 3;
const serverMode = 4;
const versions: readonly number[] = [3, 4];

const stratumDefault = 3;
/** Of the clock that is read, as a power of two in seconds: 2^-10 s, about a millisecond. */
const precision = -10;
/**
 * How wrong the time may be, in units of 2^-16 s: half a second.
 *
 * The gateway tells the time of its host and does not know how that is kept. Half a second is what
 * a host that is set by NTP does not exceed, lets a client that also has a better source prefer
 * that, and is below what makes clients refuse a server (MAXDIST, 1 s: RFC 5905 section 7.2).
 */
const rootDispersion = 0x8000;
/**
 * 127.127.1.1, "my own clock". Above stratum 1 this field is an IPv4 address by which a client sees
 * that it would follow itself; no client has this one. It is what chrony sends for a local clock.
 */
const referenceId = 0x7f7f0101;

/** Seconds from 1900, where NTP begins, to 1970. Source: RFC 5905 section 6, figure 4. */
const unixEpochSeconds = 2_208_988_800;

/**
 * The answer of an NTP server, always of 48 bytes, to the request of a client (mode 3).
 *
 * Nothing else is answered: not control messages and private ones (modes 6 and 7), whose answers
 * are many times longer than what asks for them (CVE-2013-5211), not other servers, and no version
 * before 3. A request may have extension fields or a MAC behind the header; these are not read, and
 * the answer has none. A client that wants it signed drops it, as it must.
 *
 * The answer is never longer than the request. It always says that the host's clock is set (leap
 * indicator 0), since nobody can tell it otherwise.
 *
 * @returns undefined when it is not answered.
 * Source: RFC 5905 sections 7.3 (the header) and 9.2; RFC 4330 section 6 for the simple server.
 */
export function answerNtp(
  request: Buffer,
  times: NtpTimes,
  options: NtpOptions = {},
): Buffer | undefined {
  const { length } = request;
  if (length < answerBytes || length > requestBytesMax || length % 4 !== 0) return undefined;
  const first = request.readUInt8(0);
  const version = (first >> 3) & 7;
  if ((first & 7) !== clientMode || !versions.includes(version)) return undefined;
  const received = ntpTimestamp(times.receivedMs);
  const answer = Buffer.alloc(answerBytes);
  answer.writeUInt8((version << 3) | serverMode, 0);
  answer.writeUInt8(options.stratum ?? stratumDefault, 1);
  // Poll: as the client has it.
  answer.writeUInt8(request.readUInt8(2), 2);
  answer.writeInt8(precision, 3);
  // Root delay: none, there is no network between this clock and what is told of it.
  answer.writeUInt32BE(0, 4);
  answer.writeUInt32BE(rootDispersion, 8);
  answer.writeUInt32BE(referenceId, 12);
  // When the clock was set last is not known; it must not lie after the time that is sent.
  answer.writeBigUInt64BE(received, 16);
  // Origin: what the client sent last, by which it knows its answer.
  answer.set(request.subarray(40, 48), 24);
  answer.writeBigUInt64BE(received, 32);
  answer.writeBigUInt64BE(ntpTimestamp(times.sentMs), 40);
  return answer;
}

/**
 * The timestamp of a Unix time: 32 bits of seconds, 32 bits of their fraction.
 *
 * The seconds begin again at 0 in 2036 (era 1): clients know from their own time, within 68 years,
 * which era is meant.
 *
 * @param unixMs milliseconds, with fractions; before 1900 too.
 * Source: RFC 5905 section 6.
 */
export function ntpTimestamp(unixMs: number): bigint {
  const seconds = Math.floor(unixMs / 1000);
  // Rounding may make a whole second of a fraction that is almost one.
  const fraction = Math.min(((unixMs - seconds * 1000) / 1000) * 2 ** 32, 2 ** 32 - 1);
  const eraSeconds = BigInt.asUintN(32, BigInt(seconds + unixEpochSeconds));
  return (eraSeconds << 32n) | BigInt(Math.floor(fraction));
}
