import type { Store } from '../store/store.ts';
import { belongingsOf } from './certificate-bindings.ts';
import type { CertificateBinding, ChargerCredential } from './charger-credential.ts';
import type { RegisteredCharger } from './charger-entry.ts';
import type { ChargerId } from './charger-id.ts';
import { findRegistered } from './find-registered.ts';
import { type ChargerRecord, type ChargerRecords, mergeRecord } from './record.ts';
import { enrollCharger, noteSeen } from './registry-sightings.ts';

/** What is known of a charger that is at the door. */
export interface FoundCharger {
  readonly entry: RegisteredCharger | undefined;
  /** Undefined when neither the registry nor the configuration file admits it. */
  readonly record: ChargerRecord | undefined;
  /** What it may authenticate itself with, and which security profile it has used. */
  readonly credential: ChargerCredential;
  /** `identityKey`s of the chargers to which the certificate that it came with belongs. */
  readonly certificateOwners: readonly string[];
  /** By what its own certificates are known, whichever it has shown. */
  readonly ownCertificates: readonly CertificateBinding[];
}

/**
 * Looks chargers up: in the registry of the store first, then in the configuration file.
 *
 * The registry is asked each time, so that what an operator changes holds for the next connection.
 */
export class ChargerDirectory {
  readonly #store: Store;
  readonly #configured: ChargerRecords;
  readonly #enrolledMax: number;

  constructor(store: Store, configured: ChargerRecords, enrolledMax: number) {
    this.#store = store;
    this.#configured = configured;
    this.#enrolledMax = enrolledMax;
  }

  /**
   * Asks the store the same whether or not the charger is known, and whether or not there is a
   * certificate: the time that it takes tells nobody which identities there are.
   *
   * @param certificate all that the charger's certificate may be bound by.
   * @throws StoreError
   */
  find(id: ChargerId, certificate: readonly CertificateBinding[] = []): Promise<FoundCharger> {
    return this.#store.query(async (db) => {
      // The entry first: what an operator adds together with the entry is there when the entry is.
      const { credential, entry } = await findRegistered(db, id);
      const { own, owners } = await belongingsOf(db, id, certificate);
      const record = mergeRecord(entry, this.#configured.find(id));
      return { entry, record, credential, certificateOwners: owners, ownCertificates: own };
    });
  }

  /**
   * Enters a charger that was admitted into the registry, if it is not there.
   *
   * @returns `full` when it was unknown and as many of those as may be are there already.
   * @throws StoreError
   */
  async enter(
    id: ChargerId,
    { entry, record }: Pick<FoundCharger, 'entry' | 'record'>,
  ): Promise<'known' | 'enrolled' | 'full'> {
    const nowMs = this.#store.nowMs();
    if (record === undefined) {
      return this.#store.query((db) => enrollCharger(db, id, this.#enrolledMax, nowMs));
    }
    if (entry === undefined) {
      const sighting = { id, origin: 'configured', atMs: nowMs } as const;
      await this.#store.query((db) => noteSeen(db, [sighting]));
    }
    return 'known';
  }
}
