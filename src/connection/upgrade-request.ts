import type { IncomingMessage } from 'node:http';
import type { ChargerId } from '../chargers/charger-id.ts';
import { type BasicEvidence, parseBasic } from '../identity/basic-auth.ts';
import { type IdentitySource, parseChargerId } from '../identity/parse-charger-id.ts';
import { failed, ok, type Result } from '../lib/result.ts';
import type { CertificateEvidence } from '../pki/client-certificate.ts';
import { remoteAddressOf } from './remote-address.ts';

/** What a charger asks for, parsed once. */
export interface UpgradeRequest {
  /** Nobody has proven it yet. */
  readonly unverifiedId: ChargerId;
  readonly offered: readonly string[];
  /** With its network, where that is an isolated one: see `remote-address.ts`. */
  readonly remoteAddress: string;
  /** What the Authorization headers say, not verified; on every listener. */
  readonly basic: BasicEvidence;
  /** The certificate that the charger has shown the key of; undefined when it has shown none. */
  readonly clientCertificate: CertificateEvidence | undefined;
}

/** Why a request is no acceptable upgrade. */
export type UpgradeFailure =
  | 'UPGRADE_MALFORMED'
  | 'UPGRADE_PATH'
  | 'IDENTITY_MALFORMED'
  | 'CERTIFICATE_UNREADABLE';

/** How a door reads requests. */
export interface UpgradeReading {
  readonly paths: readonly string[];
  readonly source: IdentitySource;
  /** The isolated network that they come through; undefined for that of the gateway itself. */
  readonly network?: string | undefined;
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
  reading: UpgradeReading,
  clientCertificate?: CertificateEvidence | 'unreadable',
): Result<UpgradeRequest, UpgradeFailure> {
  const { headers } = request;
  const basic = takeAuthorization(request);
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
  if (clientCertificate === 'unreadable') return failed('CERTIFICATE_UNREADABLE');
  const remoteAddress = remoteAddressOf(request.socket, reading.network);
  return ok({ unverifiedId: id.value, offered, remoteAddress, basic, clientCertificate });
}

/**
 * Reads the Authorization headers, and wipes them out of the request, which ws and the arrival hold
 * on to.
 *
 * From the raw headers: of several, Node keeps the first one only.
 */
function takeAuthorization(request: IncomingMessage): BasicEvidence {
  const { headers, rawHeaders } = request;
  const found: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() !== 'authorization') continue;
    found.push(rawHeaders[index + 1] ?? '');
    rawHeaders[index + 1] = '';
  }
  delete headers.authorization;
  return parseBasic(found);
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
