import { failed, ok, type Result } from '../lib/result.ts';
import { spkiSha256 } from './certificate.ts';
import {
  bitStringBytes,
  type DerReader,
  derTags,
  integerDigits,
  malformed,
  parseDer,
} from './der.ts';
import { readName } from './distinguished-name.ts';
import { takeRequestedExtensions } from './extensions.ts';
import { readPem } from './pem.ts';
import { keyProblem, readPublicKey } from './public-key.ts';
import { isSignedBy, readSignatureAlgorithm, signatureProblem } from './signature-algorithm.ts';

/** How many characters a request may have. Source: OCPP, SignCertificate.csr. */
const requestCharsMax = 5_500;

/** A request for a certificate whose sender has proven to have the private key. */
export interface CertificateRequest {
  /** The SHA-256 of its public key (SPKI), in lower-case hexadecimal digits. */
  readonly spkiSha256: string;
  readonly commonNames: readonly string[];
  readonly organizations: readonly string[];
  /** Why its key or signature is too weak, for people; undefined when it is not. */
  readonly strengthProblem: string | undefined;
  /** Does it ask for the certificate of an authority? */
  readonly asksForCa: boolean;
}

/**
 * Reads a PKCS#10 request in PEM and verifies its signature, which proves that whoever made it has
 * the private key. The failure is a text for people that repeats nothing of `pem`.
 *
 * Synchronous: one verification takes less than a millisecond or two.
 *
 * Source: RFC 2986 section 4.
 */
export function readRequest(pem: string): Result<CertificateRequest, string> {
  const labels = ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'];
  const blocks = readPem(pem, labels, { charsMax: requestCharsMax, countMax: 1 });
  if (!blocks.ok) return blocks;
  const [der = Buffer.alloc(0)] = blocks.value;
  const request = parseDer(der, takeRequest);
  if (request === undefined) return failed('it is not a PKCS#10 request');
  const key = readPublicKey(request.spki);
  if (key === undefined) return failed('its key cannot be read');
  const algorithm = readSignatureAlgorithm(request.signatureAlgorithm);
  if (algorithm === undefined) return failed('its signature has an unknown algorithm');
  if (!isSignedBy(key, algorithm, request.signed, request.signature)) {
    return failed('its signature does not prove that the sender has the key');
  }
  return ok({
    spkiSha256: spkiSha256(request.spki),
    commonNames: request.name.commonNames,
    organizations: request.name.organizations,
    strengthProblem: keyProblem(key) ?? signatureProblem(algorithm),
    asksForCa: request.asksForCa,
  });
}

function takeRequest(reader: DerReader) {
  const request = reader.enter(derTags.sequence);
  const signed = request.take(derTags.sequence);
  const signatureAlgorithm = request.take(derTags.sequence).bytes;
  const signature = bitStringBytes(request.take(derTags.bitString));
  request.end();
  return {
    ...(parseDer(signed.content, takeInfo) ?? malformed()),
    signed: signed.bytes,
    signatureAlgorithm,
    signature,
  };
}

function takeInfo(info: DerReader) {
  if (integerDigits(info.take(derTags.integer)) !== '0') malformed();
  const name = readName(info.take(derTags.sequence).bytes) ?? malformed();
  const spki = info.take(derTags.sequence).bytes;
  const asksForCa = takeRequestedExtensions(info).isCa;
  return { name, spki, asksForCa };
}
