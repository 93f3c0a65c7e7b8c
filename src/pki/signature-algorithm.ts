import { constants, type KeyObject, verify } from 'node:crypto';
import {
  contextTag,
  type DerReader,
  derTags,
  integerDigits,
  malformed,
  objectIdentifier,
  parseDer,
} from './der.ts';

/** How something was signed. */
export interface SignatureAlgorithm {
  /** As `asymmetricKeyType` of Node calls the keys that make it. */
  readonly keyTypes: readonly string[];
  /** As Node calls it; undefined for those that have theirs built in. */
  readonly hash: string | undefined;
  /** Undefined unless it is RSA-PSS. */
  readonly saltLength: number | undefined;
}

const rsaKeys = ['rsa'];
const ecKeys = ['ec'];

const rsa = (hash: string): SignatureAlgorithm => ({
  keyTypes: rsaKeys,
  hash,
  saltLength: undefined,
});
const ecdsa = (hash: string): SignatureAlgorithm => ({
  keyTypes: ecKeys,
  hash,
  saltLength: undefined,
});
const edwards = (keyType: string): SignatureAlgorithm => ({
  keyTypes: [keyType],
  hash: undefined,
  saltLength: undefined,
});

/** Source: RFC 8017 appendix A.2.4, RFC 5758 section 3.2, RFC 8410 section 3. */
const algorithms: ReadonlyMap<string, SignatureAlgorithm> = new Map([
  ['1.2.840.113549.1.1.4', rsa('md5')],
  ['1.2.840.113549.1.1.5', rsa('sha1')],
  ['1.2.840.113549.1.1.14', rsa('sha224')],
  ['1.2.840.113549.1.1.11', rsa('sha256')],
  ['1.2.840.113549.1.1.12', rsa('sha384')],
  ['1.2.840.113549.1.1.13', rsa('sha512')],
  ['1.2.840.10045.4.1', ecdsa('sha1')],
  ['1.2.840.10045.4.3.1', ecdsa('sha224')],
  ['1.2.840.10045.4.3.2', ecdsa('sha256')],
  ['1.2.840.10045.4.3.3', ecdsa('sha384')],
  ['1.2.840.10045.4.3.4', ecdsa('sha512')],
  ['1.3.101.112', edwards('ed25519')],
  ['1.3.101.113', edwards('ed448')],
]);

const rsaPss = '1.2.840.113549.1.1.10';
const maskGeneration1 = '1.2.840.113549.1.1.8';

const hashes: ReadonlyMap<string, string> = new Map([
  ['1.3.14.3.2.26', 'sha1'],
  ['2.16.840.1.101.3.4.2.4', 'sha224'],
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
]);

/** Reads the DER of an AlgorithmIdentifier; undefined when it is malformed or not known. */
export function readSignatureAlgorithm(bytes: Buffer): SignatureAlgorithm | undefined {
  return parseDer(bytes, (reader) => {
    const identifier = reader.enter(derTags.sequence);
    const type = objectIdentifier(identifier.take(derTags.objectIdentifier));
    if (type === rsaPss) {
      const parameters = identifier.isAtEnd ? undefined : identifier.enter(derTags.sequence);
      identifier.end();
      return readPss(parameters);
    }
    if (!identifier.isAtEnd) identifier.take();
    identifier.end();
    return algorithms.get(type);
  });
}

/** Why such a signature is too weak; undefined when it is not. */
export function signatureProblem(algorithm: SignatureAlgorithm | undefined): string | undefined {
  if (algorithm === undefined) return 'its signature has an unknown algorithm';
  const { hash } = algorithm;
  return hash === 'md5' || hash === 'sha1' ? `its signature uses ${hash}` : undefined;
}

/** Has `key` made `signature` over `data`? Never throws. */
export function isSignedBy(
  key: KeyObject,
  algorithm: SignatureAlgorithm,
  data: Buffer,
  signature: Buffer,
): boolean {
  const { hash, keyTypes, saltLength } = algorithm;
  if (!keyTypes.includes(key.asymmetricKeyType ?? '')) return false;
  const padding =
    saltLength === undefined ? constants.RSA_PKCS1_PADDING : constants.RSA_PKCS1_PSS_PADDING;
  const isRsa = keyTypes.includes('rsa');
  try {
    const options = isRsa
      ? { key, padding, ...(saltLength === undefined ? {} : { saltLength }) }
      : { key, dsaEncoding: 'der' as const };
    return verify(hash, data, options, signature);
  } catch {
    return false;
  }
}

/** Longer than any salt that a key of 16 384 bits leaves room for. */
const saltLengthMax = 2048;

/** Source: RFC 4055 section 3.1, with its defaults: SHA-1, MGF1 with SHA-1, 20 bytes, 1. */
function readPss(parameters: DerReader | undefined): SignatureAlgorithm {
  let hash = 'sha1';
  let maskHash = 'sha1';
  let saltLength = 20;
  if (parameters !== undefined) {
    const hashPart = parameters.takeIf(contextTag(0));
    if (hashPart !== undefined) hash = parseDer(hashPart.content, readHash) ?? malformed();
    const maskPart = parameters.takeIf(contextTag(1));
    if (maskPart !== undefined) maskHash = parseDer(maskPart.content, readMask) ?? malformed();
    const saltPart = parameters.takeIf(contextTag(2));
    if (saltPart !== undefined) saltLength = readInteger(saltPart.content);
    const trailerPart = parameters.takeIf(contextTag(3));
    if (trailerPart !== undefined && readInteger(trailerPart.content) !== 1) malformed();
    parameters.end();
  }
  // Node verifies with one hash for both; nobody uses two.
  if (hash !== maskHash || saltLength > saltLengthMax) malformed();
  return { keyTypes: ['rsa', 'rsa-pss'], hash, saltLength };
}

function readHash(reader: DerReader): string {
  const identifier = reader.enter(derTags.sequence);
  const hash = hashes.get(objectIdentifier(identifier.take(derTags.objectIdentifier)));
  return hash ?? malformed();
}

function readMask(reader: DerReader): string {
  const identifier = reader.enter(derTags.sequence);
  const type = objectIdentifier(identifier.take(derTags.objectIdentifier));
  if (type !== maskGeneration1) malformed();
  const hash = readHash(identifier);
  identifier.end();
  return hash;
}

function readInteger(bytes: Buffer): number {
  const digits = parseDer(bytes, (reader) => integerDigits(reader.take(derTags.integer)));
  return digits === undefined ? malformed() : Number.parseInt(digits, 16);
}
