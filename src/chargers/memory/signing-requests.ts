import { ownProperty } from '../../ocpp/message.ts';
import { readRequest } from '../../pki/certificate-request.ts';
import type { Learner } from './learner.ts';
import { integerAt, listAt } from './read-property.ts';
import type { Urgency } from './seen.ts';

/** A request for a certificate of the charger itself. */
export interface LastSigningRequest {
  /** The SHA-256 of its public key (SPKI), in lower-case hexadecimal digits. */
  readonly spkiSha256: string;
  /** OCPP 2.1 only. */
  readonly requestId?: number;
}

/** A charger needs one certificate a year, and repeats its request a few times at most. */
const requestsPerHourMax = 5;
const hourMs = 3_600_000;

/** Certificates for talking to vehicles; they are asked for in the same message. */
const vehicleTypes: readonly unknown[] = ['V2GCertificate', 'V2G20Certificate'];

/**
 * Remembers which certificate the charger has asked for last, and how often it asks.
 *
 * Source: OCPP 2.0.1 and 2.1 part 2, A02 and A03; "Improved security for OCPP 1.6-J" edition 3, A02.
 */
export class SigningRequestMemory {
  #last: LastSigningRequest | undefined;
  /** When the last ones came, of any type; the oldest first, Unix time in milliseconds. */
  #timesMs: readonly number[] = [];

  constructor(saved: unknown) {
    this.#last = savedRequest(ownProperty(saved, 'last'));
    for (const time of listAt(saved, 'timesMs')) {
      if (Number.isSafeInteger(time)) this.#note(time as number);
    }
  }

  /** The last request for the charger's own certificate; undefined when it could not be read. */
  get last(): LastSigningRequest | undefined {
    return this.#last;
  }

  /** Has the charger asked less often than five times within an hour? */
  mayRequest(nowMs: number): boolean {
    // A time in the future is from before the clock was set back, and counts for nothing.
    const recent = this.#timesMs.filter((time) => time <= nowMs && time > nowMs - hourMs);
    return recent.length < requestsPerHourMax;
  }

  /** A SignCertificate is passed on. */
  requested(payload: unknown, atMs: number): Urgency {
    this.#note(atMs);
    if (vehicleTypes.includes(ownProperty(payload, 'certificateType'))) return 'eventually';
    const csr = ownProperty(payload, 'csr');
    const request = typeof csr === 'string' ? readRequest(csr) : undefined;
    // Where the rules let an unreadable one pass, nobody knows which key comes back.
    this.#last = request?.ok
      ? requestOf(request.value.spkiSha256, integerAt(payload, 'requestId'))
      : undefined;
    return 'soon';
  }

  /** What is to be saved. */
  saved(): object {
    return { last: this.#last, timesMs: this.#timesMs };
  }

  #note(atMs: number): void {
    this.#timesMs = [...this.#timesMs, atMs].slice(-requestsPerHourMax);
  }
}

/** Learns from SignCertificate; the same in each version. */
export const signCertificateLearner: Learner = {
  from: 'charger',
  call: ({ signingRequests }, { payload, atMs }) => signingRequests.requested(payload, atMs),
};

function savedRequest(saved: unknown): LastSigningRequest | undefined {
  const hash = ownProperty(saved, 'spkiSha256');
  if (typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash)) return undefined;
  return requestOf(hash, integerAt(saved, 'requestId'));
}

function requestOf(spkiSha256: string, requestId: number | undefined): LastSigningRequest {
  return requestId === undefined ? { spkiSha256 } : { spkiSha256, requestId };
}
