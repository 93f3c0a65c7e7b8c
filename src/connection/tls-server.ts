import { constants } from 'node:crypto';
import type { ServerOptions as HttpOptions } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { TLSSocket, TlsOptions } from 'node:tls';
import type { EventSink } from '../events/emit.ts';
import type { CertificateEvidence } from '../pki/client-certificate.ts';
import type { ChainMemory } from './chain-memory.ts';
import { evidenceOf, type ShownCertificate, takeCertificate } from './client-evidence.ts';
import { type HandshakePlace, Handshakes } from './handshakes.ts';
import type { ListenerMaterial } from './tls-material.ts';

/** The four suites that OCPP asks of a management system, for TLS 1.2, and those of TLS 1.3. */
const cipherSuites = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
];

/** How long a charger may resume a session: longer than a network failure and a restart. */
const sessionSeconds = 600;

/**
 * What every TLS listener insists on.
 *
 * Renegotiation and compression are off as such; each has been an attack of its own.
 *
 * Source: "Improved security for OCPP 1.6-J" edition 3 and OCPP 2.0.1 part 2, A00.FR.317,
 * A00.FR.318 and their twins for client certificates.
 */
const demands = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: cipherSuites.join(':'),
  honorCipherOrder: true,
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
  sessionTimeout: sessionSeconds,
  // Whoever is in the file of authorities is trusted, also an intermediate one without its root.
  allowPartialTrustChain: true,
} as const satisfies TlsOptions;

/** What an HTTPS server needs to know of its door. */
export interface TlsServerOptions extends HandshakePlace {
  readonly handshakeSeconds: number;
  /** Are clients asked for a certificate? */
  readonly asksClients: boolean;
  readonly httpOptions: HttpOptions;
}

/** The HTTPS server of one door. It does not listen yet. */
export interface TlsServer {
  readonly server: Server;
  readonly handshakes: Handshakes;
  /** What the client has shown; `unreadable` when Node.js can make nothing of it. */
  clientCertificate(socket: TLSSocket): CertificateEvidence | 'unreadable' | undefined;
  /** Shows and trusts something else from the next connection on. */
  use(context: ListenerMaterial['context']): void;
  /** Ends handshakes that are not done. */
  close(): void;
}

/**
 * Makes an HTTPS server.
 *
 * @param context what it shows and whom it trusts at first.
 * @param memory the issuers that clients have shown, at any door of the listener.
 */
export function createTlsServer(
  { asksClients, handshakeSeconds, httpOptions, listener, network }: TlsServerOptions,
  { context, memory }: { readonly context: ListenerMaterial['context']; memory: ChainMemory },
  emit: EventSink,
): TlsServer {
  const server = createServer({
    ...httpOptions,
    ...demands,
    ...context,
    handshakeTimeout: handshakeSeconds * 1000,
    requestCert: asksClients,
    // Whoever judges the certificate can tell the operator why it was refused; an alert cannot.
    rejectUnauthorized: false,
  });
  const handshakes = new Handshakes(server, { listener, network }, emit);
  const shown = asksClients ? catchCertificates(server) : undefined;
  return {
    server,
    handshakes,
    clientCertificate: (socket) => {
      if (shown === undefined) return undefined;
      const certificate = shown.get(socket) ?? takeCertificate(socket);
      if (certificate.is === 'none') return undefined;
      return certificate.is === 'unreadable'
        ? 'unreadable'
        : evidenceOf(socket, certificate, memory);
    },
    // A new context has new keys for its session tickets: nobody resumes a session that was made
    // with other authorities. Connections that are open notice nothing.
    use: (next) => server.setSecureContext({ ...demands, ...next }),
    close: () => handshakes.close(),
  };
}

/**
 * Takes the certificates of clients out of their connections before Node.js does: since 24.21 and
 * 26.8 it reads the certificate of each client that OpenSSL has verified, and reading loses those of
 * the issuers (nodejs/node issue 65579).
 *
 * The only event that names a TLS socket before its handshake is done is `keylog`. The keys that
 * come with it are wiped and never looked at.
 */
function catchCertificates(server: Server): WeakMap<TLSSocket, ShownCertificate> {
  const shown = new WeakMap<TLSSocket, ShownCertificate>();
  const met = new WeakSet<TLSSocket>();
  server.on('keylog', (line: Buffer, socket: TLSSocket) => {
    line.fill(0);
    if (met.has(socket)) return;
    met.add(socket);
    socket.prependOnceListener('secure', () => shown.set(socket, takeCertificate(socket)));
  });
  return shown;
}
