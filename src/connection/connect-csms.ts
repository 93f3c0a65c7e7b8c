import { isIP } from 'node:net';
import {
  type ConnectionOptions,
  checkServerIdentity,
  connect,
  createSecureContext,
  type PeerCertificate,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import type { CsmsTls } from './csms-tls.ts';

/** Verified by the authorities that Node.js trusts and by the host in the URL. */
export const plainCsmsTls: CsmsTls = { pinnedSha256: [], acceptsAnyCertificate: false };

/** Where a TLS connection goes, as ws hands it on. */
export interface CsmsEndpoint {
  readonly host: string;
  readonly port: number;
}

/** The error code of a certificate that is not one of those that are pinned. */
export const pinMismatch = 'CERTIFICATE_NOT_PINNED';

/**
 * The suites that the gateway offers to the CSMS: those of TLS 1.3, and of TLS 1.2 all that encrypt
 * and authenticate in one, with those that OCPP asks of a charger among them.
 *
 * Source: OCPP 2.0.1 part 2, A00.FR.318.
 */
const cipherSuites = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE+AESGCM',
  'ECDHE+CHACHA20',
  'AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
].join(':');

/** Reading authorities and keys takes longer than a handshake, so it is done once for each. */
const contexts = new WeakMap<CsmsTls, SecureContext>();

/**
 * Begins a TLS connection to the CSMS.
 *
 * @param onUntrusted called with the code of what is wrong with the certificate, before anything is
 *   sent; the connection ends with an error then.
 */
export function connectTls(
  { host, port }: CsmsEndpoint,
  tls: CsmsTls,
  onUntrusted: (code: string) => void,
): TLSSocket {
  const name = tls.serverName ?? host;
  const options: ConnectionOptions = {
    host,
    port,
    secureContext: contextOf(tls),
    // An address cannot be sent as a name (RFC 6066 section 3).
    servername: isIP(name) === 0 ? name : '',
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: !tls.acceptsAnyCertificate,
    checkServerIdentity: (_host, certificate) =>
      checkServerIdentity(name, certificate) ?? pinProblem(certificate, tls),
  };
  const socket = connect(options);
  socket.once('secureConnect', () => {
    if (!tls.acceptsAnyCertificate) return;
    // Node checks nothing then, or does not act on it.
    const problem = pinProblem(socket.getPeerCertificate(), tls);
    if (problem === undefined) return;
    onUntrusted(pinMismatch);
    socket.destroy(problem);
  });
  socket.once('error', () => {
    const { authorizationError } = socket;
    if (tls.acceptsAnyCertificate || !authorizationError) return;
    // Its type says Error; it is the code.
    onUntrusted(String(authorizationError));
  });
  return socket;
}

function contextOf(tls: CsmsTls): SecureContext {
  const known = contexts.get(tls);
  if (known !== undefined) return known;
  const context = createSecureContext({
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...tls.clientCertificate,
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ciphers: cipherSuites,
  });
  contexts.set(tls, context);
  return context;
}

function pinProblem(certificate: PeerCertificate, { pinnedSha256 }: CsmsTls): Error | undefined {
  if (pinnedSha256.length === 0) return undefined;
  const fingerprint = plainHex(certificate.fingerprint256 ?? '');
  if (pinnedSha256.some((pin) => plainHex(pin) === fingerprint)) return undefined;
  return Object.assign(new Error('the certificate is not a pinned one'), { code: pinMismatch });
}

function plainHex(digits: string): string {
  return digits.replaceAll(':', '').toLowerCase();
}
