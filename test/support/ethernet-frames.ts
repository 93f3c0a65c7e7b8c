import { isIPv4 } from 'node:net';

// Frames of Ethernet, byte by byte: what a device can send that keeps no rule of its own system.

/** Who a frame says that it is from, and to whom it goes. */
export interface Ends {
  readonly fromMac: string;
  readonly toMac: string;
  /** IPv4, or both IPv6. They may be lies. */
  readonly from: string;
  readonly to: string;
}

/** To all devices of a network. */
export const everybody = 'ff:ff:ff:ff:ff:ff';

/** An ARP message: "`from` is at `fromMac`", as an answer or as a question to everybody. */
export function arp({ from, fromMac, to, toMac }: Ends, kind: 'request' | 'reply'): Buffer {
  const target = kind === 'reply' ? macBytes(toMac) : Buffer.alloc(6);
  return ethernet(fromMac, toMac, 0x0806, [
    ...[u16(1), u16(0x0800), Buffer.from([6, 4]), u16(kind === 'request' ? 1 : 2)],
    ...[macBytes(fromMac), addressBytes(from), target, addressBytes(to)],
  ]);
}

/** A ping. */
export function echoRequest(ends: Ends): Buffer {
  const rest = Buffer.concat([u16(0x4747), u16(1), Buffer.from('gatewatt')]);
  if (isIPv4(ends.from)) {
    const message = Buffer.concat([Buffer.from([8, 0]), u16(0), rest]);
    message.writeUInt16BE(checksum(message), 2);
    return ip(ends, protocols.icmp, message);
  }
  return icmpv6(ends, 128, rest);
}

/** A datagram. */
export function datagram(ends: Ends, port: number): Buffer {
  const data = Buffer.from('gatewatt');
  const message = Buffer.concat([u16(40_000), u16(port), u16(8 + data.length), u16(0), data]);
  message.writeUInt16BE(transportChecksum(ends, protocols.udp, message), 6);
  return ip(ends, protocols.udp, message);
}

/** The first packet of a TCP connection that goes no further. */
export function tcpSyn(ends: Ends, fromPort: number, port: number): Buffer {
  const message = Buffer.concat([
    ...[u16(fromPort), u16(port), u32(1), u32(0)],
    ...[Buffer.from([0x50, 0x02]), u16(64_240), u16(0), u16(0)],
  ]);
  message.writeUInt16BE(transportChecksum(ends, protocols.tcp, message), 16);
  return ip(ends, protocols.tcp, message);
}

/** "`subject` is at `fromMac`", unasked, and whatever was known before. */
export function neighbourAdvertisement(ends: Ends, subject: string): Buffer {
  const flags = u32(0x2000_0000);
  return icmpv6(ends, 136, Buffer.concat([flags, addressBytes(subject), linkOption(2, ends)]));
}

/** "Who is `subject`?", which also says that `from` is at `fromMac`. */
export function neighbourSolicitation(ends: Ends, subject: string): Buffer {
  return icmpv6(ends, 135, Buffer.concat([u32(0), addressBytes(subject), linkOption(1, ends)]));
}

/** "I am your router, and this is your network." */
export function routerAdvertisement(ends: Ends, network: string): Buffer {
  const prefix = Buffer.concat([
    ...[Buffer.from([3, 4, 64, 0xc0]), u32(3600), u32(3600), u32(0), addressBytes(network)],
  ]);
  const head = Buffer.concat([Buffer.from([64, 0]), u16(1800), u32(0), u32(0)]);
  return icmpv6(ends, 134, Buffer.concat([head, linkOption(1, ends), prefix]));
}

const protocols = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 } as const;

function icmpv6(ends: Ends, type: number, rest: Buffer): Buffer {
  const message = Buffer.concat([Buffer.from([type, 0]), u16(0), rest]);
  message.writeUInt16BE(transportChecksum(ends, protocols.icmpv6, message), 2);
  return ip(ends, protocols.icmpv6, message);
}

function linkOption(type: number, { fromMac }: Ends): Buffer {
  return Buffer.concat([Buffer.from([type, 1]), macBytes(fromMac)]);
}

function ip({ from, fromMac, to, toMac }: Ends, protocol: number, payload: Buffer): Buffer {
  const addresses = [addressBytes(from), addressBytes(to)];
  if (!isIPv4(from)) {
    const head = [u32(0x6000_0000), u16(payload.length), Buffer.from([protocol, 255])];
    return ethernet(fromMac, toMac, 0x86dd, [...head, ...addresses, payload]);
  }
  const head = Buffer.concat([
    ...[Buffer.from([0x45, 0]), u16(20 + payload.length), u16(1), u16(0)],
    ...[Buffer.from([64, protocol]), u16(0), ...addresses],
  ]);
  head.writeUInt16BE(checksum(head), 10);
  return ethernet(fromMac, toMac, 0x0800, [head, payload]);
}

function ethernet(
  fromMac: string,
  toMac: string,
  type: number,
  payload: readonly Buffer[],
): Buffer {
  return Buffer.concat([macBytes(toMac), macBytes(fromMac), u16(type), ...payload]);
}

/** Over the message and over who it is from and to. RFC 9293 section 3.1, RFC 8200 section 8.1. */
function transportChecksum({ from, to }: Ends, protocol: number, message: Buffer): number {
  return checksum(
    Buffer.concat([
      ...[addressBytes(from), addressBytes(to), u32(message.length), u32(protocol), message],
    ]),
  );
}

/** RFC 1071. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let index = 0; index < bytes.length; index += 2) {
    sum += ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function macBytes(text: string): Buffer {
  return Buffer.from(text.replaceAll(':', ''), 'hex');
}

function addressBytes(text: string): Buffer {
  if (isIPv4(text)) return Buffer.from(text.split('.').map(Number));
  const [head = '', tail] = text.split('::');
  const groups = (part: string): readonly string[] => (part === '' ? [] : part.split(':'));
  const [before, after] = [groups(head), groups(tail ?? '')];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  const all = [...before, ...(tail === undefined ? [] : zeros), ...after];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
