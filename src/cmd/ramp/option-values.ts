import { InvalidArgumentError } from 'commander';
import type { ChargerId } from '../../chargers/charger-id.ts';
import { identityDemand, identityIn } from '../charger/identity-argument.ts';

/** Characters of a reason. It stands in one record of the audit log, and in one line. */
const reasonLengthMax = 200;
/** What stands in the record when nobody says why. */
export const reasonDefault = 'an operator said so';
/** Characters of an id that are shown and asked for at least. */
export const idLengthMin = 8;

/** Reads a whole number between bounds; for commander. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

/** Reads why an operator does something; for commander. */
export function readReason(text: string): string {
  if (text.length >= 1 && text.length <= reasonLengthMax && /^\P{C}*$/u.test(text)) return text;
  throw new InvalidArgumentError(
    `It must be 1 to ${reasonLengthMax} characters that can be printed.`,
  );
}

/** Reads the id of a command, or the beginning of one; for commander. */
export function readId(text: string): string {
  const id = text.toLowerCase();
  if (/^[\da-f][\da-f-]{7,35}$/.test(id)) return id;
  throw new InvalidArgumentError(
    `It must be the id of a command, or its first ${idLengthMin} characters or more.`,
  );
}

/** The same for several. */
export function readIds(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, readId(text)];
}

/** Reads the identity of a charger; for commander. */
export function readCharger(text: string): ChargerId {
  const id = identityIn(text);
  if (id === undefined) throw new InvalidArgumentError(`It ${identityDemand}.`);
  return id;
}
