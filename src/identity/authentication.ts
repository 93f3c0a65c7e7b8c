import { timingSafeEqual } from 'node:crypto';
import type {
  CertificateBinding,
  ChargerCredential,
  PasswordForm,
} from '../chargers/charger-credential.ts';
import { type ChargerId, identityKey } from '../chargers/charger-id.ts';
import type { ChargerRecord } from '../chargers/record.ts';
import type { HttpErrorCode } from '../errors/catalogue.ts';
import type { Clock } from '../lib/clock.ts';
import { matchesGlob } from '../lib/glob.ts';
import { failed, ok, type Result } from '../lib/result.ts';
import { certificateCandidates } from '../pki/certificate.ts';
import {
  type CertificateEvidence,
  type ChainOptions,
  judgeChain,
} from '../pki/client-certificate.ts';
import type { ClientTrust } from '../pki/trust.ts';
import { type BasicEvidence, passwordFor } from './basic-auth.ts';
import { judgeCertificate } from './client-certificate.ts';
import { canonicalPassword, passwordForm } from './password-hash.ts';
import type { PasswordVerdict, PasswordVerifier } from './password-verifier.ts';

/** What a charger shows of itself, as far as the connection has read it. */
export interface AuthenticationRequest {
  readonly unverifiedId: ChargerId;
  readonly remoteAddress: string;
  /** The name of the listener, and its OCPP security profile. */
  readonly listener: string;
  readonly securityProfile: number;
  readonly basic: BasicEvidence;
  readonly clientCertificate: CertificateEvidence | undefined;
  /** Which certificates the listener accepts; only with security profile 3. */
  readonly trust: ClientTrust | undefined;
  /** Aborted when the charger goes away. */
  readonly gone: AbortSignal;
}

/** What the gateway knows of who says so. */
export interface AuthenticationKnowledge {
  /** Undefined for a charger that nobody knows. */
  readonly record: ChargerRecord | undefined;
  readonly credential: ChargerCredential;
  /** Whose the certificate is, by identity key. */
  readonly certificateOwners: readonly string[];
  /** By what its own certificates are known, whichever it has shown. */
  readonly ownCertificates: readonly CertificateBinding[];
}

/** How a charger has shown who it is. */
export type Authenticated =
  | { readonly by: 'nobody'; readonly password: Buffer | undefined }
  | {
      readonly by: 'password';
      readonly matched: 'current' | 'next';
      readonly form: PasswordForm;
      readonly password: Buffer;
    }
  | { readonly by: 'default-password'; readonly batch: string; readonly password: Buffer }
  /** Nobody knew its password, and the first one is believed. */
  | { readonly by: 'first-password'; readonly form: PasswordForm; readonly password: Buffer }
  | {
      readonly by: 'certificate';
      readonly isExpired: boolean;
      /** To be stored, because nobody knew whose certificate it is, and the first one is believed. */
      readonly learns: CertificateBinding | undefined;
    };

/** Why a charger has not shown who it is. */
export interface AuthenticationRefusal {
  readonly code: HttpErrorCode;
  /** For the operator; repeats nothing that the peer has sent. */
  readonly detail?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
}

/** A batch of chargers that come from the factory with one password. */
export interface PasswordBatch {
  readonly name: string;
  /** Identities, or patterns in which `*` stands for any characters; lower case. */
  readonly chargers: readonly string[];
  readonly password: Buffer;
}

/** The operator's choices that authentication needs. */
export interface AuthenticationPolicy {
  /** May chargers connect that nobody knows? */
  readonly unknown: 'reject' | 'enroll';
  readonly firstUse: 'refuse' | 'learn';
  readonly batches: readonly PasswordBatch[];
  /** What listeners with security profile 3 ask of certificates, by their names. */
  readonly certificates: ReadonlyMap<string, ChainOptions>;
}

/** Says who is at the door. */
export class Authenticator {
  readonly #policy: AuthenticationPolicy;
  readonly #verifier: PasswordVerifier;
  readonly #clock: Clock;

  constructor(policy: AuthenticationPolicy, verifier: PasswordVerifier, clock: Clock) {
    this.#policy = policy;
    this.#verifier = verifier;
    this.#clock = clock;
  }

  /**
   * Has this charger shown who it is?
   *
   * A stranger, a wrong user name and a wrong password cost the same work and get the same answer:
   * the reason is for the operator.
   *
   * Source: OCPP 2.0.1 part 2, A00.FR.204 and A00.FR.207; "Improved security for OCPP 1.6-J"
   * edition 3 section 3.
   */
  async authenticate(
    request: AuthenticationRequest,
    known: AuthenticationKnowledge,
  ): Promise<Result<Authenticated, AuthenticationRefusal>> {
    switch (request.securityProfile) {
      case 0:
        return this.#unauthenticated(request, known);
      case 1:
      case 2:
        return this.#byPassword(request, known);
      default:
        return this.#byCertificate(request, known);
    }
  }

  #mayConnect({ record }: AuthenticationKnowledge): boolean {
    return record !== undefined || this.#policy.unknown === 'enroll';
  }

  /**
   * Is a certificate that a charger is connected with still good, by the authorities and revocation
   * lists of now? Whose it is, is not asked.
   */
  trusts(
    certificate: CertificateEvidence,
    listener: string,
    trust: ClientTrust | undefined,
  ): boolean {
    const options = this.#policy.certificates.get(listener);
    if (options === undefined || trust === undefined) return false;
    // One that has expired meanwhile may use the connection to get a new one.
    const lenient = { ...options, expired: 'restrict' } as const;
    return judgeChain(certificate, trust, lenient, this.#clock.nowMs()).ok;
  }

  /** Has it no credential at all, and is the first one that comes believed? */
  #believesFirst({ credential, ownCertificates }: AuthenticationKnowledge): boolean {
    const { isDefaultRetired, next, password } = credential;
    const hasNone = password === undefined && next === undefined && ownCertificates.length === 0;
    return this.#policy.firstUse === 'learn' && hasNone && !isDefaultRetired;
  }

  #unauthenticated(
    { basic, unverifiedId }: AuthenticationRequest,
    known: AuthenticationKnowledge,
  ): Result<Authenticated, AuthenticationRefusal> {
    if (!this.#mayConnect(known)) return refused('IDENTITY_UNKNOWN');
    // Not looked at here, but the CSMS may (`csms.auth: forward`).
    const password = passwordOf(basic, unverifiedId, known.record?.basicUser);
    return ok({ by: 'nobody', password });
  }

  async #byPassword(
    request: AuthenticationRequest,
    known: AuthenticationKnowledge,
  ): Promise<Result<Authenticated, AuthenticationRefusal>> {
    const { basic, gone, remoteAddress, securityProfile, unverifiedId } = request;
    if (basic.is === 'absent') return refused('CREDENTIAL_MISSING');
    if (basic.is === 'malformed') return refused('CREDENTIAL_MALFORMED');
    const password = passwordOf(basic, unverifiedId, known.record?.basicUser);
    const mayConnect = this.#mayConnect(known);
    const isStranger = !mayConnect || password === undefined;
    const { credential } = known;
    const key = identityKey(unverifiedId);
    const batches = this.#policy.batches.filter(({ chargers }) =>
      chargers.some((pattern) => matchesGlob(pattern, key)),
    );
    const hasNone = credential.password === undefined && credential.next === undefined;
    const usesDefault = credential.password === undefined && !credential.isDefaultRetired;
    const isBelieved = !isStranger && password.length > 0 && this.#believesFirst(known);
    const verdict = await this.#verifier.verify({
      identityKey: key,
      source: remoteAddress,
      presented: password ?? basic.credential,
      current: isStranger ? undefined : credential.password?.hash,
      next: isStranger ? undefined : credential.next?.hash,
      knownAddress: isStranger ? undefined : credential.lastAddress,
      defaults: isStranger || !usesDefault ? [] : batches,
      isBelieved,
      gone,
    });
    if (password === undefined) return refusedAs(verdict, 'CREDENTIAL_USER');
    if (!mayConnect) return refusedAs(verdict, 'IDENTITY_UNKNOWN');
    switch (verdict.is) {
      case 'current':
      case 'next':
        return ok({ by: 'password', matched: verdict.is, form: verdict.form, password });
      case 'default':
        if (securityProfile < 2) return refused('DEFAULT_PASSWORD_INSECURE');
        return ok({ by: 'default-password', batch: verdict.batch, password });
      case 'wrong': {
        const isDefault = batches.some((batch) => isSamePassword(batch.password, password));
        if (isDefault && !usesDefault) return refused('DEFAULT_PASSWORD_RETIRED');
        if (!hasNone) return refused('PASSWORD_WRONG');
        if (!isBelieved) return refused('PASSWORD_NOT_SET');
        return ok({ by: 'first-password', form: passwordForm(password), password });
      }
      case 'exhausted':
      case 'busy':
        return refusedAs(verdict, 'PASSWORD_WRONG');
    }
  }

  #byCertificate(
    { clientCertificate, listener, trust, unverifiedId }: AuthenticationRequest,
    known: AuthenticationKnowledge,
  ): Result<Authenticated, AuthenticationRefusal> {
    const options = this.#policy.certificates.get(listener);
    if (clientCertificate === undefined || trust === undefined || options === undefined) {
      return refused('CERTIFICATE_MISSING');
    }
    const judged = judgeCertificate({
      ...clientCertificate,
      trust,
      options,
      identityKey: identityKey(unverifiedId),
      owners: known.certificateOwners,
      nowMs: this.#clock.nowMs(),
    });
    if (!this.#mayConnect(known)) return refused('IDENTITY_UNKNOWN');
    if (judged.ok) {
      return ok({ by: 'certificate', isExpired: judged.value.isExpired, learns: undefined });
    }
    const { code, detail } = judged.error;
    const isLearned = code === 'CERTIFICATE_UNBOUND' && this.#believesFirst(known);
    const [learns] = isLearned ? certificateCandidates(clientCertificate.leaf) : [];
    if (learns === undefined) return failed({ code, detail });
    return ok({ by: 'certificate', isExpired: false, learns });
  }
}

function refused(code: HttpErrorCode): Result<Authenticated, AuthenticationRefusal> {
  return failed({ code });
}

/** What a stranger is refused with: overload says more than the reason. */
function refusedAs(
  verdict: PasswordVerdict,
  code: HttpErrorCode,
): Result<Authenticated, AuthenticationRefusal> {
  if (verdict.is === 'exhausted') {
    const { retryAfterSeconds } = verdict;
    return failed({ code: 'ATTEMPTS_EXHAUSTED', retryAfterSeconds });
  }
  return refused(verdict.is === 'busy' ? 'AUTHENTICATION_BUSY' : code);
}

function passwordOf(
  basic: BasicEvidence,
  id: ChargerId,
  user: string | undefined,
): Buffer | undefined {
  return basic.is === 'basic' ? passwordFor(basic, id, user) : undefined;
}

function isSamePassword(one: Buffer, other: Buffer): boolean {
  const [a, b] = [canonicalPassword(one), canonicalPassword(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
