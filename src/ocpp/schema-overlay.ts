import type { JsonObject } from './message.ts';
import type { OcppVersion } from './version.ts';

/**
 * Corrections to the schema package, so that payloads are checked against the official limits.
 *
 * `typed-ocpp` 1.6.2 widens three limits of OCPP 1.6. Chargers that need the wider ones are met by
 * the soft rules, which are configuration; the base is the official schema. One limit is ours,
 * where the official schema has none and chargers break.
 *
 * Source: the official OCPP 1.6 JSON schemas; docs/dependencies.md.
 */
interface Correction {
  readonly version: OcppVersion;
  /** The export of the schema package. */
  readonly schema: string;
  /** Where the limit stands, below the schema's root. */
  readonly path: readonly string[];
  readonly keyword: 'maxLength' | 'maxItems';
  /** What the package says; a test fails when it changes, so that a new release is looked at. */
  readonly packaged: number | undefined;
  /** What is checked. */
  readonly limit: number;
}

/** Every correction that is applied. */
export const corrections: readonly Correction[] = [
  {
    version: 'ocpp1.6',
    schema: 'ChangeConfigurationRequest',
    path: ['properties', 'value'],
    keyword: 'maxLength',
    packaged: 2048,
    limit: 500,
  },
  {
    version: 'ocpp1.6',
    schema: 'GetConfigurationResponse',
    path: ['properties', 'configurationKey', 'items', 'properties', 'value'],
    keyword: 'maxLength',
    packaged: 2048,
    limit: 500,
  },
  {
    version: 'ocpp1.6',
    schema: 'StatusNotificationRequest',
    path: ['properties', 'info'],
    keyword: 'maxLength',
    packaged: 100,
    limit: 50,
  },
  {
    // No official limit, but there are no more modes than this, and a longer list has written
    // beyond an array in a charger (CVE-2026-26008).
    version: 'ocpp2.1',
    schema: 'NotifyAllowedEnergyTransferRequest',
    path: ['properties', 'allowedEnergyTransfer'],
    keyword: 'maxItems',
    packaged: undefined,
    limit: 11,
  },
];

/** A copy of `schema` with the corrections for it; `schema` itself where there are none. */
export function applyOverlay(version: OcppVersion, name: string, schema: JsonObject): JsonObject {
  let corrected = schema;
  for (const correction of corrections) {
    if (correction.version !== version || correction.schema !== name) continue;
    const { path, keyword, limit } = correction;
    corrected = withValueAt(corrected, [...path, keyword], limit);
  }
  return corrected;
}

function withValueAt(object: JsonObject, path: readonly string[], value: number): JsonObject {
  const [head, ...rest] = path;
  if (head === undefined) return object;
  const changed = rest.length === 0 ? value : withValueAt(object[head] as JsonObject, rest, value);
  return { ...object, [head]: changed };
}
