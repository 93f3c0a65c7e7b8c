import { createHash, timingSafeEqual } from 'node:crypto';
import type { OcppVersion } from '../../ocpp/version.ts';

/**
 * How a charger sends its password: the bytes that hexadecimal digits spell, those digits as text,
 * or the text as it is.
 */
export type PasswordForm = 'raw' | 'hex' | 'text';

/** The forms, for whoever chooses one. */
export const passwordForms: readonly PasswordForm[] = ['raw', 'hex', 'text'];

/** 32 to 40 hexadecimal digits, two for each byte: how OCPP 1.6 writes an AuthorizationKey. */
const keyPattern = /^(?:[0-9a-f]{2}){16,20}$/i;

/** Could `password` be an AuthorizationKey of OCPP 1.6 as it is written down? */
export function isHexadecimalKey(password: Buffer): boolean {
  // latin1, so that no two different bytes read as the same character.
  return keyPattern.test(password.toString('latin1'));
}

/**
 * The bytes that a charger puts behind its user name.
 *
 * In OCPP 1.6 a key of hexadecimal digits means the bytes that they spell, and `raw`, the default,
 * sends those; many chargers send the digits (`hex`). A password of another kind, and every
 * password of OCPP 2.x, is sent as it is.
 *
 * Source: "Improved security for OCPP 1.6-J" edition 3, chapter 6, AuthorizationKey; OCPP 2.0.1
 * part 2 A00.FR.205.
 */
export function passwordToSend(
  password: Buffer,
  version: OcppVersion,
  form: PasswordForm = 'raw',
): Buffer {
  if (version !== 'ocpp1.6' || form !== 'raw' || !isHexadecimalKey(password)) return password;
  return bytesOfKey(password);
}

/**
 * Are the two the same password? A key and the bytes that it spells are, because a peer cannot know
 * which of them a charger of OCPP 1.6 sends. Takes the same time for every wrong password.
 */
export function isSamePassword(first: Buffer, second: Buffer): boolean {
  return timingSafeEqual(digestOf(first), digestOf(second));
}

/** The value of the Authorization header of HTTP Basic (RFC 7617), by bytes. */
export function basicAuthorization(user: string, password: Buffer): string {
  const credential = Buffer.concat([Buffer.from(`${user}:`, 'utf8'), password]);
  return `Basic ${credential.toString('base64')}`;
}

/** What an Authorization header says. */
export type BasicPassword =
  | { readonly is: 'password'; readonly password: Buffer }
  /** There is no header, it is no HTTP Basic, or its base64 is broken. */
  | { readonly is: 'absent' }
  | { readonly is: 'other-user' };

/** The password in `header` when its user name is `user`. Both may hold colons. */
export function readBasicPassword(header: string | undefined, user: string): BasicPassword {
  const encoded = /^basic +([a-z0-9+/]+={0,2})$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return { is: 'absent' };
  const credential = Buffer.from(encoded, 'base64');
  const expected = Buffer.from(`${user}:`, 'utf8');
  const isOfUser = credential.subarray(0, expected.length).equals(expected);
  if (!isOfUser) return { is: 'other-user' };
  return { is: 'password', password: credential.subarray(expected.length) };
}

function bytesOfKey(key: Buffer): Buffer {
  return Buffer.from(key.toString('latin1'), 'hex');
}

function digestOf(password: Buffer): Buffer {
  const bytes = isHexadecimalKey(password) ? bytesOfKey(password) : password;
  return createHash('sha256').update(bytes).digest();
}
