import type { HttpErrorCode } from '../errors/catalogue.ts';
import { failed, ok, type Result } from '../lib/result.ts';
import {
  type CertificateEvidence,
  type ChainOptions,
  type ChainVerdict,
  judgeChain,
} from '../pki/client-certificate.ts';
import type { ClientTrust } from '../pki/trust.ts';

/** What is known when a charger comes with a certificate. */
export interface CertificateAttempt extends CertificateEvidence {
  readonly trust: ClientTrust;
  readonly options: ChainOptions;
  /** Who the URL says it is: the key of the identity. */
  readonly identityKey: string;
  /** The keys of all identities that a name of this certificate is bound to. */
  readonly owners: readonly string[];
  readonly nowMs: number;
}

/** Why a charger does not get in with its certificate. */
export interface CertificateRefusal {
  readonly code: Extract<HttpErrorCode, `CERTIFICATE_${string}`>;
  /** For the operator; repeats nothing that the peer has sent. */
  readonly detail: string;
}

/**
 * Is this the certificate of this charger?
 *
 * A good certificate says which device it is, and its CN is a serial number rather than the identity
 * in the URL: somebody must have bound one to the other. It must be bound to this charger and to no
 * other one, not even by another of its names: otherwise two chargers could be each other.
 *
 * Source: OCPP 2.0.1 part 2, A00.FR.405 and A00.FR.427; CitrineOS issue 1098 (any certificate of the
 * authority was good for any charger).
 */
export function judgeCertificate(
  attempt: CertificateAttempt,
): Result<ChainVerdict, CertificateRefusal> {
  const { identityKey, nowMs, options, owners, trust } = attempt;
  const verdict = judgeChain(attempt, trust, options, nowMs);
  if (!verdict.ok) return verdict;
  if (owners.length === 0) {
    // Where unbound certificates are learned, expired ones must not be.
    const code = verdict.value.isExpired ? 'CERTIFICATE_EXPIRED' : 'CERTIFICATE_UNBOUND';
    return failed({ code, detail: 'none of its names is bound' });
  }
  if (owners.some((owner) => owner !== identityKey)) {
    const detail = owners.includes(identityKey)
      ? 'one of its names is bound to another charger'
      : 'it is bound to another charger';
    return failed({ code: 'CERTIFICATE_FOREIGN', detail });
  }
  return ok(verdict.value);
}
