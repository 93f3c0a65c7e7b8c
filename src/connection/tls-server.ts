import { constants } from 'node:crypto';
import type { ServerOptions as HttpOptions } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { TLSSocket, TlsOptions } from 'node:tls';
import type { EventSink } from '../events/emit.ts';
import type { Clock } from '../lib/clock.ts';
import type { CertificateEvidence } from '../pki/client-certificate.ts';
import type { ClientTrust } from '../pki/trust.ts';
import { ChainMemory } from './chain-memory.ts';
import { evidenceOf, type ShownCertificate, takeCertificate } from './client-evidence.ts';
import { ExpiryWatch } from './expiry-watch.ts';
import { Handshakes } from './handshakes.ts';
import {
  type ListenerMaterial,
  type ListenerTls,
  listenerFiles,
  readListener,
} from './tls-material.ts';
import { watchFiles } from './watched-files.ts';

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

/** What a TLS server needs to know of its listener. */
export interface TlsServerOptions {
  readonly name: string;
  readonly handshakeSeconds: number;
  readonly tls: ListenerTls;
}

/** An HTTPS server with the certificates of a listener. It does not listen yet. */
export interface TlsServer {
  readonly server: Server;
  /** Says which certificates are in force; once the listener is open. */
  announce(): void;
  readonly handshakes: Handshakes;
  /** What the client has shown; `unreadable` when Node.js can make nothing of it. */
  clientCertificate(socket: TLSSocket): CertificateEvidence | 'unreadable' | undefined;
  /** Whoever showed this certificate was let in. */
  remember(certificate: CertificateEvidence): void;
  /** Undefined where clients are not asked for a certificate. */
  clientTrust(): ClientTrust | undefined;
  /** Stops looking at the files and ends handshakes that are not done. */
  close(): void;
}

/**
 * Reads the files of a TLS listener and makes a server that uses them, and reads them again when
 * they change.
 *
 * @throws Error when the files cannot be used; its message names the file.
 */
export async function createTlsServer(
  { handshakeSeconds, name, tls }: TlsServerOptions,
  httpOptions: HttpOptions,
  emit: EventSink,
  clock: Clock,
): Promise<TlsServer> {
  const memory = new ChainMemory();
  const expiries = new ExpiryWatch(name, emit, clock);
  const announce = ({ certificates, trust }: ListenerMaterial): void => {
    const descriptions = certificates.map(({ description }) => description);
    emit({ name: 'TlsCertificatesLoaded', listener: name, certificates: descriptions });
    expiries.look(certificates, trust);
  };
  let server: Server | undefined;
  const watched = await watchFiles(
    {
      files: listenerFiles(tls),
      parse: (texts) => readListener(tls, texts),
      onChanged: (material) => {
        // A new context has new keys for its session tickets: nobody resumes a session that was
        // made with other authorities. Connections that are open notice nothing.
        server?.setSecureContext({ ...demands, ...material.context });
        memory.clear();
        announce(material);
      },
      onFailed: (detail) => emit({ name: 'TlsReloadFailed', listener: name, detail }),
      onLook: () => {
        const { certificates, trust } = watched.current();
        expiries.look(certificates, trust);
      },
    },
    clock,
  );
  server = createServer({
    ...httpOptions,
    ...demands,
    ...watched.current().context,
    handshakeTimeout: handshakeSeconds * 1000,
    requestCert: tls.client !== undefined,
    // Whoever judges the certificate can tell the operator why it was refused; an alert cannot.
    rejectUnauthorized: false,
  });
  const handshakes = new Handshakes(server, name, emit);
  const shown = tls.client === undefined ? undefined : catchCertificates(server);
  return {
    server,
    announce: () => announce(watched.current()),
    handshakes,
    clientCertificate: (socket) => {
      if (shown === undefined) return undefined;
      const certificate = shown.get(socket) ?? takeCertificate(socket);
      if (certificate.is === 'none') return undefined;
      return certificate.is === 'unreadable'
        ? 'unreadable'
        : evidenceOf(socket, certificate, memory);
    },
    remember: ({ leaf }) => memory.prove(leaf),
    clientTrust: () => watched.current().trust,
    close: () => {
      watched.close();
      handshakes.close();
    },
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
