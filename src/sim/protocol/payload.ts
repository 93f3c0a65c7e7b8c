import { isJsonObject, type JsonObject, ownProperty } from '../../ocpp/message.ts';

/**
 * Reading payloads of which nothing is proven: a simulator may be told to skip schema checks, so
 * every reader has an answer for a property that is missing or of the wrong type.
 */

/** The text under `key`; undefined when there is none. */
export function optionalText(object: unknown, key: string): string | undefined {
  const value = ownProperty(object, key);
  return typeof value === 'string' ? value : undefined;
}

/** The text under `key`; the empty text when there is none. */
export function textOf(object: unknown, key: string): string {
  return optionalText(object, key) ?? '';
}

/** The finite number under `key`; undefined when there is none. */
export function optionalNumber(object: unknown, key: string): number | undefined {
  const value = ownProperty(object, key);
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** The finite number under `key`; `fallback` when there is none. */
export function numberOf(object: unknown, key: string, fallback = 0): number {
  return optionalNumber(object, key) ?? fallback;
}

/** The object under `key`; an empty object when there is none. */
export function objectOf(object: unknown, key: string): JsonObject {
  const value = ownProperty(object, key);
  return isJsonObject(value) ? value : {};
}

/** The array under `key`; an empty array when there is none. */
export function listOf(object: unknown, key: string): readonly unknown[] {
  const value = ownProperty(object, key);
  return Array.isArray(value) ? value : [];
}

/** The moment under `key`, Unix milliseconds; undefined when there is none. */
export function momentOf(object: unknown, key: string): number | undefined {
  const moment = Date.parse(textOf(object, key));
  return Number.isNaN(moment) ? undefined : moment;
}

/** `atMs` (Unix milliseconds) as OCPP writes a moment. */
export function dateTimeText(atMs: number): string {
  return new Date(atMs).toISOString();
}

/** `value` rounded to `decimals` places, without the binary tail. */
export function rounded(value: number, decimals: number): number {
  return Number(value.toFixed(decimals));
}
