import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { type SecureVersion, TLSSocket } from 'node:tls';

/** Certificates and keys, as PEM, for wss. */
export interface CsmsTls {
  /** Of the CSMS, with its chain. */
  readonly certificate: string | Buffer;
  readonly key: string | Buffer;
  /** With it every charger must show a certificate that one of these has issued. */
  readonly clientCa?: string | Buffer | undefined;
  /** The oldest TLS; 1.2 by default, as OCPP demands. */
  readonly minVersion?: SecureVersion | undefined;
  readonly maxVersion?: SecureVersion | undefined;
}

/** The certificate that a charger has shown. */
export interface ClientCertificate {
  /** Hexadecimal, in capitals. */
  readonly serialNumber: string;
  readonly commonName: string;
  /** SHA-256 of the certificate, hexadecimal with colons. */
  readonly fingerprint256: string;
}

/** What a charger has shown; `problem` says why it does not count. */
export type ShownCertificate =
  | { readonly is: 'good'; readonly certificate: ClientCertificate }
  | { readonly is: 'none' }
  | { readonly is: 'bad'; readonly problem: string };

/** An HTTP server that only upgrades; with `tls` one for https. */
export function createCsmsServer(tls: CsmsTls | undefined): Server {
  if (tls === undefined) return createServer(refuseRequest);
  const { certificate, key, clientCa, minVersion, maxVersion } = tls;
  return createTlsServer(
    {
      cert: certificate,
      key,
      minVersion: minVersion ?? 'TLSv1.2',
      ...(maxVersion !== undefined && { maxVersion }),
      ...(clientCa !== undefined && { ca: clientCa }),
      requestCert: clientCa !== undefined,
      // Not refused here, so that the CSMS can say which charger it was (shownCertificate).
      rejectUnauthorized: false,
    },
    refuseRequest,
  );
}

/** The certificate that came with this connection, and whether the CSMS trusts it. */
export function shownCertificate(socket: Duplex): ShownCertificate {
  if (!(socket instanceof TLSSocket)) return { is: 'none' };
  const { serialNumber, subject, fingerprint256 } = socket.getPeerCertificate();
  // An empty object when there is none.
  if (fingerprint256 === undefined) return { is: 'none' };
  if (!socket.authorized) return { is: 'bad', problem: String(socket.authorizationError) };
  // Typed as a text, but several values make an array, and none makes undefined.
  const { CN: commonName }: Readonly<Record<string, unknown>> = { ...subject };
  return {
    is: 'good',
    certificate: {
      serialNumber,
      commonName: typeof commonName === 'string' ? commonName : '',
      fingerprint256,
    },
  };
}

function refuseRequest(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(426, { connection: 'close' }).end();
}
