import type { DhcpLeases, DhcpRange } from './dhcp-leases.ts';
import {
  type DhcpMessage,
  type DhcpReply,
  dhcpOptionCodes,
  readDhcpMessage,
  writeDhcpReply,
} from './dhcp-message.ts';
import { ipv4Bytes, ipv4Mask, ipv4Number, ipv4Text, isHostAddress } from './ip-address.ts';

/** What clients are told. */
export interface DhcpOptions extends DhcpRange {
  /** How long an address is the client's, 1 to 2^32 - 1. What a client asks for does not count. */
  readonly leaseSeconds: number;
  /** Is the gateway their router (option 3)? */
  readonly offersRouter: boolean;
  /** Does the gateway answer DNS (option 6)? */
  readonly offersDns: boolean;
  /** Does the gateway tell the time (option 42)? */
  readonly offersNtp: boolean;
}

/** What to send, and where. */
export interface DhcpAnswer {
  /** At most 548 bytes: what each client can take (RFC 2131 section 2). */
  readonly bytes: Buffer;
  /** All clients of the network, or the IPv4 address of one. The port is 68. */
  readonly to: 'broadcast' | string;
}

const broadcast = 'broadcast';

/**
 * The answer of a DHCP server to one packet, for one network of which the gateway is a member.
 *
 * A client that has an address (`ciaddr`) gets its ACK there. All else is broadcast, whatever the
 * client's broadcast flag says: to reach a client that has no address yet, its hardware address
 * would have to be written into the packet, which an ordinary socket cannot.
 *
 * The parameters are sent whether the client lists them in option 55 or not; they are few. BOOTP
 * clients, which send no message type, get no answer.
 *
 * @param leases made with the same options.
 * @returns undefined when there is nothing to say: the packet is malformed, from a relay, meant for
 *   another server, needs no answer, or no address is left.
 * Source: RFC 2131 sections 4.1 and 4.3; RFC 2132; RFC 6842.
 */
export function answerDhcp(
  packet: Buffer,
  leases: DhcpLeases,
  options: DhcpOptions,
): DhcpAnswer | undefined {
  const message = readDhcpMessage(packet);
  if (message === undefined) return undefined;
  const client = clientOf(message);
  const { type, clientAddress, requestedAddress, serverIdentifier } = message;
  const isForUs = serverIdentifier === ipv4Number(options.serverAddress);
  if (serverIdentifier !== undefined && !isForUs) {
    // RFC 2131 section 3.1 step 4: who chooses another server has declined our offer.
    if (type === 'request') leases.withdraw(client);
    return undefined;
  }
  switch (type) {
    case 'discover': {
      const yourAddress = leases.offer(client, requestedAddress);
      if (yourAddress === undefined) return undefined;
      return leaseAnswer(message, { type: 'offer', yourAddress, clientAddress: 0 }, options);
    }
    case 'request':
      return answerRequest(message, leases, options);
    case 'decline':
      if (isForUs && requestedAddress !== undefined) leases.decline(client, requestedAddress);
      return undefined;
    case 'release':
      if (isForUs) leases.release(client, clientAddress);
      return undefined;
    case 'inform':
      return answerInform(message, options);
  }
}

/**
 * Whom a lease belongs to: the client identifier, or the hardware address of a client without one.
 * Both are the client's word.
 *
 * Source: RFC 2131 section 4.2.
 */
function clientOf({ clientIdentifier, hardwareAddress }: DhcpMessage): string {
  return clientIdentifier === undefined
    ? `hardware ${hardwareAddress.toString('hex', 0, 6)}`
    : `identifier ${clientIdentifier.toString('hex')}`;
}

/**
 * SELECTING and INIT-REBOOT name the address in option 50, RENEWING and REBINDING have it. A packet
 * that says both, and not the same, is in no state that RFC 2131 section 4.3.2 knows.
 *
 * No broadcast tells REBINDING from RENEWING here; both are answered alike.
 */
function answerRequest(
  message: DhcpMessage,
  leases: DhcpLeases,
  options: DhcpOptions,
): DhcpAnswer | undefined {
  const { clientAddress, requestedAddress } = message;
  const isInUse = clientAddress !== 0;
  if (isInUse && requestedAddress !== undefined && requestedAddress !== clientAddress) {
    return undefined;
  }
  const yourAddress = isInUse ? clientAddress : requestedAddress;
  if (yourAddress === undefined) return undefined;
  const { leaseSeconds } = options;
  if (!leases.acknowledge(clientOf(message), yourAddress, { leaseSeconds, isInUse })) {
    return refusal(message, options);
  }
  return leaseAnswer(message, { type: 'ack', yourAddress, clientAddress }, options);
}

/**
 * RFC 2131 section 4.3.5: parameters without an address, for a client that has one from elsewhere.
 * It must be one that a host of this network can have: the answer goes there.
 */
function answerInform(message: DhcpMessage, options: DhcpOptions): DhcpAnswer | undefined {
  const { clientAddress } = message;
  const server = ipv4Number(options.serverAddress);
  if (clientAddress === server) return undefined;
  if (!isHostAddress(clientAddress, server, options.prefixLength)) return undefined;
  const bytes = writeDhcpReply(message, {
    type: 'ack',
    clientAddress,
    yourAddress: 0,
    options: [serverOption(options), ...parameters(options)],
  });
  return { bytes, to: ipv4Text(clientAddress) };
}

function leaseAnswer(
  message: DhcpMessage,
  reply: Omit<DhcpReply, 'options'>,
  options: DhcpOptions,
): DhcpAnswer {
  const leaseTime = Buffer.alloc(4);
  leaseTime.writeUInt32BE(options.leaseSeconds);
  const bytes = writeDhcpReply(message, {
    ...reply,
    options: [
      serverOption(options),
      [dhcpOptionCodes.leaseTime, leaseTime],
      ...parameters(options),
    ],
  });
  const { clientAddress } = reply;
  return { bytes, to: clientAddress === 0 ? broadcast : ipv4Text(clientAddress) };
}

/** RFC 2131 section 4.1: a NAK is always broadcast, since the client's address may be wrong. */
function refusal(message: DhcpMessage, options: DhcpOptions): DhcpAnswer {
  const text = Buffer.from('address not available');
  const bytes = writeDhcpReply(message, {
    type: 'nak',
    clientAddress: 0,
    yourAddress: 0,
    options: [serverOption(options), [dhcpOptionCodes.message, text]],
  });
  return { bytes, to: broadcast };
}

function serverOption({ serverAddress }: DhcpOptions): readonly [number, Buffer] {
  return [dhcpOptionCodes.serverIdentifier, ipv4Bytes(ipv4Number(serverAddress))];
}

function parameters(options: DhcpOptions): readonly (readonly [number, Buffer])[] {
  const { offersRouter, offersDns, offersNtp, prefixLength, serverAddress } = options;
  const { subnetMask, router, domainNameServer, ntpServers } = dhcpOptionCodes;
  const server = ipv4Bytes(ipv4Number(serverAddress));
  return [
    // RFC 2132 section 3.3: before the router.
    [subnetMask, ipv4Bytes(ipv4Mask(prefixLength))],
    ...(offersRouter ? [[router, server] as const] : []),
    ...(offersDns ? [[domainNameServer, server] as const] : []),
    ...(offersNtp ? [[ntpServers, server] as const] : []),
  ];
}
