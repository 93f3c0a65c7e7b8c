import { ownProperty } from '../ocpp/message.ts';

/** Reads single members of a document of our own, which may be damaged or of another release. */

/** The integer at `key`; 0 without one. */
export function integerIn(document: unknown, key: string): number {
  const value = ownProperty(document, key);
  return Number.isSafeInteger(value) ? Number(value) : 0;
}

/** The finite number at `key`; 0 without one. */
export function numberIn(document: unknown, key: string): number {
  const value = ownProperty(document, key);
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

/** The list at `key`, or an empty one. */
export function listIn(document: unknown, key: string): readonly unknown[] {
  const value = ownProperty(document, key);
  return Array.isArray(value) ? value : [];
}

/** The value in a text of JSON; undefined when it is none. */
export function parsedDocument(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
