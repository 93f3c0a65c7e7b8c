import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { isOcppVersion, type OcppVersion } from '../../ocpp/version.ts';
import type { PasswordCheck } from './csms-passwords.ts';
import { type ClientCertificate, type ShownCertificate, shownCertificate } from './csms-server.ts';

/** Identities are shorter (48 in 2.x); whatever is longer is a mistake. */
const identityLengthMax = 255;

/** A charger that may connect. */
export interface Newcomer {
  readonly identity: string;
  readonly version: OcppVersion;
  /** Undefined when it has shown none, or one that is not trusted. */
  readonly certificate: ClientCertificate | undefined;
}

/** What becomes of a request for a connection. */
export type CsmsAdmission =
  | { readonly is: 'admitted'; readonly newcomer: Newcomer }
  | { readonly is: 'refused'; readonly status: string; readonly note?: string };

/** What a CSMS demands of those who connect. */
export interface CsmsDemands {
  /** The identity is the one segment after it. */
  readonly path: string;
  readonly isCertificateDemanded: boolean;
  /** Undefined: no password is demanded. */
  readonly passwords: PasswordCheck | undefined;
}

/** May this request become a connection? */
export function admitCharger(
  { path, isCertificateDemanded, passwords }: CsmsDemands,
  request: IncomingMessage,
  socket: Duplex,
): CsmsAdmission {
  const identity = identityOf(request.url ?? '', path);
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',');
  const version = offered.map((name) => name.trim()).find(isOcppVersion);
  if (identity === undefined) return { is: 'refused', status: '404 Not Found' };
  if (version === undefined) return { is: 'refused', status: '400 Bad Request' };
  const shown = shownCertificate(socket);
  const problem =
    (isCertificateDemanded ? certificateProblem(shown) : undefined) ??
    passwords?.refusalOf(identity, request.headers.authorization);
  if (problem !== undefined) {
    const note = `${identity} was refused: ${problem}`;
    return { is: 'refused', status: '401 Unauthorized', note };
  }
  const certificate = shown.is === 'good' ? shown.certificate : undefined;
  return { is: 'admitted', newcomer: { identity, version, certificate } };
}

function certificateProblem(shown: ShownCertificate): string | undefined {
  switch (shown.is) {
    case 'good':
      return undefined;
    case 'none':
      return 'it showed no certificate';
    case 'bad':
      return `its certificate is not trusted (${shown.problem})`;
  }
}

/** Answers a request for a connection with this HTTP status, and ends it. */
export function refuseUpgrade(socket: Duplex, status: string): void {
  const challenge = status.startsWith('401') ? 'WWW-Authenticate: Basic realm="CSMS"\r\n' : '';
  const rest = 'Connection: close\r\nContent-Length: 0\r\n\r\n';
  socket.end(`HTTP/1.1 ${status}\r\n${challenge}${rest}`);
}

/** A path without its last slash; empty for the root. */
export function normalPath(path: string): string {
  const trimmed = path.replace(/^\/+|\/+$/g, '');
  return trimmed === '' ? '' : `/${trimmed}`;
}

/** The identity in a request target; undefined when the target is not `path` and one segment. */
function identityOf(target: string, path: string): string | undefined {
  const [pathname = ''] = target.split('?');
  if (!pathname.startsWith(`${path}/`)) return undefined;
  const segment = pathname.slice(path.length + 1);
  if (segment === '' || segment.includes('/')) return undefined;
  try {
    const identity = decodeURIComponent(segment);
    return identity.length > identityLengthMax ? undefined : identity;
  } catch {
    return undefined;
  }
}
