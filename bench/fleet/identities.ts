import { createHmac } from 'node:crypto';

/** Who a charger of the fleet is. */
export type Kind = 'known' | 'stranger';

/** The identity of the charger with this number, from 0. */
export function identityOf(kind: Kind, index: number): string {
  return `${kind === 'known' ? 'FLEET' : 'STRANGER'}-${String(index).padStart(5, '0')}`;
}

/**
 * Its password: 20 bytes, as the gateway makes them for chargers, in hexadecimal digits. All come
 * from one random key, so that every process of a run knows them without being told.
 */
export function passwordOf(key: string, identity: string): string {
  return createHmac('sha256', key).update(identity).digest('hex').slice(0, 40);
}

/**
 * The address that a charger connects from: each has one of its own on the loopback interface, as in
 * the field, since the gateway counts by address.
 */
export function addressOf(kind: Kind, index: number): string {
  const network = (kind === 'known' ? 1 : 3) + (index >> 16);
  return `127.${network}.${(index >> 8) & 255}.${index & 255}`;
}
