import 'reflect-metadata';
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  webcrypto,
} from 'node:crypto';
import * as x509 from '@peculiar/x509';

// Certificates, requests and revocation lists for tests: good ones, and every kind of bad one. None
// is committed; keys that are slow to make are made once per process.

x509.cryptoProvider.set(webcrypto);

/** The keys that a test may ask for. `rsa-pss-2048` is one that may sign with RSA-PSS only. */
export type TestAlgorithm =
  | 'ecdsa-p256'
  | 'ecdsa-p384'
  | 'ecdsa-p521'
  | 'ed25519'
  | 'ed448'
  | 'rsa-2048'
  | 'rsa-3072'
  | 'rsa-1024'
  | 'rsa-pss-2048'
  | 'dsa-2048';

/** A hash for signatures. */
export type TestHash = 'SHA-1' | 'SHA-256' | 'SHA-384' | 'SHA-512';

/** Keys that may sign certificates here. */
export type TestSigner = Exclude<TestAlgorithm, 'ed448' | 'dsa-2048' | 'rsa-pss-2048'>;

interface Dates {
  /** One hour ago by default. */
  readonly notBefore?: Date;
  /** In a year by default. */
  readonly notAfter?: Date;
}

interface Strange {
  /** The object identifier of a critical extension, with an empty value. */
  readonly criticalExtension?: string;
}

interface Subject {
  /** One CN by default; an array for several or none. */
  readonly commonName?: string | readonly string[];
  readonly organization?: string | readonly string[];
  /** The DER of the whole name, instead of the two above; see `nameDer`. */
  readonly subjectDer?: Uint8Array;
}

/** What an authority shall be like. */
export interface AuthorityOptions extends Subject, Dates, Strange {
  /** `ecdsa-p256` by default, which is quick. */
  readonly algorithm?: TestSigner;
  /** False makes an "authority" whose certificate does not say that it is one. */
  readonly isCa?: boolean;
  readonly pathLength?: number;
  /** The hash of the signature on its own certificate; SHA-256 by default. */
  readonly hash?: TestHash;
  readonly serialNumber?: string;
}

/** What a certificate shall be like. */
export interface IssueOptions extends Subject, Dates, Strange {
  /** `ecdsa-p256` by default. */
  readonly algorithm?: TestAlgorithm;
  /** The private key to certify, instead of a new one. */
  readonly keyPem?: string;
  readonly isCa?: boolean;
  /** For certificates of servers. */
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  /** Object identifiers; by default there is no such extension. */
  readonly extendedKeyUsages?: readonly string[];
  /** Bits of `x509.KeyUsageFlags`; by default there is no such extension. */
  readonly keyUsages?: number;
  /** Hexadecimal; random by default. */
  readonly serialNumber?: string;
  /** Of the authority's signature; SHA-256 by default. */
  readonly hash?: TestHash;
  /** Let the authority sign with RSA-PSS; its key must be an RSA one. */
  readonly isSignedWithPss?: boolean;
}

/** A certificate with its key; all PEM. */
export interface TestCertificate {
  readonly certificatePem: string;
  readonly keyPem: string;
  /** The certificate and then those of the intermediate authorities, without the root. */
  readonly chainPem: string;
}

/** What a revocation list shall be like. */
export interface CrlOptions extends Strange {
  readonly thisUpdate?: Date;
  /** In a week by default; `none` leaves it out. */
  readonly nextUpdate?: Date | 'none';
  /** Lists as if it were this authority, but with the key of the one that is asked. */
  readonly issuer?: TestAuthority;
  readonly hash?: TestHash;
}

/** An authority of a test. */
export interface TestAuthority extends TestCertificate {
  issue(options: IssueOptions): Promise<TestCertificate>;
  /** The PEM of a list of these serial numbers (hexadecimal). */
  crl(serials: readonly string[], options?: CrlOptions): Promise<string>;
  intermediate(options?: AuthorityOptions): Promise<TestAuthority>;
}

/** A root authority. With `isCa: false` and a name it is a self-signed certificate. */
export function makeAuthority(options: AuthorityOptions = {}): Promise<TestAuthority> {
  return authority({ commonName: 'Test Root', ...options }, undefined);
}

interface Parent {
  readonly certificate: x509.X509Certificate;
  readonly keyPem: string;
  /** The PEM of the intermediates down to this authority; empty for a root. */
  readonly chainPem: string;
}

async function authority(
  options: AuthorityOptions,
  parent: Parent | undefined,
): Promise<TestAuthority> {
  const key = makeKey(options.algorithm ?? 'ecdsa-p256');
  const keyPem = pemOf(key);
  const isCa = options.isCa ?? true;
  const certificate = await x509.X509CertificateGenerator.create({
    ...common(options),
    issuer: parent?.certificate.subjectName ?? subjectName(options),
    publicKey: spkiOf(key),
    ...signing(parent?.keyPem ?? keyPem, options.hash),
    extensions: [
      new x509.BasicConstraintsExtension(isCa, options.pathLength, true),
      ...(isCa
        ? [
            new x509.KeyUsagesExtension(
              x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
              true,
            ),
          ]
        : []),
      await x509.SubjectKeyIdentifierExtension.create(spkiOf(key)),
      ...strangeExtensions(options),
    ],
  });
  const certificatePem = pem(certificate);
  const chainPem = parent === undefined ? '' : certificatePem + parent.chainPem;
  const self: Parent = { certificate, keyPem, chainPem };
  return {
    certificatePem,
    keyPem,
    chainPem: chainPem || certificatePem,
    issue: (wanted) => issue(wanted, self),
    crl: (serials, wanted = {}) => makeCrl(serials, wanted, self),
    intermediate: (wanted = {}) => authority({ commonName: 'Test Intermediate', ...wanted }, self),
  };
}

async function issue(options: IssueOptions, parent: Parent): Promise<TestCertificate> {
  const { dnsNames = [], ipAddresses = [], extendedKeyUsages, keyUsages } = options;
  const key =
    options.keyPem === undefined
      ? makeKey(options.algorithm ?? 'ecdsa-p256')
      : createPrivateKey(options.keyPem);
  const names: x509.JsonGeneralNames = [
    ...dnsNames.map((value) => ({ type: 'dns', value }) as const),
    ...ipAddresses.map((value) => ({ type: 'ip', value }) as const),
  ];
  const certificate = await x509.X509CertificateGenerator.create({
    ...common(options),
    issuer: parent.certificate.subjectName,
    publicKey: spkiOf(key),
    ...signing(parent.keyPem, options.hash, options.isSignedWithPss),
    extensions: [
      new x509.BasicConstraintsExtension(options.isCa ?? false, undefined, true),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
      ...(extendedKeyUsages === undefined
        ? []
        : [new x509.ExtendedKeyUsageExtension([...extendedKeyUsages])]),
      ...(keyUsages === undefined ? [] : [new x509.KeyUsagesExtension(keyUsages, true)]),
      await x509.AuthorityKeyIdentifierExtension.create(parent.certificate.publicKey),
      ...strangeExtensions(options),
    ],
  });
  const certificatePem = pem(certificate);
  return { certificatePem, keyPem: pemOf(key), chainPem: certificatePem + parent.chainPem };
}

async function makeCrl(
  serials: readonly string[],
  options: CrlOptions,
  parent: Parent,
): Promise<string> {
  const { nextUpdate = new Date(Date.now() + 7 * dayMs) } = options;
  const issuer =
    options.issuer === undefined
      ? parent.certificate
      : new x509.X509Certificate(options.issuer.certificatePem);
  const list = await x509.X509CrlGenerator.create({
    issuer: issuer.subjectName,
    thisUpdate: options.thisUpdate ?? new Date(Date.now() - hourMs),
    ...(nextUpdate === 'none' ? {} : { nextUpdate }),
    entries: serials.map((serialNumber) => ({ serialNumber, revocationDate: new Date() })),
    extensions: strangeExtensions(options),
    ...signing(parent.keyPem, options.hash),
  });
  // OpenSSL and RFC 7468 call it so.
  return `${list.toString('pem')}\n`.replaceAll(' CRL-', ' X509 CRL-');
}

/** What a request for a certificate shall be like. */
export interface RequestOptions extends Subject {
  /** `ecdsa-p256` by default. */
  readonly algorithm?: TestSigner;
  readonly keyPem?: string;
  readonly hash?: TestHash;
  readonly isSignedWithPss?: boolean;
  /** Signed by another key than the one in it: no proof that the sender has that key. */
  readonly isForeignKey?: boolean;
  /** Asks for the certificate of an authority. By default it asks for no extension at all. */
  readonly isForCa?: boolean;
}

/** A request, its key, and the SHA-256 of its public key (SPKI) in hexadecimal digits. */
export interface TestRequest {
  readonly requestPem: string;
  readonly keyPem: string;
  readonly spkiSha256: string;
}

/** A PKCS#10 request, as a charger sends it in SignCertificate. */
export async function makeRequest(options: RequestOptions = {}): Promise<TestRequest> {
  const algorithm = options.algorithm ?? 'ecdsa-p256';
  const key = options.keyPem === undefined ? makeKey(algorithm) : createPrivateKey(options.keyPem);
  const signer = options.isForeignKey === true ? makeKey(algorithm, 'other') : key;
  const { signingKey, signingAlgorithm } = signing(
    pemOf(signer),
    options.hash,
    options.isSignedWithPss,
  );
  const publicKey = createPublicKey(pemOf(key)).toCryptoKey(signingKey.algorithm, true, ['verify']);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: subjectName(options),
    keys: { privateKey: signingKey, publicKey },
    ...(options.isForCa === undefined
      ? {}
      : { extensions: [new x509.BasicConstraintsExtension(options.isForCa)] }),
    signingAlgorithm,
  });
  return {
    requestPem: `${request.toString('pem')}\n`,
    keyPem: pemOf(key),
    spkiSha256: createHash('sha256').update(spkiOf(key)).digest('hex'),
  };
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

function common(options: Subject & Dates & { readonly serialNumber?: string }) {
  return {
    ...(options.serialNumber === undefined ? {} : { serialNumber: options.serialNumber }),
    subject: subjectName(options),
    notBefore: options.notBefore ?? new Date(Date.now() - hourMs),
    notAfter: options.notAfter ?? new Date(Date.now() + 365 * dayMs),
  };
}

function strangeExtensions({ criticalExtension: type }: Strange): x509.Extension[] {
  const value = new Uint8Array(der(0x30, Buffer.alloc(0)));
  return type === undefined ? [] : [new x509.Extension(type, true, value)];
}

function subjectName({ commonName, organization, subjectDer }: Subject): x509.Name {
  if (subjectDer !== undefined) return new x509.Name(new Uint8Array(subjectDer));
  const values = (value: string | readonly string[] | undefined): readonly string[] =>
    value === undefined ? [] : typeof value === 'string' ? [value] : value;
  return new x509.Name([
    ...values(organization).map((value) => ({ O: [value] })),
    ...values(commonName).map((value) => ({ CN: [value] })),
  ]);
}

/** One attribute of a name, its value as these bytes with this tag of ASN.1. */
export interface NameAttribute {
  readonly type: 'CN' | 'O';
  /** For example 0x0c UTF8String, 0x13 PrintableString, 0x14 T61String, 0x1e BMPString. */
  readonly tag: number;
  readonly value: Uint8Array;
}

/** The DER of a name with strange encodings, for `subjectDer`. */
export function nameDer(attributes: readonly NameAttribute[]): Uint8Array {
  const sets = attributes.map(({ type, tag, value }) => {
    const id = Buffer.from([0x06, 0x03, 0x55, 0x04, type === 'CN' ? 3 : 10]);
    return der(0x31, der(0x30, Buffer.concat([id, der(tag, value)])));
  });
  return der(0x30, Buffer.concat(sets));
}

/** One value of DER: tag, length, content. */
export function der(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const head =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : length < 0x10000
          ? [tag, 0x82, length >> 8, length & 0xff]
          : [tag, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

const keys = new Map<string, KeyObject>();

/** A new private key; RSA and DSA keys are the same ones for the whole process. */
function makeKey(algorithm: TestAlgorithm, variant = ''): KeyObject {
  const name = `${algorithm} ${variant}`;
  const key = keys.get(name) ?? newKey(algorithm);
  if (/^rsa|^dsa/.test(algorithm)) keys.set(name, key);
  return key;
}

function newKey(algorithm: TestAlgorithm): KeyObject {
  switch (algorithm) {
    case 'ecdsa-p256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    case 'ecdsa-p384':
      return generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
    case 'ecdsa-p521':
      return generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey;
    case 'ed25519':
      return generateKeyPairSync('ed25519').privateKey;
    case 'ed448':
      return generateKeyPairSync('ed448').privateKey;
    case 'rsa-2048':
      return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    case 'rsa-3072':
      return generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey;
    case 'rsa-1024':
      return generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    case 'rsa-pss-2048':
      return generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey;
    case 'dsa-2048':
      return generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 }).privateKey;
  }
}

function signing(keyPem: string, hash: TestHash = 'SHA-256', isPss = false) {
  const key = createPrivateKey(keyPem);
  const curve = key.asymmetricKeyDetails?.namedCurve;
  const imported =
    key.asymmetricKeyType === 'ec'
      ? { name: 'ECDSA', namedCurve: curves.get(curve ?? '') ?? 'P-256' }
      : key.asymmetricKeyType === 'rsa'
        ? { name: isPss ? 'RSA-PSS' : 'RSASSA-PKCS1-v1_5', hash }
        : { name: 'Ed25519' };
  const signingKey = key.toCryptoKey(imported, true, ['sign']);
  return { signingKey, signingAlgorithm: { ...imported, hash, saltLength: 32 } };
}

const curves: ReadonlyMap<string, string> = new Map([
  ['prime256v1', 'P-256'],
  ['secp384r1', 'P-384'],
  ['secp521r1', 'P-521'],
]);

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function spkiOf(key: KeyObject): Uint8Array<ArrayBuffer> {
  const publicKey = createPublicKey(pemOf(key));
  return new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}
