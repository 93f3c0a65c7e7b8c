import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';

/** A request for a certificate, and the key that it is for. */
export interface CertificateRequest {
  /** PKCS #10, PEM. */
  readonly csr: string;
  /** Never leaves the charger. */
  readonly privateKey: KeyObject;
}

/** Who a certificate shall be for. Only the first 64 characters of each count (RFC 5280). */
export interface RequestedSubject {
  readonly commonName: string;
  /** Left out when it is empty. */
  readonly organization: string;
}

/**
 * A certificate signing request with a new key (ECDSA, P-256).
 *
 * Source: RFC 2986 section 4; OCPP 2.0.1 part 2 A02.FR.
 */
export function certificateRequest({
  commonName,
  organization,
}: RequestedSubject): CertificateRequest {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(
    ...(organization === '' ? [] : [attribute('55040a', organization.slice(0, 64))]),
    attribute('550403', commonName.slice(0, 64)),
  );
  const keyInfo = publicKey.export({ type: 'spki', format: 'der' });
  const version = Buffer.from('020100', 'hex');
  const noAttributes = Buffer.from('a000', 'hex');
  const info = sequence(version, name, keyInfo, noAttributes);
  const signature = createSign('sha256').update(info).sign(privateKey);
  // ecdsa-with-SHA256 (RFC 5758 section 3.2).
  const algorithm = sequence(tagged(0x06, Buffer.from('2a8648ce3d040302', 'hex')));
  const bits = tagged(0x03, Buffer.concat([Buffer.from([0]), signature]));
  const base64 = sequence(info, algorithm, bits).toString('base64');
  const lines = base64.match(/.{1,64}/g) ?? [];
  const csr = [
    '-----BEGIN CERTIFICATE REQUEST-----',
    ...lines,
    '-----END CERTIFICATE REQUEST-----',
    '',
  ].join('\n');
  return { csr, privateKey };
}

function attribute(objectIdHex: string, value: string): Buffer {
  const objectId = tagged(0x06, Buffer.from(objectIdHex, 'hex'));
  return tagged(0x31, sequence(objectId, tagged(0x0c, Buffer.from(value, 'utf8'))));
}

function sequence(...items: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(items));
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  let head = [tag, length];
  if (length > 255) head = [tag, 0x82, length >> 8, length & 0xff];
  else if (length > 127) head = [tag, 0x81, length];
  return Buffer.concat([Buffer.from(head), content]);
}
