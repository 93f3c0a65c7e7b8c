/** The source of whatever has no address that can be read. All such peers share it. */
export const unknownSource = 'unknown';

/** Can an isolated network have this name? */
export function isNetworkName(text: string): boolean {
  return /^[a-z0-9-]{1,24}$/.test(text);
}

/**
 * Whom to hold responsible for what comes from `remoteAddress`.
 *
 * An IPv4 address is a source. An IPv6 network of 64 bits is one, since whoever has one address in
 * it has them all. An IPv4 address in an IPv6 one (`::ffff:192.0.2.1`) is the IPv4 address. Behind
 * an @ stands the isolated network that it came through, if any: the same address in another one is
 * another source.
 *
 * @param remoteAddress an address as a socket gives it, or as `connection/remote-address.ts` writes
 *   it, or a source, which stays what it is.
 * Source: RFC 4291 sections 2.5.1 and 2.5.5.2.
 */
export function sourceOf(remoteAddress: string): string {
  const at = remoteAddress.lastIndexOf('@');
  if (at < 0) return sourceOfAddress(remoteAddress);
  const network = remoteAddress.slice(at + 1);
  const source = sourceOfAddress(remoteAddress.slice(0, at));
  if (source === unknownSource || !isNetworkName(network)) return unknownSource;
  return `${source}@${network}`;
}

function sourceOfAddress(text: string): string {
  const address = text.replace(/%[^%]{1,32}$/, '').replace(/\/64$/, '');
  if (isIpv4(address)) return address;
  if (address.length > 45 || !/^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(address)) return unknownSource;
  // The URL parser writes each address in one way only, and refuses what is none.
  const canonical = URL.parse(`http://[${address}]/`)?.hostname.slice(1, -1);
  if (canonical === undefined) return unknownSource;
  const groups = groupsOf(canonical);
  const [high = 0, low = 0] = groups.slice(6);
  const isMapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  if (isMapped) return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
  const network = groups.slice(0, 4).map((group) => group.toString(16));
  return `${network.join(':')}::/64`;
}

function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return (
    parts.length === 4 &&
    parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)
  );
}

/** The eight groups of an address in the notation of RFC 5952. */
function groupsOf(canonical: string): readonly number[] {
  const [head = '', tail = ''] = canonical.split('::');
  const numbers = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const [before, after] = [numbers(head), numbers(tail)];
  const zeros = new Array<number>(8 - before.length - after.length).fill(0);
  return [...before, ...zeros, ...after];
}
