import { withoutEncodedSecrets } from './encoded-secrets.ts';
import { isJsonObject, type JsonObject } from './message.ts';
import { foldKey, parseStrictJson } from './strict-json.ts';

/**
 * Where OCPP messages carry secrets, and how to take them out.
 *
 * Real chargers return their AuthorizationKey to GetConfiguration although OCPP calls it
 * write-only, so replies are looked at as well as calls.
 *
 * Source: "Improved security for OCPP 1.6-J" edition 3 chapter 6 (AuthorizationKey); OCPP 2.0.1
 * part 2 (SecurityCtrlr.BasicAuthPassword, SetNetworkProfile); OCPP 2.1 part 2 (NetworkConfiguration).
 */
export const redacted = '[redacted]';

/** Properties whose own value is a secret, wherever they stand. */
const secretProperties: ReadonlySet<string> = new Set([
  'apnpassword',
  'basicauthpassword',
  'password',
  'simpin',
]);

/** Names of configuration keys and variables whose value, in a neighbour property, is a secret. */
const secretNames: ReadonlySet<string> = new Set([
  'authorizationkey',
  'basicauthpassword',
  'apnpassword',
  'simpin',
  'vpnpassword',
  'vpnkey',
]);

/** Properties that hold the value of a key or variable. */
const valueProperties: ReadonlySet<string> = new Set(['value', 'attributevalue', 'actualvalue']);

/** Properties whose text may repeat the value of a key or variable, to say what is wrong with it. */
const commentProperties: ReadonlySet<string> = new Set(['additionalinfo', 'techinfo']);

/**
 * Names and texts that betray a secret, whoever invented the name. With the flag `u`, a long s and a
 * Kelvin sign are an s and a k, as they are to parsers that fold case.
 */
const secretMention =
  /authorizationkey|passw|passphrase|pwd|psk|secret|apikey|private[\s_-]{0,4}key|simpin|vpnkey|basic |bearer /iu;

/** Signatures, keys: chance writes the names of three letters into one of a hundred of them. */
const longToken = /[A-Za-z0-9_-]{65,}/g;

/** May `text` hold a secret? Cheap, and errs on the side of yes. */
export function mayHoldSecret(text: string): boolean {
  // An escape may spell any of the names.
  if (text.includes('@') || text.includes('\\u')) return true;
  return secretMention.test(text) || /"\s*(?:vpn|key)\s*"/iu.test(text);
}

/** What counts as a secret. */
export interface RedactOptions {
  /**
   * Also what only looks like one: user names and passwords in URLs, private keys in PEM, values
   * under names that OCPP does not have, and comments on values that are secret. For what is kept;
   * never for what is passed on.
   */
  readonly guesses: boolean;
}

/** A JSON value without its secrets. */
export interface Redaction {
  readonly value: unknown;
  /** Was anything replaced? */
  readonly found: boolean;
  /** Does a text mention a secret in a place that nobody knows, such as JSON inside a string? */
  readonly isSuspect: boolean;
}

/** A copy of the JSON value with every secret in a known place replaced. */
export function redactSecrets(value: unknown, options: RedactOptions): Redaction {
  let found = false;
  const replace = (): string => {
    found = true;
    return redacted;
  };
  let isSuspect = false;
  const walk = (node: unknown, surroundings: Surroundings): unknown => {
    if (typeof node === 'string') {
      const keyless = options.guesses ? withoutPrivateKeys(node) : node;
      // A bare name asks for a secret or names one; a longer text may hold it.
      if (mentionsSecret(keyless) && !isSecretName(keyless, options)) isSuspect = true;
      const clean = options.guesses ? withoutUserInfo(keyless) : node;
      if (clean !== node) found = true;
      return clean;
    }
    if (Array.isArray(node)) return node.map((item) => walk(item, surroundings));
    if (!isJsonObject(node)) return node;
    const isNamedSecret = surroundings === 'named-secret' || namesSecret(node, options);
    const copy: Record<string, unknown> = {};
    for (const [key, child] of Object.entries(node)) {
      const folded = foldKey(key.trim());
      const isSecret =
        secretProperties.has(folded) ||
        isSecretName(key, options) ||
        (surroundings === 'vpn' && folded === 'key') ||
        (isNamedSecret && valueProperties.has(folded)) ||
        (isNamedSecret && options.guesses && commentProperties.has(folded));
      const inside = isNamedSecret ? 'named-secret' : folded === 'vpn' ? 'vpn' : 'ordinary';
      const clean = isSecret && child !== '' ? replace() : walk(child, inside);
      // Not an assignment: a key named __proto__ must stay a key.
      Object.defineProperty(copy, key, { value: clean, enumerable: true });
    }
    return copy;
  };
  return { value: walk(value, 'ordinary'), found, isSuspect };
}

/** What an object stands in, as far as it tells secrets from ordinary values. */
type Surroundings = 'ordinary' | 'vpn' | 'named-secret';

function mentionsSecret(text: string): boolean {
  if (!secretMention.test(text)) return false;
  return secretMention.test(text.replace(longToken, (it) => it.replace(/pwd|psk/giu, '')));
}

/** Longer texts are no names. */
const nameLengthMax = 64;

function isSecretName(text: string, { guesses }: RedactOptions): boolean {
  const name = text.trim();
  if (secretNames.has(foldKey(name))) return true;
  return (
    guesses && /^[\w.-]+$/.test(name) && name.length <= nameLengthMax && secretMention.test(name)
  );
}

/**
 * Does `entry` pair the name of a secret with its value? Also where the name stands in a list or an
 * object that does not belong there: such a message is refused, and then it is kept.
 */
function namesSecret(entry: JsonObject, options: RedactOptions): boolean {
  return Object.entries(entry).some(([key, value]) => {
    const folded = foldKey(key.trim());
    const isName = folded === 'key' || folded === 'variable';
    if (isName) return holdsSecretName(value, 3, options);
    // A value names nothing. Elsewhere, others may have other words for `key`.
    if (valueProperties.has(folded) || commentProperties.has(folded)) return false;
    return options.guesses && typeof value === 'string' && isSecretName(value, options);
  });
}

/** Is `value` the name of a secret, or does one stand at most `depth` levels below it? */
function holdsSecretName(value: unknown, depth: number, options: RedactOptions): boolean {
  if (typeof value === 'string') return isSecretName(value, options);
  if (typeof value !== 'object' || value === null || depth === 0) return false;
  return Object.values(value).some((child) => holdsSecretName(child, depth - 1, options));
}

/** Takes private keys in PEM out of a text, up to their end or its own. */
function withoutPrivateKeys(text: string): string {
  return text.replace(privateKey, redacted);
}

/** RFC 7468 section 10 and 11, and what OpenSSL writes. Looks at most characters once. */
const privateKey =
  /-----BEGIN [\w ]{0,32}PRIVATE KEY-----.*?(?:-----END [\w ]{0,32}PRIVATE KEY-----|$)/gisu;

/**
 * Takes user names and passwords out of URLs: upload and firmware locations often carry them.
 * Looks at each character once.
 */
function withoutUserInfo(text: string): string {
  let clean = '';
  let at = 0;
  for (let mark = text.indexOf('://'); mark >= 0; mark = text.indexOf('://', at)) {
    const start = mark + 3;
    const end = endOfUrl(text, start);
    const length = userInfoLength(text.slice(start, end));
    clean += text.slice(at, start) + (length > 0 ? redacted : '');
    at = start + length;
    // What is left of this URL holds no other mark.
    clean += text.slice(at, end);
    at = end;
  }
  return clean + text.slice(at);
}

/** Where the URL whose authority starts at `start` ends: at a space, or where the next one marks. */
function endOfUrl(text: string, start: number): number {
  for (let at = start; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (character <= 0x20 || (character === 0x3a && text.startsWith('://', at))) return at;
  }
  return text.length;
}

/**
 * Characters of user name and password at the start of `rest`. A password may hold a raw slash
 * although RFC 3986 forbids it; then what looks like a port is none.
 */
function userInfoLength(rest: string): number {
  const slash = rest.search(/[/?#]/);
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  const inAuthority = authority.lastIndexOf('@');
  if (inAuthority >= 0) return inAuthority;
  const colon = authority.indexOf(':');
  const isPort = colon < 0 || /^\d+$/.test(authority.slice(colon + 1));
  return isPort ? 0 : Math.max(0, rest.lastIndexOf('@'));
}

/**
 * A text that is safe to keep.
 *
 * Secrets are replaced where they stand in their places. A text that mentions one but has it in no
 * known place keeps only its structure, and so does one that cannot be parsed: without grammar
 * nobody can say where a string ends, and of two equal keys the parser hides one.
 *
 * What is signed stands in base64url: where it holds a secret, all of it is replaced.
 */
export function redactText(text: string): string {
  const decoded = withoutEncodedSecrets(text, redactPlain, redacted);
  // Of a whole frame that is signed, nothing is left that is not encoded.
  return compactJws.test(text) ? decoded : redactPlain(decoded);
}

/** RFC 7515 section 7.1, of a header and a frame in JSON. The shortest signature is that of HS256. */
const compactJws = /^eyJ[\w-]+\.W[\w-]{15,}\.[\w-]{43,}$/;

function redactPlain(text: string): string {
  if (!mayHoldSecret(text)) return text;
  const json = parseStrictJson(text, { depthMax });
  if (json.ok && !json.value.hazards.has('duplicate-key')) {
    const { value, found, isSuspect } = redactSecrets(json.value.value, { guesses: true });
    if (!isSuspect) return found ? JSON.stringify(value) : text;
  }
  return text.replace(/"(?:[^"\\]|\\.)*"?|[^\s"[\]{}:,]+/gs, (token) =>
    /^\d$/.test(token) ? token : `"${redacted}"`,
  );
}

/** Deeper texts are treated like ones that cannot be parsed. */
const depthMax = 100;
