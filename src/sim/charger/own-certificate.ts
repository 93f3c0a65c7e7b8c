import { type KeyObject, X509Certificate } from 'node:crypto';
import { certificateRequest, type RequestedSubject } from './certificate-request.ts';

/** A certificate, with the chain behind it, and its key; both PEM. */
export interface CertificateAndKey {
  readonly certificate: string | Buffer;
  readonly key: string | Buffer;
}

/** What certificates are for (2.x). OCPP 1.6 has only the first. */
export type CertificatePurpose =
  | 'ChargingStationCertificate'
  | 'V2GCertificate'
  | 'V2G20Certificate';

interface OpenRequest {
  readonly privateKey: KeyObject;
  readonly requestId: number;
}

/**
 * The client certificate of a charger, and the keys of those that it has asked for.
 *
 * The certificate for the connection is replaced by the newest one that was accepted (A02, A03). One
 * for another purpose is checked and then forgotten, since no car asks a simulated charger for it.
 */
export class OwnCertificate {
  readonly #requests = new Map<string, OpenRequest>();
  #current: CertificateAndKey | undefined;
  #lastRequestId = 0;

  constructor(current: CertificateAndKey | undefined) {
    this.#current = current;
  }

  /** What a connection with security profile 3 uses; undefined when there is none. */
  current(): CertificateAndKey | undefined {
    return this.#current;
  }

  /** CN and O of the certificate, which the next one shall have as well; empty without one. */
  subject(): Partial<RequestedSubject> {
    const leaf = this.#current === undefined ? undefined : read(this.#current.certificate);
    // Typed as texts, but several values of one kind make an array.
    const { CN: commonName, O: organization }: Readonly<Record<string, unknown>> = {
      ...leaf?.toLegacyObject().subject,
    };
    return {
      ...(typeof commonName === 'string' && { commonName }),
      ...(typeof organization === 'string' && { organization }),
    };
  }

  /** Makes a key and a request for it. An older request for the same purpose is void. */
  request(
    purpose: CertificatePurpose,
    subject: RequestedSubject,
  ): { readonly csr: string; readonly requestId: number } {
    const { csr, privateKey } = certificateRequest(subject);
    this.#lastRequestId += 1;
    const requestId = this.#lastRequestId;
    this.#requests.set(purpose, { privateKey, requestId });
    return { csr, requestId };
  }

  /**
   * Takes the certificate that answers a request: its public key must be the one of the request,
   * and it must be valid at `nowMs`. Undefined as `requestId`: the CSMS has not named a request.
   *
   * Source: OCPP 2.0.1 part 2 A02.FR.06; "Improved security for OCPP 1.6-J" A02.
   */
  take(
    chain: string,
    purpose: CertificatePurpose,
    requestId: number | undefined,
    nowMs: number,
  ): boolean {
    const request = this.#requests.get(purpose);
    const leaf = read(chain);
    if (request === undefined || leaf === undefined) return false;
    if (requestId !== undefined && requestId !== request.requestId) return false;
    if (!leaf.checkPrivateKey(request.privateKey)) return false;
    if (Date.parse(leaf.validFrom) > nowMs || Date.parse(leaf.validTo) < nowMs) return false;
    this.#requests.delete(purpose);
    if (purpose !== 'ChargingStationCertificate') return true;
    const key = request.privateKey.export({ type: 'pkcs8', format: 'pem' });
    this.#current = { certificate: chain, key };
    return true;
  }
}

/** The first certificate of a PEM text; undefined when any of them cannot be read. */
function read(pem: string | Buffer): X509Certificate | undefined {
  const blocks = pem.toString().match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
  try {
    return blocks?.map((block) => new X509Certificate(block))[0];
  } catch {
    return undefined;
  }
}
