import type { JsonObject } from '../../ocpp/message.ts';
import { InstalledCertificates } from './installed-certificates.ts';

/** Entries of any one kind that a station keeps. Small, as in a real one. */
const entriesMax = 200;

/** What a CSMS has given a station to keep. Every map is bounded by `keep`. */
export interface StationRecords {
  localListVersion: number;
  readonly localList: Map<string, JsonObject>;
  /** By reservation id: the connector. */
  readonly reservations: Map<number, number>;
  readonly certificates: InstalledCertificates;
  readonly displayMessages: Map<number, JsonObject>;
  /** By monitor id: the data it was set with. */
  readonly monitors: Map<number, JsonObject>;
  /** By control id: the SetDERControl request. */
  readonly derControls: Map<string, JsonObject>;
  /** By EVSE: the tariff id. */
  readonly tariffs: Map<number, string>;
}

/** Nothing yet. */
export function emptyRecords(): StationRecords {
  return {
    localListVersion: 0,
    localList: new Map(),
    reservations: new Map(),
    certificates: new InstalledCertificates(),
    displayMessages: new Map(),
    monitors: new Map(),
    derControls: new Map(),
    tariffs: new Map(),
  };
}

/** Sets `key`; false when the map is full. */
export function keep<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): boolean {
  if (!map.has(key) && map.size >= entriesMax) return false;
  map.set(key, value);
  return true;
}

/** Applies SendLocalList of any version. False: the version is not newer, or the list is full. */
export function changeLocalList(
  records: StationRecords,
  version: number,
  updateType: string,
  entries: readonly { readonly tag: string; readonly entry: JsonObject; readonly info: boolean }[],
): boolean {
  if (updateType === 'Differential' && version <= records.localListVersion) return false;
  if (updateType === 'Full') records.localList.clear();
  for (const { tag, entry, info } of entries) {
    // An entry without information takes the tag from the list (OCPP 1.6 section 7.5).
    if (!info) records.localList.delete(tag);
    else if (!keep(records.localList, tag, entry)) return false;
  }
  records.localListVersion = version;
  return true;
}
