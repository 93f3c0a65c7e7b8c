import { type IssueOptions, makeAuthority, type TestAuthority } from '../support/certificates.ts';

/** An authority, and a server certificate of it for loopback. */
export interface LoopbackAuthority {
  readonly authority: TestAuthority;
  /** For the `tls` of a simulated CSMS. */
  readonly server: { readonly certificate: string; readonly key: string };
  /** For the `tls` of a simulated charger: trust, and a certificate. */
  readonly client: (options?: Partial<IssueOptions>) => Promise<ClientTls>;
}

/** What a simulated charger with security profile 3 needs. */
interface ClientTls {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** A new authority. Its chargers are of the operator "Test operator", and called SERIAL-1. */
export async function loopbackAuthority(): Promise<LoopbackAuthority> {
  const authority = await makeAuthority();
  const { chainPem, keyPem } = await authority.issue({
    commonName: 'localhost',
    ipAddresses: ['127.0.0.1'],
  });
  return {
    authority,
    server: { certificate: chainPem, key: keyPem },
    client: async (options) => {
      const issued = await authority.issue({
        commonName: 'SERIAL-1',
        organization: 'Test operator',
        ...options,
      });
      return {
        ca: authority.certificatePem,
        certificate: issued.chainPem,
        key: issued.keyPem,
      };
    },
  };
}
