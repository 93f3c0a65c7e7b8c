import { timingSafeEqual } from 'node:crypto';

/** What the Authorization headers of an upgrade request say. Nothing of it is verified. */
export type BasicEvidence =
  | { readonly is: 'absent' }
  /** There is something, but it is not one HTTP Basic credential. */
  | { readonly is: 'malformed' }
  /** The decoded bytes: user name, colon, password. There is at least one colon. */
  | { readonly is: 'basic'; readonly credential: Buffer };

/** Characters of a credential in base64. A user name of 64 bytes and a password fit twice. */
const credentialLengthMax = 1024;

/**
 * Bytes of a password. OCPP has 20 at most in 1.6 and 64 characters in 2.1, which are 256 bytes of
 * UTF-8. The bound holds for all that follows the first colon.
 */
export const passwordLengthMax = 256;

const colon = 0x3a;

/** Source: RFC 9110 section 11.4 (scheme, spaces, token68); RFC 7617 section 2. */
const basicCredential = /^basic +([A-Za-z0-9+/]+)(={0,2})$/i;

/**
 * Reads the values of all Authorization headers of a request.
 *
 * Two headers are malformed: two readers could believe different ones. The base64 is strict but for
 * padding, which some chargers leave out.
 *
 * Source: RFC 7617 section 2; OCPP-J 1.6 section 6.2.2.
 */
export function parseBasic(authorization: readonly string[]): BasicEvidence {
  const [value, ...others] = authorization;
  if (value === undefined) return { is: 'absent' };
  // The scheme and a few spaces stand before it.
  if (others.length > 0 || value.length > credentialLengthMax + 16) return { is: 'malformed' };
  const match = basicCredential.exec(value);
  if (match === null) return { is: 'malformed' };
  const credential = decodeBase64(match[1] ?? '', match[2] ?? '');
  if (credential === undefined) return { is: 'malformed' };
  const first = credential.indexOf(colon);
  const isMalformed = first < 0 || credential.length - first - 1 > passwordLengthMax;
  return isMalformed ? { is: 'malformed' } : { is: 'basic', credential };
}

/** Of several texts that lenient decoders read as the same bytes, only the right one passes. */
function decodeBase64(digits: string, padding: string): Buffer | undefined {
  const length = digits.length + padding.length;
  if (length > credentialLengthMax) return undefined;
  if (padding !== '' && length % 4 !== 0) return undefined;
  const bytes = Buffer.from(digits, 'base64');
  return bytes.toString('base64').replace(/=+$/, '') === digits ? bytes : undefined;
}

/**
 * The password in `credential`, if it is a credential of this charger.
 *
 * The user name is the identity of the connection, in any case of its ASCII letters, or `user`
 * where the operator has written another one down (C9). Name and password may both hold colons, so
 * the name is compared as a prefix and not searched for (C12). The password is bytes: not always
 * UTF-8, and any value may stand in it.
 *
 * @returns undefined when the user name is another; an empty password is one.
 * Source: "Improved security for OCPP 1.6-J" edition 3, A00.FR.204; OCPP 2.0.1 part 2, A00.FR.204.
 */
export function passwordFor(
  { credential }: Extract<BasicEvidence, { is: 'basic' }>,
  identity: string,
  user?: string,
): Buffer | undefined {
  const expected = foldedAscii(Buffer.from(`${user ?? identity}:`, 'utf8'));
  // As long as the expected one, whatever came: the comparison takes the same time. The zeros that
  // fill up a shorter one are not the colon at the end of the name.
  const came = Buffer.alloc(expected.length);
  credential.copy(came, 0, 0, expected.length);
  const isTheirs = timingSafeEqual(foldedAscii(came), expected);
  return isTheirs ? credential.subarray(expected.length) : undefined;
}

function foldedAscii(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte)));
}
