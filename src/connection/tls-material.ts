import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { failed, ok, type Result } from '../lib/result.ts';
import { listCharsMax } from '../pki/revocation-list.ts';
import { type ClientTrust, readTrust } from '../pki/trust.ts';
import type { CsmsTls } from './csms-tls.ts';
import type { FileTexts, WatchedFile } from './watched-files.ts';

/** One certificate with those of its issuers, and its key: absolute paths of PEM files. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** The files of a TLS listener. All paths are absolute, all files PEM. */
export interface ListenerTls {
  /** At most one for each type of key: an ECDSA and an RSA pair serve all mandatory suites. */
  readonly certificates: readonly CertificateFiles[];
  /** With it, chargers are asked for a certificate. */
  readonly client?: { readonly caFile: string; readonly crlFile?: string | undefined } | undefined;
}

/** How the CSMS is verified, with the paths of its files instead of what is in them. */
export interface CsmsTlsFiles extends Omit<CsmsTls, 'ca' | 'clientCertificate'> {
  readonly caFile?: string | undefined;
  readonly clientCertificate?: CertificateFiles | undefined;
}

/** A certificate that the gateway shows. */
export interface OwnCertificate {
  readonly certificate: X509Certificate;
  /** The type of its key and the end of its validity, for people. */
  readonly description: string;
}

/** What the files of a listener hold. */
export interface ListenerMaterial {
  /** Keys, certificates and authorities, as node:tls wants them. */
  readonly context: Pick<SecureContextOptions, 'key' | 'cert' | 'ca'>;
  readonly certificates: readonly OwnCertificate[];
  /** Undefined where chargers are not asked for a certificate. */
  readonly trust: ClientTrust | undefined;
}

/** Bytes of a file with keys, certificates or authorities: the list of Mozilla has 220 KB. */
export const fileBytesMax = 1024 * 1024;

/** The files of a listener. */
export function listenerFiles({ certificates, client }: ListenerTls): readonly WatchedFile[] {
  return [
    ...certificates.flatMap(pairFiles),
    ...(client === undefined ? [] : [{ path: client.caFile, bytesMax: fileBytesMax }]),
    ...(client?.crlFile === undefined ? [] : [{ path: client.crlFile, bytesMax: listCharsMax }]),
  ];
}

/** The two files of a certificate. */
export function pairFiles({ certFile, keyFile }: CertificateFiles): readonly WatchedFile[] {
  return [
    { path: certFile, bytesMax: fileBytesMax },
    { path: keyFile, bytesMax: fileBytesMax },
  ];
}

/** Reads the texts of `listenerFiles`. The failure names the file. */
export function readListener(
  { certificates, client }: ListenerTls,
  texts: FileTexts,
): Result<ListenerMaterial, string> {
  const pairs: Pair[] = [];
  for (const files of certificates) {
    const pair = readPair(files, texts);
    if (!pair.ok) return pair;
    // OpenSSL has one place for each type, and would keep the last one.
    if (pairs.some(({ keyType }) => keyType === pair.value.keyType)) {
      return failed(`${files.certFile}: another certificate has the same type of key`);
    }
    pairs.push(pair.value);
  }
  const trust = readClientTrust(client, texts);
  if (!trust.ok) return trust;
  const context = {
    key: pairs.map(({ key }) => key),
    cert: pairs.map(({ cert }) => cert),
    ...(client === undefined ? {} : { ca: textOf(texts, client.caFile) }),
  };
  const names = certificates.map(({ certFile }) => certFile).join(', ');
  const problem = contextProblem(context);
  if (problem !== undefined) return failed(`${names}: ${problem}`);
  return ok({ context, certificates: pairs.map(({ own }) => own), trust: trust.value });
}

/** What is in them. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
  readonly keyType: 'ECDSA' | 'RSA';
  readonly own: OwnCertificate;
}

/** Reads a certificate and its key. The failure names the file. */
export function readPair(
  { certFile, keyFile }: CertificateFiles,
  texts: FileTexts,
): Result<Pair, string> {
  const cert = textOf(texts, certFile);
  const certificate = certificateIn(cert);
  if (certificate === undefined) return failed(`${certFile}: is not a certificate in PEM`);
  const keyType = keyTypes.get(certificate.publicKey.asymmetricKeyType ?? '');
  // The mandatory suites of TLS 1.2 need one of these.
  if (keyType === undefined) return failed(`${certFile}: its key is neither ECDSA nor RSA`);
  const key = textOf(texts, keyFile);
  const privateKey = privateKeyIn(key);
  if (typeof privateKey === 'string') return failed(`${keyFile}: ${privateKey}`);
  if (!certificate.checkPrivateKey(privateKey)) {
    return failed(`${keyFile}: is not the key of the certificate in ${certFile}`);
  }
  const description = `${keyType} until ${certificate.validToDate.toISOString()}`;
  return ok({ cert, key, keyType, own: { certificate, description } });
}

const keyTypes: ReadonlyMap<string, 'ECDSA' | 'RSA'> = new Map([
  ['ec', 'ECDSA'],
  ['rsa', 'RSA'],
]);

function certificateIn(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

/** The key, or what is wrong with it. */
function privateKeyIn(pem: string): KeyObject | string {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ERR_MISSING_PASSPHRASE'
      ? 'has a passphrase; the gateway needs one without'
      : 'is not a private key in PEM';
  }
}

function readClientTrust(
  client: ListenerTls['client'],
  texts: FileTexts,
): Result<ClientTrust | undefined, string> {
  if (client === undefined) return ok(undefined);
  const { caFile, crlFile } = client;
  const crl = crlFile === undefined ? undefined : textOf(texts, crlFile);
  const trust = readTrust({ ca: textOf(texts, caFile), crl });
  const names = crlFile === undefined ? caFile : `${caFile}, ${crlFile}`;
  return trust.ok ? trust : failed(`${names}: ${trust.error}`);
}

/** What OpenSSL says against it, such as a key that is too short. */
export function contextProblem(context: SecureContextOptions): string | undefined {
  try {
    createSecureContext(context);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return `OpenSSL does not accept it (${code ?? 'unknown error'})`;
  }
}

/** The text of a file that is watched. */
export function textOf(texts: FileTexts, path: string): string {
  return texts.get(path) ?? '';
}
