import type { IncomingMessage } from 'node:http';
import type { ChargerId } from '../chargers/charger-id.ts';
import { type IdentitySource, parseChargerId } from '../identity/parse-charger-id.ts';
import { failed, ok, type Result } from '../lib/result.ts';

/** What a charger asks for, parsed once. */
export interface UpgradeRequest {
  /** Nobody has proven it yet. */
  readonly unverifiedId: ChargerId;
  readonly offered: readonly string[];
  readonly remoteAddress: string;
}

/** Why a request is no acceptable upgrade. */
export type UpgradeFailure = 'UPGRADE_MALFORMED' | 'UPGRADE_PATH' | 'IDENTITY_MALFORMED';

/** How a listener reads identities. */
export interface IdentityReading {
  readonly paths: readonly string[];
  readonly source: IdentitySource;
}

/** More subprotocols than there are; a longer list is no charger's. */
const subprotocolsMax = 16;

/**
 * Reads an upgrade request.
 *
 * Headers that claim an address or an identity (X-Forwarded-For and its kin) are never read:
 * anybody can send them. Origin is never judged: embedded WebSocket stacks send their own.
 *
 * Source: RFC 6455 section 4.2.1.
 */
export function parseUpgrade(
  request: IncomingMessage,
  reading: IdentityReading,
): Result<UpgradeRequest, UpgradeFailure> {
  const { headers } = request;
  const key = headers['sec-websocket-key'];
  const isUpgrade =
    request.method === 'GET' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    headers['sec-websocket-version'] === '13' &&
    key !== undefined &&
    /^[+/0-9A-Za-z]{22}==$/.test(key);
  if (!isUpgrade) return failed('UPGRADE_MALFORMED');

  const offered = parseSubprotocols(headers['sec-websocket-protocol']);
  if (offered === undefined) return failed('UPGRADE_MALFORMED');
  const id = parseChargerId(request.url ?? '', reading.paths, reading.source);
  if (!id.ok) return failed(id.error === 'path' ? 'UPGRADE_PATH' : 'IDENTITY_MALFORMED');
  const remoteAddress = request.socket.remoteAddress ?? 'unknown';
  return ok({ unverifiedId: id.value, offered, remoteAddress });
}

/** The names in the header; undefined when it is malformed. */
function parseSubprotocols(header: string | undefined): readonly string[] | undefined {
  if (header === undefined || header.trim() === '') return [];
  // Doubled names and stray commas have one meaning; some stacks write them.
  const list = header.split(',').map((name) => name.trim());
  const names = [...new Set(list.filter((name) => name !== ''))];
  const isWellFormed =
    list.length <= subprotocolsMax && names.every((name) => /^[!-+\--~]{1,64}$/.test(name));
  return isWellFormed ? names : undefined;
}
