import type { X509Certificate } from 'node:crypto';
import { failed, ok, type Result } from '../lib/result.ts';
import {
  type CertificateFields,
  publicKeyProblem,
  readCertificates,
  readFields,
  spkiSha256,
} from './certificate.ts';
import { nameKey, readName, shownName } from './distinguished-name.ts';
import { keyUsageBits } from './extensions.ts';
import { type RevocationList, readRevocationLists } from './revocation-list.ts';
import { isSignedBy, readSignatureAlgorithm, signatureProblem } from './signature-algorithm.ts';

/** The texts of the files that say whose certificates are accepted. */
export interface TrustTexts {
  /** The authorities, PEM. */
  readonly ca: string;
  /** Their revocation lists, PEM; undefined when revocation is not checked. */
  readonly crl?: string | undefined;
}

/** A certificate, and what was read of it. */
export interface KnownCertificate {
  readonly certificate: X509Certificate;
  readonly fields: CertificateFields;
}

/** What the lists of an issuer say of one of its certificates. */
export type RevocationStatus = 'good' | 'revoked' | 'unknown';

/** An authority whose list is missing, or not current. */
export interface StaleList {
  /** For people. */
  readonly issuer: string;
  /** When the next list was promised for, Unix time in milliseconds; undefined without any list. */
  readonly nextUpdateMs: number | undefined;
}

/** Characters and certificates in a file of authorities. */
const authorityLimits = { charsMax: 1024 * 1024, countMax: 256 };

/**
 * Whose certificates a listener accepts, and which of them were revoked.
 *
 * It is made anew when its files change, and does not change itself.
 */
export class ClientTrust {
  readonly authorities: readonly KnownCertificate[];
  /** Is revocation checked? */
  readonly usesLists: boolean;
  readonly #byName: ReadonlyMap<string, readonly KnownCertificate[]>;
  readonly #lists: ReadonlyMap<string, RevocationList>;

  /** See `readTrust`. @param lists verified ones, by `issuerKey`; undefined for no checks. */
  constructor(
    authorities: readonly KnownCertificate[],
    lists: ReadonlyMap<string, RevocationList> | undefined,
  ) {
    this.authorities = authorities;
    this.usesLists = lists !== undefined;
    this.#lists = lists ?? new Map();
    this.#byName = Map.groupBy(authorities, ({ fields }) => nameKey(fields.subject) ?? '');
  }

  /** The authorities with the name of which this is the DER. */
  named(name: Buffer): readonly KnownCertificate[] {
    return this.#byName.get(nameKey(name) ?? '') ?? [];
  }

  /**
   * What the list of `issuer` says of its certificate with this serial number. Without a list, or
   * when the next one is overdue for more than `graceMs`, nobody knows.
   */
  revocationOf(
    serialNumber: string,
    issuer: CertificateFields,
    { graceMs, nowMs }: { readonly graceMs: number; readonly nowMs: number },
  ): RevocationStatus {
    const list = this.#lists.get(issuerKey(issuer));
    // What an old list says is revoked stays revoked.
    if (list?.revoked.has(serialNumber)) return 'revoked';
    return list === undefined || nowMs > list.nextUpdateMs + graceMs ? 'unknown' : 'good';
  }

  /** The authorities whose list is missing, or whose next one is overdue. None without lists. */
  staleLists(nowMs: number): readonly StaleList[] {
    if (!this.usesLists) return [];
    return this.authorities.flatMap(({ fields }) => {
      const nextUpdateMs = this.#lists.get(issuerKey(fields))?.nextUpdateMs;
      const isCurrent = nextUpdateMs !== undefined && nowMs <= nextUpdateMs;
      return isCurrent ? [] : [{ issuer: shownName(fields.subjectName), nextUpdateMs }];
    });
  }
}

/** Reads the files of a listener. The failure is a text for the operator. */
export function readTrust({ ca, crl }: TrustTexts): Result<ClientTrust, string> {
  const read = readAuthorities(ca);
  if (!read.ok) return read;
  if (crl === undefined) return ok(new ClientTrust(read.value, undefined));
  const lists = readLists(crl, read.value);
  return lists.ok ? ok(new ClientTrust(read.value, lists.value)) : lists;
}

function readAuthorities(pem: string): Result<readonly KnownCertificate[], string> {
  const certificates = readCertificates(pem, authorityLimits);
  if (!certificates.ok) return failed(`authorities: ${certificates.error}`);
  const authorities: KnownCertificate[] = [];
  for (const [index, certificate] of certificates.value.entries()) {
    const fields = readFields(certificate);
    if (fields === undefined) return failed(`authorities: certificate ${index + 1} cannot be read`);
    const problem = isAuthority(fields)
      ? publicKeyProblem(fields)
      : 'it is not one of an authority';
    if (problem !== undefined) {
      const name = shownName(fields.subjectName);
      return failed(`authorities: certificate ${index + 1} (${name}): ${problem}`);
    }
    authorities.push({ certificate, fields });
  }
  return ok(authorities);
}

/** May this certificate issue others? */
export function isAuthority({ extensions }: CertificateFields): boolean {
  const { isCa, keyUsage } = extensions;
  return isCa && (keyUsage === undefined || (keyUsage & keyUsageBits.keyCertSign) !== 0);
}

function readLists(
  pem: string,
  authorities: readonly KnownCertificate[],
): Result<ReadonlyMap<string, RevocationList>, string> {
  const lists = readRevocationLists(pem);
  if (!lists.ok) return failed(`revocation lists: ${lists.error}`);
  const byIssuer = new Map<string, RevocationList>();
  for (const [index, list] of lists.value.entries()) {
    const issuer = signerOf(list, authorities);
    if (!issuer.ok) return failed(`revocation lists: list ${index + 1} ${issuer.error}`);
    const key = issuerKey(issuer.value);
    const other = byIssuer.get(key);
    if (other === undefined || other.thisUpdateMs < list.thisUpdateMs) byIssuer.set(key, list);
  }
  return ok(byIssuer);
}

function signerOf(
  list: RevocationList,
  authorities: readonly KnownCertificate[],
): Result<CertificateFields, string> {
  const listName = readName(list.issuer);
  const name = listName === undefined ? 'without a name' : shownName(listName);
  const issuers = authorities.filter(
    ({ fields }) => nameKey(fields.subject) === nameKey(list.issuer),
  );
  if (issuers.length === 0) return failed(`(${name}) is not of an authority that is trusted`);
  const algorithm = readSignatureAlgorithm(list.signatureAlgorithm);
  const problem = signatureProblem(algorithm);
  if (algorithm === undefined || problem !== undefined) return failed(`(${name}): ${problem}`);
  const signer = issuers.find(({ certificate }) =>
    isSignedBy(certificate.publicKey, algorithm, list.signed, list.signature),
  );
  if (signer === undefined) return failed(`(${name}) is not signed by its issuer`);
  const { keyUsage } = signer.fields.extensions;
  if (keyUsage !== undefined && (keyUsage & keyUsageBits.crlSign) === 0) {
    return failed(`(${name}) is signed by an authority that may not sign lists`);
  }
  return ok(signer.fields);
}

/** Two certificates of an authority, with one name and key, have one list. */
function issuerKey({ spki, subject }: CertificateFields): string {
  return `${nameKey(subject)} ${spkiSha256(spki)}`;
}
