import { isIPv4, isIPv6 } from 'node:net';
import { invariant } from '../../../lib/assert.ts';

/**
 * An IPv4 address as a number from 0 to 2^32 - 1, so that addresses can be counted and compared.
 *
 * @param text dotted decimal, from the configuration, which has checked it.
 * @throws {BrokenInvariant} when it is none.
 */
export function ipv4Number(text: string): number {
  invariant(isIPv4(text), 'not an IPv4 address');
  return text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** The address with this number, in dotted decimal. */
export function ipv4Text(address: number): string {
  return [...ipv4Bytes(address)].join('.');
}

/** The four bytes of an address, as they stand in a packet. */
export function ipv4Bytes(address: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(address);
  return bytes;
}

/** The first `prefixLength` bits set, as a subnet mask has them. */
export function ipv4Mask(prefixLength: number): number {
  return 2 ** 32 - 2 ** (32 - prefixLength);
}

/**
 * May a host have `address` in the network that `member` is in? Not the network's own number and
 * not its broadcast address; where there are only two addresses, or one, all are for hosts.
 *
 * Source: RFC 1122 section 3.2.1.3; RFC 3021 section 2.1.
 */
export function isHostAddress(address: number, member: number, prefixLength: number): boolean {
  const size = 2 ** (32 - prefixLength);
  const first = member - (member % size);
  if (address < first || address >= first + size) return false;
  return size <= 2 || (address !== first && address !== first + size - 1);
}

/** The bytes of an address as they stand in a packet, 4 or 16; undefined when `text` is none. */
export function addressBytes(text: string): Buffer | undefined {
  if (isIPv4(text)) return ipv4Bytes(ipv4Number(text));
  if (!isIPv6(text)) return undefined;
  // The URL parser writes each address in one way only: hexadecimal groups, zeros left out once.
  // It knows no zones (`%eth0`), and neither does a packet.
  const canonical = URL.parse(`http://[${text}]/`)?.hostname.slice(1, -1);
  if (canonical === undefined) return undefined;
  const [head = '', tail = ''] = canonical.split('::');
  const groups = (part: string): readonly string[] => (part === '' ? [] : part.split(':'));
  const [before, after] = [groups(head), groups(tail)];
  const zeros = new Array<string>(8 - before.length - after.length).fill('0');
  const digits = [...before, ...zeros, ...after].map((group) => group.padStart(4, '0'));
  return Buffer.from(digits.join(''), 'hex');
}
