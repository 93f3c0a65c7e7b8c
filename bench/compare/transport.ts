import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeAuthority } from '../../test/support/certificates.ts';

/** How chargers connect. The leg to the CSMS is plain for everybody. */
export type Transport = 'plain' | 'tls';
export const transports: readonly Transport[] = ['plain', 'tls'];

/** The certificate that every contestant shows, in files. */
export interface ServerCertificate {
  /** PEM; for the chargers. */
  readonly authorityPem: string;
  /** The certificate and, behind it, that of its issuer. */
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Both in one file, as HAProxy wants them. */
  readonly bundleFile: string;
}

/** Makes one for loopback with a key of ECDSA P-256, and writes it into `folder`. */
export async function makeServerCertificate(folder: string): Promise<ServerCertificate> {
  const authority = await makeAuthority();
  const server = await authority.issue({
    commonName: 'contestant',
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
  });
  const certificateFile = path.join(folder, 'server.pem');
  const keyFile = path.join(folder, 'server.key');
  const bundleFile = path.join(folder, 'server-bundle.pem');
  await writeFile(certificateFile, server.chainPem);
  await writeFile(keyFile, server.keyPem, { mode: 0o600 });
  await writeFile(bundleFile, `${server.chainPem}${server.keyPem}`, { mode: 0o600 });
  return { authorityPem: authority.certificatePem, certificateFile, keyFile, bundleFile };
}
