import type { EventSink } from '../events/emit.ts';
import type { Clock } from '../lib/clock.ts';
import type { ClientTrust } from '../pki/trust.ts';
import type { OwnCertificate } from './tls-material.ts';

/** The part of its life that a certificate has left when its end is announced. */
const announcedPart = 0.1;

/**
 * Says once of each certificate that it expires, and once of each revocation list that the next one
 * is overdue. To be asked at each look at the files.
 */
export class ExpiryWatch {
  readonly #listener: string;
  readonly #emit: EventSink;
  readonly #clock: Clock;
  #announced = new Set<string>();

  /** @param listener its name in the events. */
  constructor(listener: string, emit: EventSink, clock: Clock) {
    this.#listener = listener;
    this.#emit = emit;
    this.#clock = clock;
  }

  look(certificates: readonly OwnCertificate[], trust?: ClientTrust): void {
    const nowMs = this.#clock.nowMs();
    const listener = this.#listener;
    // What is not in force any more is forgotten.
    const announced = new Set<string>();
    const announce = (key: string, emit: () => void): void => {
      announced.add(key);
      if (!this.#announced.has(key)) emit();
    };
    for (const { certificate } of certificates) {
      const { fingerprint256, validFromDate, validToDate } = certificate;
      const lifeMs = validToDate.getTime() - validFromDate.getTime();
      if (validToDate.getTime() - nowMs >= lifeMs * announcedPart) continue;
      const notAfter = validToDate.toISOString();
      announce(fingerprint256, () => {
        this.#emit({ name: 'TlsCertificateExpiring', listener, notAfter });
      });
    }
    for (const { issuer, nextUpdateMs } of trust?.staleLists(nowMs) ?? []) {
      const nextUpdate =
        nextUpdateMs === undefined ? 'no list' : new Date(nextUpdateMs).toISOString();
      announce(`${issuer} ${nextUpdate}`, () => {
        this.#emit({ name: 'RevocationListStale', listener, nextUpdate });
      });
    }
    this.#announced = announced;
  }
}
