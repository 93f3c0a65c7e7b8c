import { isJsonObject, ownProperty } from './message.ts';
import { parseStrictJson } from './strict-json.ts';

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

/** Texts that betray a secret in a message that cannot be parsed. */
const secretMention = /authorizationkey|password|simpin|vpnkey/i;

/** May `text` hold a secret? Cheap, and errs on the side of yes. */
export function mayHoldSecret(text: string): boolean {
  // An escape may spell any of the names.
  if (text.includes('@') || text.includes('\\u')) return true;
  return secretMention.test(text) || /"(?:vpn|key)"/i.test(text);
}

/** What counts as a secret. */
export interface RedactOptions {
  /** The user name and password inside a URL as well. */
  readonly userInfo: boolean;
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
      // A bare name asks for a secret or names one; a longer text may hold it.
      if (secretMention.test(node) && !isSecretName(node)) isSuspect = true;
      const clean = options.userInfo ? withoutUserInfo(node) : node;
      if (clean !== node) found = true;
      return clean;
    }
    if (Array.isArray(node)) return node.map((item) => walk(item, surroundings));
    if (!isJsonObject(node)) return node;
    const isNamedSecret = surroundings === 'named-secret' || namesSecret(node);
    const copy: Record<string, unknown> = {};
    for (const [key, child] of Object.entries(node)) {
      const folded = key.toLowerCase();
      const isSecret =
        secretProperties.has(folded) ||
        secretNames.has(folded) ||
        (surroundings === 'vpn' && folded === 'key') ||
        (isNamedSecret && valueProperties.has(folded));
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

function isSecretName(text: string): boolean {
  return secretNames.has(text.trim().toLowerCase());
}

/** Does `entry` pair the name of a secret with its value? */
function namesSecret(entry: unknown): boolean {
  const names = [
    ownProperty(entry, 'key'),
    ownProperty(ownProperty(entry, 'variable'), 'name'),
    ownProperty(ownProperty(entry, 'variable'), 'instance'),
    ownProperty(entry, 'variable'),
  ];
  return names.some((name) => typeof name === 'string' && isSecretName(name));
}

/**
 * User name and password of a URL. A password may hold a raw slash although RFC 3986 forbids it;
 * then what looks like a port is none.
 */
const userInfo = /([a-z][a-z0-9+.-]{0,31}:\/\/)(?:[^/?#\s]*|[^/?#\s:]*:(?!\d+(?:[/?#]|$))\S*)@/gi;

/** Upload and firmware locations often carry a user name and a password. */
function withoutUserInfo(text: string): string {
  return text.replace(userInfo, `$1${redacted}@`);
}

/**
 * A text that is safe to keep.
 *
 * Secrets are replaced where they stand in their places. A text that mentions one but has it in no
 * known place keeps only its structure, and so does one that cannot be parsed: without grammar
 * nobody can say where a string ends, and of two equal keys the parser hides one.
 */
export function redactText(text: string): string {
  if (!mayHoldSecret(text)) return text;
  const json = parseStrictJson(text, { depthMax });
  if (json.ok && !json.value.hazards.has('duplicate-key')) {
    const { value, found, isSuspect } = redactSecrets(json.value.value, { userInfo: true });
    if (!isSuspect) return found ? JSON.stringify(value) : text;
  }
  return text.replace(/"(?:[^"\\]|\\.)*"?|[^\s"[\]{}:,]+/gs, (token) =>
    /^\d$/.test(token) ? token : `"${redacted}"`,
  );
}

/** Deeper texts are treated like ones that cannot be parsed. */
const depthMax = 100;
