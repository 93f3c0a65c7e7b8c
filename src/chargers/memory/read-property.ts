import { ownProperty } from '../../ocpp/message.ts';

/**
 * Reads single properties of payloads that may be anything: some modes let messages pass that break
 * the schema. What is not of the expected type is absent.
 *
 * What is read here is kept and shown. So texts are cut, and lose what could mislead a terminal.
 */

/** Letters that are not for reading: control and format characters, halves of surrogate pairs. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/** `text` as it may be kept: printable, and at most `charsMax` characters long. */
export function keptText(text: string, charsMax: number): string {
  const isCut = text.length > charsMax;
  const printable = (isCut ? text.slice(0, charsMax) : text).replace(unprintable, '?');
  // A slice refers to the whole text, and would keep it in memory.
  return isCut ? Buffer.from(printable).toString() : printable;
}

/** The text at `key`, as it may be kept. */
export function textAt(object: unknown, key: string, charsMax: number): string | undefined {
  const value = ownProperty(object, key);
  return typeof value === 'string' ? keptText(value, charsMax) : undefined;
}

/** The value at `key` as a text: some chargers send numbers for texts (quirk P5). */
export function scalarTextAt(object: unknown, key: string): string | undefined {
  const value = ownProperty(object, key);
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** The member of `choices` at `key`. */
export function choiceAt<Choice extends string>(
  object: unknown,
  key: string,
  choices: readonly Choice[],
): Choice | undefined {
  const value = ownProperty(object, key);
  return choices.find((choice) => choice === value);
}

/** The finite number at `key`. */
export function numberAt(object: unknown, key: string): number | undefined {
  const value = ownProperty(object, key);
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** The exact integer at `key`. */
export function integerAt(object: unknown, key: string): number | undefined {
  const value = ownProperty(object, key);
  return Number.isSafeInteger(value) ? (value as number) : undefined;
}

/** `true` when it stands at `key`; no other value counts. */
export function isTrueAt(object: unknown, key: string): boolean {
  return ownProperty(object, key) === true;
}

/** The list at `key`, or an empty one. */
export function listAt(object: unknown, key: string): readonly unknown[] {
  const value = ownProperty(object, key);
  return Array.isArray(value) ? value : [];
}

/** Three times what OCPP 2.1 allows; a longer id is not remembered, since a cut one is another. */
const transactionIdCharsMax = 108;

/**
 * The transaction id at `key`. OCPP 1.6 has numbers, later versions have texts; both become texts.
 * A number that is no exact integer stays the same text each time it is read, and that is enough.
 */
export function transactionIdAt(object: unknown, key: string): string | undefined {
  const value = ownProperty(object, key);
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : undefined;
  if (typeof value !== 'string' || value === '') return undefined;
  return value === keptText(value, transactionIdCharsMax) ? value : undefined;
}

/** Did the receiver of a command accept it? */
export function isAccepted(reply: unknown): boolean {
  return ownProperty(reply, 'status') === 'Accepted';
}
