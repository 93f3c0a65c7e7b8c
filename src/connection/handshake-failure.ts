import type { EventFields } from '../events/fields.ts';

/** Why a TLS handshake came to nothing, in the words of the event. */
export type HandshakeFinding = EventFields['TlsHandshakeFailed']['finding'];

/**
 * Codes of Node.js and OpenSSL. OpenSSL names what it met first, so that a peer that is wrong in two
 * ways has one finding.
 */
const findings: ReadonlyMap<string, HandshakeFinding> = new Map([
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'InvalidTLSVersion'],
  ['ERR_SSL_VERSION_TOO_LOW', 'InvalidTLSVersion'],
  // A hello in the form of SSL 2.
  ['ERR_SSL_UNKNOWN_PROTOCOL', 'InvalidTLSVersion'],
  // It says that it has tried a higher version before: it, or somebody between, lowers it.
  ['ERR_SSL_INAPPROPRIATE_FALLBACK', 'InvalidTLSVersion'],
  ['ERR_SSL_NO_SHARED_CIPHER', 'InvalidTLSCipherSuite'],
  ['ERR_SSL_NO_CIPHERS_SPECIFIED', 'InvalidTLSCipherSuite'],
  ['ERR_SSL_HTTP_REQUEST', 'NotTls'],
  ['ERR_SSL_HTTPS_PROXY_REQUEST', 'NotTls'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'NotTls'],
  ['ERR_TLS_HANDSHAKE_TIMEOUT', 'TimedOut'],
]);

/** The finding for an error code. */
export function handshakeFinding(code: string): HandshakeFinding {
  return findings.get(code) ?? 'Other';
}
