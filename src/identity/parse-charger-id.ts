import type { ChargerId } from '../chargers/charger-id.ts';
import { failed, ok, type Result } from '../lib/result.ts';

/** Where in a request the identity stands. */
export type IdentitySource =
  /** The only segment after the listener's path, as OCPP says. */
  | { readonly from: 'path' }
  /** The first segment after it; chargers that append their serial number need this. */
  | { readonly from: 'first-segment' }
  /** A query parameter, for the few chargers that send it there. */
  | { readonly from: 'query'; readonly parameter: string };

/** Why a request has no identity. */
export type IdentityFailure = 'path' | 'identity';

/** OCPP 2.x allows 48 characters; OCPP 1.6 names no limit. */
export const identityLengthMax = 64;

/** Longer request targets are refused before they are looked at. */
const targetLengthMax = 2048;

/**
 * The identity in a request target, decoded once.
 *
 * Two parsings that disagree have let one charger authenticate and another one connect
 * (`/CP_A?x=/CP_B`), so whatever could be read twice is refused: a query where none belongs, an
 * encoded slash or percent sign, dots, control characters, anything beyond printable ASCII.
 *
 * @param paths the listener's paths, each `/` or starting with one and not ending with one.
 * Source: OCPP-J 1.6 section 3.1.1; OCPP 2.0.1 part 4 section 3.1.1.
 */
export function parseChargerId(
  target: string,
  paths: readonly string[],
  source: IdentitySource,
): Result<ChargerId, IdentityFailure> {
  if (target.length > targetLengthMax) return failed('identity');
  const local = withoutOrigin(target);
  if (local === undefined || local.includes('#')) return failed('path');
  const [path = '', query, ...rest] = local.split('?');
  if (rest.length > 0) return failed('identity');

  if (source.from === 'query') {
    const atRoot = paths.some((prefix) => stripSlash(path) === stripSlash(prefix));
    if (!atRoot) return failed('path');
    return fromQuery(query ?? '', source.parameter);
  }
  if (query !== undefined) return failed('identity');
  const segments = segmentsAfter(path, paths);
  if (segments === undefined) return failed('path');
  const [first, second, ...more] = segments;
  if (first === undefined) return failed('identity');
  // Some chargers append their identity to a URL that holds it already.
  const isTwice = second === first && more.length === 0;
  if (second !== undefined && !isTwice && source.from !== 'first-segment') {
    return failed('identity');
  }
  return decodeIdentity(first);
}

/** Some chargers send the whole URL as request target (RFC 9112 section 3.2.2). */
function withoutOrigin(target: string): string | undefined {
  if (target.startsWith('/')) return target;
  const match = /^(?:ws|wss|http|https):\/\/[^/?#]*(\/.*)$/i.exec(target);
  return match?.[1];
}

function segmentsAfter(path: string, prefixes: readonly string[]): string[] | undefined {
  // The longest first: with / and /ocpp, /ocpp/CP-1 is CP-1 below /ocpp.
  for (const prefix of [...prefixes].sort((a, b) => b.length - a.length)) {
    const start = prefix === '/' ? '/' : `${prefix}/`;
    if (!path.startsWith(start)) continue;
    return stripSlash(path.slice(start.length)).split('/');
  }
  return undefined;
}

/** One trailing slash is forgiven; a second one makes an empty segment, which is not. */
function stripSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

function fromQuery(query: string, parameter: string): Result<ChargerId, IdentityFailure> {
  const values = query
    .split('&')
    .map((pair) => pair.split('='))
    .filter(([name]) => name === parameter);
  const [only, ...others] = values;
  if (only === undefined || others.length > 0 || only.length !== 2) return failed('identity');
  return decodeIdentity(only[1] ?? '');
}

function decodeIdentity(encoded: string): Result<ChargerId, IdentityFailure> {
  let text: string;
  try {
    text = decodeURIComponent(encoded);
  } catch {
    return failed('identity');
  }
  const isAcceptable =
    text.length >= 1 &&
    text.length <= identityLengthMax &&
    // Printable ASCII without slash, backslash and percent sign; no space at either end.
    /^[!-$&-.0-[\]-~](?:[ -$&-.0-[\]-~]*[!-$&-.0-[\]-~])?$/.test(text) &&
    text !== '.' &&
    !text.includes('..');
  return isAcceptable ? ok(text as ChargerId) : failed('identity');
}
