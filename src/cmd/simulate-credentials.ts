import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { InvalidArgumentError } from 'commander';
import type { ChargerTls } from '../sim/charger/charger-link.ts';
import type { SecurityProfile } from '../sim/charger/charger-security.ts';
import { type CsmsPasswords, parsePasswords } from '../sim/csms/csms-passwords.ts';
import type { CsmsTls } from '../sim/csms/csms-server.ts';

/** Longest password in a file; those of OCPP have 64 characters at most. */
const passwordBytesMax = 1024;
/** Largest file of passwords. */
const passwordsBytesMax = 16 * 1024 * 1024;

/**
 * The password in a file, by bytes; an editor's line break at the end is not part of it.
 *
 * @throws {Error} when there is no such file, or it is too long to be a password.
 */
export function readPassword(file: string): Buffer {
  const bytes = readFileSync(file);
  if (bytes.length > passwordBytesMax) {
    throw new Error(`${file} has more than ${passwordBytesMax} bytes; is it a password?`);
  }
  let end = bytes.length;
  if (bytes[end - 1] === 0x0a) end -= 1;
  if (end < bytes.length && bytes[end - 1] === 0x0d) end -= 1;
  return bytes.subarray(0, end);
}

/** The passwords that a CSMS demands; undefined when no file is named. @throws {Error} */
export function readPasswords(files: {
  readonly passwordFile?: string;
  readonly passwordsFile?: string;
}): CsmsPasswords | undefined {
  const { passwordFile, passwordsFile } = files;
  if (passwordFile !== undefined) return { for: 'all', password: readPassword(passwordFile) };
  if (passwordsFile === undefined) return undefined;
  const bytes = readFileSync(passwordsFile);
  if (bytes.length > passwordsBytesMax) {
    throw new Error(`${passwordsFile} has more than ${passwordsBytesMax} bytes`);
  }
  return { for: 'each', byIdentity: parsePasswords(bytes.toString('utf8')) };
}

/** Certificates and key of a charger. @throws {Error} when one of them cannot be used. */
export function readChargerTls(files: {
  readonly caFile?: string;
  readonly certificateFile?: string;
  readonly keyFile?: string;
}): ChargerTls {
  const { caFile, certificateFile, keyFile } = files;
  const tls = {
    ...(caFile !== undefined && { ca: readFileSync(caFile) }),
    ...(certificateFile !== undefined && { certificate: readFileSync(certificateFile) }),
    ...(keyFile !== undefined && { key: readFileSync(keyFile) }),
  };
  // Here, and not when the first charger dials.
  createSecureContext({ ca: tls.ca, cert: tls.certificate, key: tls.key });
  return tls;
}

/** Certificates and key of a CSMS; undefined: no TLS. @throws {Error} when one cannot be used. */
export function readCsmsTls(files: {
  readonly tlsCertFile?: string;
  readonly tlsKeyFile?: string;
  readonly clientCaFile?: string;
}): CsmsTls | undefined {
  const { tlsCertFile, tlsKeyFile, clientCaFile } = files;
  if (tlsCertFile === undefined || tlsKeyFile === undefined) return undefined;
  return {
    certificate: readFileSync(tlsCertFile),
    key: readFileSync(tlsKeyFile),
    ...(clientCaFile !== undefined && { clientCa: readFileSync(clientCaFile) }),
  };
}

/** URLs by security profile, as the option is given. */
export type ProfileUrls = Readonly<Partial<Record<SecurityProfile, string>>>;

/** Reads `2=wss://...`, once for each profile; for commander. */
export function readProfileUrl(text: string, others: ProfileUrls = {}): ProfileUrls {
  const [, digit, url = ''] = /^([0-3])=(.+)$/.exec(text) ?? [];
  const scheme = digit === '2' || digit === '3' ? 'wss:' : 'ws:';
  if (digit === undefined || !URL.canParse(url) || new URL(url).protocol !== scheme) {
    throw new InvalidArgumentError('It must be like 2=wss://gateway.example:9443/ocpp.');
  }
  return { ...others, [digit]: url };
}
