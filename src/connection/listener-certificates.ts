import type { ServerOptions as HttpOptions } from 'node:http';
import type { EventSink } from '../events/emit.ts';
import type { Clock } from '../lib/clock.ts';
import type { CertificateEvidence } from '../pki/client-certificate.ts';
import type { ClientTrust } from '../pki/trust.ts';
import { ChainMemory } from './chain-memory.ts';
import { ExpiryWatch } from './expiry-watch.ts';
import {
  type ListenerMaterial,
  type ListenerTls,
  listenerFiles,
  readListener,
} from './tls-material.ts';
import { createTlsServer, type TlsServer } from './tls-server.ts';
import { watchFiles } from './watched-files.ts';

/** The TLS of a listener. */
export interface CertificateOptions {
  /** The name of the listener. */
  readonly name: string;
  readonly handshakeSeconds: number;
  readonly tls: ListenerTls;
}

/** What a listener shows and whom it trusts, at all its doors. */
export interface ListenerCertificates {
  /** Says which certificates are in force; once the listener is open. */
  announce(): void;
  /**
   * Makes the HTTPS server of a door, which uses what is in force at each moment until it is closed.
   * Each has keys of its own for its session tickets: a session is resumed where it was made.
   */
  createServer(httpOptions: HttpOptions, network: string | undefined): TlsServer;
  /** Whoever showed this certificate was let in. */
  remember(certificate: CertificateEvidence): void;
  /** Undefined where clients are not asked for a certificate. */
  clientTrust(): ClientTrust | undefined;
  /** Stops looking at the files. */
  close(): void;
}

/**
 * Reads the files of a TLS listener, and reads them again when they change: once for all doors,
 * however many there are.
 *
 * @throws Error when the files cannot be used; its message names the file.
 */
export async function readCertificates(
  { handshakeSeconds, name, tls }: CertificateOptions,
  emit: EventSink,
  clock: Clock,
): Promise<ListenerCertificates> {
  const memory = new ChainMemory();
  const servers = new Set<TlsServer>();
  const expiries = new ExpiryWatch(name, emit, clock);
  const announce = ({ certificates, trust }: ListenerMaterial): void => {
    const descriptions = certificates.map(({ description }) => description);
    emit({ name: 'TlsCertificatesLoaded', listener: name, certificates: descriptions });
    expiries.look(certificates, trust);
  };
  const watched = await watchFiles(
    {
      files: listenerFiles(tls),
      parse: (texts) => readListener(tls, texts),
      onChanged: (material) => {
        for (const server of servers) server.use(material.context);
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
  const asksClients = tls.client !== undefined;
  return {
    announce: () => announce(watched.current()),
    createServer: (httpOptions, network) => {
      const { context } = watched.current();
      const options = { asksClients, handshakeSeconds, httpOptions, listener: name, network };
      const made = createTlsServer(options, { context, memory }, emit);
      const close = (): void => {
        servers.delete(server);
        made.close();
      };
      const server = { ...made, close };
      servers.add(server);
      return server;
    },
    remember: ({ leaf }) => memory.prove(leaf),
    clientTrust: () => watched.current().trust,
    close: () => watched.close(),
  };
}
