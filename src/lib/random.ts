import { randomBytes, randomInt, randomUUID } from 'node:crypto';

/** Chance is an argument everywhere, so that one seed replays a whole run. */
export interface Random {
  /** A number in [0, 1). */
  fraction(): number;
  /** An integer in [min, max], both included. */
  integer(min: number, max: number): number;
  /** A version 4 UUID (RFC 9562). */
  uuid(): string;
}

/** Cryptographic randomness of the operating system. */
export const systemRandom: Random = {
  fraction: () => randomInt(0, 2 ** 47) / 2 ** 47,
  integer: (min, max) => randomInt(min, max + 1),
  uuid: () => randomUUID(),
};

/** The same sequence for the same `seed` (mulberry32). Never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (min: number, max: number): number =>
    min + Math.floor(fraction() * (max - min + 1));
  const hex = (digits: number): string =>
    Array.from({ length: digits }, () => integer(0, 15).toString(16)).join('');
  return {
    fraction,
    integer,
    uuid: () => {
      const variant = integer(8, 11).toString(16);
      return `${hex(8)}-${hex(4)}-4${hex(3)}-${variant}${hex(3)}-${hex(12)}`;
    },
  };
}

/**
 * Bytes for keys, salts and nonces, always from the operating system: no seed may ever foretell a
 * secret.
 */
export function secretBytes(length: number): Buffer {
  return randomBytes(length);
}
