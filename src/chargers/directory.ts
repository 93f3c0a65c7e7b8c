import type { Store } from '../store/store.ts';
import type { RegisteredCharger } from './charger-entry.ts';
import type { ChargerId } from './charger-id.ts';
import { type ChargerRecord, type ChargerRecords, mergeRecord } from './record.ts';
import { findCharger } from './registry.ts';
import { enrollCharger, noteSeen } from './registry-sightings.ts';

/** What is known of a charger that is at the door. */
export interface FoundCharger {
  readonly entry: RegisteredCharger | undefined;
  /** Undefined when neither the registry nor the configuration file admits it. */
  readonly record: ChargerRecord | undefined;
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

  /** @throws StoreError */
  async find(id: ChargerId): Promise<FoundCharger> {
    const entry = await this.#store.query((db) => findCharger(db, id));
    return { entry, record: mergeRecord(entry, this.#configured.find(id)) };
  }

  /**
   * Enters a charger that was admitted into the registry, if it is not there.
   *
   * @returns `full` when it was unknown and as many of those as may be are there already.
   * @throws StoreError
   */
  async enter(
    id: ChargerId,
    { entry, record }: FoundCharger,
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
