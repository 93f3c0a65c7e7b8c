import { ok, type Result } from '../lib/result.ts';
import { isJsonObject, type JsonObject } from '../ocpp/message.ts';
import { parseStrictJson } from '../ocpp/strict-json.ts';
import { refuse, type SignatureProblem } from './problem.ts';

/** The protected header of a signature, read but not believed yet. */
export interface SignedHeader {
  readonly alg: string;
  readonly kid: string | undefined;
  readonly x5tS256: string | undefined;
  readonly action: string | undefined;
  readonly messageTypeId: number | undefined;
  readonly messageId: string | undefined;
  readonly audience: string | undefined;
  /** Unix time in milliseconds, like the next two. */
  readonly issuedAtMs: number | undefined;
  readonly expiresAtMs: number | undefined;
  readonly notBeforeMs: number | undefined;
  readonly nonce: string | undefined;
}

/**
 * What lets the sender choose the key (the first five), or change what is signed (the others). None
 * of it has a use here, and each has been an attack.
 *
 * Source: RFC 8725 sections 2.1 to 2.9; RFC 7515 sections 4.1.2 to 4.1.6 and 4.1.11; RFC 7797.
 */
const forbiddenMembers = ['jwk', 'jku', 'x5u', 'x5c', 'x5t', 'crit', 'b64', 'zip', 'enc'];

/** A header is flat. */
const depthMax = 2;
/** The longest texts of a header: an action, an identity and an id, each with room. */
const textLengthMax = 255;
/** A nonce is remembered, so it is short; a UUID has 36 characters. */
export const nonceLengthMax = 64;
/** Year 9999: a number beyond it is none of a clock. */
const secondsMax = 253_402_300_799;

/**
 * OCPP spells this member in two ways (2.0.1 part 4 section 7.3; not verified against the text of
 * every edition): both are read, but not together.
 */
const messageTypeIdSpellings = ['OCPPMessageTypeId', 'OCPPMessageTypedId'] as const;

/** Reads the bytes of a protected header. Members that nobody knows are ignored, as RFC 7515 says. */
export function readSignedHeader(bytes: Buffer): Result<SignedHeader, SignatureProblem> {
  const json = parseStrictJson(bytes.toString('utf8'), { depthMax });
  if (!json.ok) return unreadable('the header is not JSON');
  const { hazards, value: header } = json.value;
  if (!isJsonObject(header)) return unreadable('the header is not an object');
  const found = forbiddenMembers.find((name) => Object.hasOwn(header, name));
  if (found !== undefined) return refuse('forbidden-header', `the header has ${found}`);
  const [hazard] = hazards;
  if (hazard !== undefined) return unreadable(`the header can be read in two ways: ${hazard}`);

  const members = new HeaderMembers(header);
  const alg = members.text('alg', textLengthMax);
  const typeIds = messageTypeIdSpellings.map((name) => members.number(name));
  const [typeId, otherTypeId] = typeIds;
  const read = {
    kid: members.text('kid', textLengthMax),
    x5tS256: members.text('x5t#S256', textLengthMax),
    action: members.text('OCPPAction', textLengthMax),
    messageTypeId: typeId ?? otherTypeId,
    messageId: members.text('OCPPMessageId', textLengthMax),
    audience: members.text('aud', textLengthMax),
    issuedAtMs: members.time('iat'),
    expiresAtMs: members.time('exp'),
    notBeforeMs: members.time('nbf'),
    nonce: members.text('jti', nonceLengthMax),
  };
  if (members.mistake !== undefined) return unreadable(members.mistake);
  if (alg === undefined) return unreadable('the header has no alg');
  if (typeId !== undefined && otherTypeId !== undefined) {
    return unreadable('the header has the message type twice');
  }
  return ok({ alg, ...read });
}

function unreadable(detail: string): { readonly ok: false; readonly error: SignatureProblem } {
  return refuse('unreadable', detail);
}

/** Reads the members of a header and keeps the first mistake. */
class HeaderMembers {
  readonly #header: JsonObject;
  mistake: string | undefined;

  constructor(header: JsonObject) {
    this.#header = header;
  }

  text(name: string, lengthMax: number): string | undefined {
    const value = this.#own(name);
    if (value === undefined) return undefined;
    if (typeof value === 'string' && value !== '' && value.length <= lengthMax) return value;
    return this.#wrong(`${name} is not a text of 1 to ${lengthMax} characters`);
  }

  number(name: string): number | undefined {
    const value = this.#own(name);
    if (value === undefined || typeof value === 'number') return value;
    return this.#wrong(`${name} is not a number`);
  }

  /** A NumericDate: seconds, also with fractions (RFC 7519 section 2). */
  time(name: string): number | undefined {
    const seconds = this.number(name);
    if (seconds === undefined) return undefined;
    if (seconds >= 0 && seconds <= secondsMax) return Math.round(seconds * 1000);
    return this.#wrong(`${name} is not a time`);
  }

  #own(name: string): unknown {
    return Object.hasOwn(this.#header, name) ? this.#header[name] : undefined;
  }

  #wrong(mistake: string): undefined {
    this.mistake ??= mistake;
    return undefined;
  }
}
