import { createSign, generateKeyPairSync } from 'node:crypto';

/**
 * A certificate signing request (PKCS #10, PEM) for `commonName`, with a key made for it and
 * forgotten: a simulated charger asks for a certificate, but does not use it.
 *
 * Source: RFC 2986 section 4; OCPP 2.0.1 part 2 A02.FR.
 */
export function certificateRequest(commonName: string, organization: string): string {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(
    attribute('550403', commonName.slice(0, 64)),
    attribute('55040a', organization.slice(0, 64)),
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
  return [
    '-----BEGIN CERTIFICATE REQUEST-----',
    ...lines,
    '-----END CERTIFICATE REQUEST-----',
    '',
  ].join('\n');
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
