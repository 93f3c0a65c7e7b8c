/**
 * Reads what a DHCP client sends, and writes what a server answers.
 *
 * Strict: a packet of which one part is not understood as it was meant is no packet.
 *
 * Source: RFC 2131 section 2 (the fields), section 3 (options), RFC 2132 (each option).
 */

/** The type of a message, option 53. Source: RFC 2132 section 9.6. */
export const dhcpMessageTypes = {
  discover: 1,
  offer: 2,
  request: 3,
  decline: 4,
  ack: 5,
  nak: 6,
  release: 7,
  inform: 8,
} as const;

/** The options that are read or written here. Source: RFC 2132. */
export const dhcpOptionCodes = {
  subnetMask: 1,
  router: 3,
  domainNameServer: 6,
  ntpServers: 42,
  requestedAddress: 50,
  leaseTime: 51,
  messageType: 53,
  serverIdentifier: 54,
  message: 56,
  clientIdentifier: 61,
} as const;

/** The types that a client sends. */
const clientTypes = ['discover', 'request', 'decline', 'release', 'inform'] as const;

/** A message of a client. Addresses are numbers. */
export interface DhcpMessage {
  readonly type: (typeof clientTypes)[number];
  /** `xid`: four bytes by which the client knows its answer. */
  readonly transactionId: Buffer;
  /** `flags`, of which the first bit asks for a broadcast. */
  readonly flags: number;
  /** `ciaddr`: the address that the client has and answers ARP for; 0 when it has none. */
  readonly clientAddress: number;
  /** `chaddr`: 16 bytes, of which the first 6 are the hardware address. */
  readonly hardwareAddress: Buffer;
  /** Option 61, 2 to 255 bytes. */
  readonly clientIdentifier: Buffer | undefined;
  /** Option 50. */
  readonly requestedAddress: number | undefined;
  /** Option 54. */
  readonly serverIdentifier: number | undefined;
}

/** What a server answers. */
export interface DhcpReply {
  readonly type: 'offer' | 'ack' | 'nak';
  /** `ciaddr`. */
  readonly clientAddress: number;
  /** `yiaddr`: the address that the client gets; 0 when it gets none. */
  readonly yourAddress: number;
  /** In this order, without message type, client identifier and end. */
  readonly options: readonly (readonly [code: number, value: Buffer])[];
}

const bootRequest = 1;
const bootReply = 2;
const ethernet = 1;
const ethernetAddressBytes = 6;
const magicCookie = 0x63825363;
const optionsAt = 240;
const pad = 0;
const end = 255;

/** One frame of Ethernet: nothing that a client has to say is longer. */
const packetBytesMax = 1472;
/** RFC 951 section 3: a BOOTP packet is that long, and old clients drop what is shorter. */
const replyBytesMin = 300;

/**
 * What a client sent, if it is a message for a server in the client's own network.
 *
 * No relays: a packet with `giaddr` came from another network, or pretends to. Options that stand
 * in the fields `sname` and `file` (option 52, "overload") are deliberately not read: the few that
 * matter here fit into their own field, and no charger is known that puts them elsewhere.
 *
 * @returns undefined for all else, and for options that are cut off, not ended, of a wrong length,
 *   or there twice (RFC 3396 joins such parts; no option that is read here may be so long).
 */
export function readDhcpMessage(packet: Buffer): DhcpMessage | undefined {
  if (packet.length <= optionsAt || packet.length > packetBytesMax) return undefined;
  if (packet[0] !== bootRequest) return undefined;
  if (packet[1] !== ethernet || packet[2] !== ethernetAddressBytes) return undefined;
  const relayAddress = packet.readUInt32BE(24);
  if (relayAddress !== 0 || packet.readUInt32BE(236) !== magicCookie) return undefined;
  const options = readOptions(packet.subarray(optionsAt));
  if (options === undefined) return undefined;
  const typeNumber = options.get(dhcpOptionCodes.messageType)?.[0];
  const type = clientTypes.find((name) => dhcpMessageTypes[name] === typeNumber);
  if (type === undefined) return undefined;
  return {
    type,
    transactionId: packet.subarray(4, 8),
    flags: packet.readUInt16BE(10),
    clientAddress: packet.readUInt32BE(12),
    hardwareAddress: packet.subarray(28, 44),
    clientIdentifier: options.get(dhcpOptionCodes.clientIdentifier),
    requestedAddress: options.get(dhcpOptionCodes.requestedAddress)?.readUInt32BE(),
    serverIdentifier: options.get(dhcpOptionCodes.serverIdentifier)?.readUInt32BE(),
  };
}

/** The options that are read, with the lengths that they may have. */
const optionLengths: ReadonlyMap<number, readonly [min: number, max: number]> = new Map([
  [dhcpOptionCodes.messageType, [1, 1]],
  [dhcpOptionCodes.requestedAddress, [4, 4]],
  [dhcpOptionCodes.serverIdentifier, [4, 4]],
  [dhcpOptionCodes.clientIdentifier, [2, 255]],
]);

function readOptions(bytes: Buffer): ReadonlyMap<number, Buffer> | undefined {
  const options = new Map<number, Buffer>();
  let at = 0;
  while (at < bytes.length) {
    const code = bytes[at];
    at += 1;
    if (code === end) return options;
    if (code === pad || code === undefined) continue;
    const length = bytes[at];
    at += 1;
    if (length === undefined || at + length > bytes.length) return undefined;
    const lengths = optionLengths.get(code);
    if (lengths !== undefined) {
      const [min, max] = lengths;
      if (length < min || length > max || options.has(code)) return undefined;
      options.set(code, bytes.subarray(at, at + length));
    }
    at += length;
  }
  return undefined;
}

/**
 * The answer to `message`: its transaction, flags, hardware address and client identifier, and what
 * `reply` says. 300 bytes, or what the options need.
 *
 * Source: RFC 2131 section 4.3.1, table 3; RFC 6842 section 3 (the client identifier, also in NAK).
 */
export function writeDhcpReply(message: DhcpMessage, reply: DhcpReply): Buffer {
  const header = Buffer.alloc(optionsAt);
  header.set([bootReply, ethernet, ethernetAddressBytes]);
  header.set(message.transactionId, 4);
  header.writeUInt16BE(message.flags, 10);
  header.writeUInt32BE(reply.clientAddress, 12);
  header.writeUInt32BE(reply.yourAddress, 16);
  header.set(message.hardwareAddress, 28);
  header.writeUInt32BE(magicCookie, 236);
  const { clientIdentifier } = message;
  const options = [
    [dhcpOptionCodes.messageType, Buffer.of(dhcpMessageTypes[reply.type])] as const,
    ...reply.options,
    ...(clientIdentifier === undefined
      ? []
      : [[dhcpOptionCodes.clientIdentifier, clientIdentifier] as const]),
  ];
  const parts = options.flatMap(([code, value]) => [Buffer.of(code, value.length), value]);
  const bytes = Buffer.concat([header, ...parts, Buffer.of(end)]);
  const padding = Buffer.alloc(Math.max(0, replyBytesMin - bytes.length));
  return Buffer.concat([bytes, padding]);
}
