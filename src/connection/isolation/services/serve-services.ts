import type { RemoteInfo, Socket } from 'node:dgram';
import { invariant } from '../../../lib/assert.ts';
import type { Clock } from '../../../lib/clock.ts';
import { type BucketLimit, TokenBuckets } from '../../../lib/token-buckets.ts';
import { answerDhcp, type DhcpOptions } from './dhcp.ts';
import { DhcpLeases } from './dhcp-leases.ts';
import { answerDns, type DnsOptions } from './dns.ts';
import { answerNtp, type NtpOptions } from './ntp.ts';

/** The services of a network, each on a UDP socket that is bound inside it. */
export interface ServiceSockets {
  /**
   * Port 67 of 0.0.0.0: a socket that is bound to one address gets no broadcasts. It must be bound
   * to the interface too (SO_BINDTODEVICE), or the network must have a route for 255.255.255.255.
   */
  readonly dhcp?: Socket | undefined;
  /** Port 53. */
  readonly dns?: Socket | undefined;
  /** Port 123. */
  readonly ntp?: Socket | undefined;
}

/** What each service says. One that has a socket needs its options; NTP has defaults. */
export interface ServiceOptions {
  readonly dhcp?: DhcpOptions | undefined;
  readonly dns?: DnsOptions | undefined;
  readonly ntp?: NtpOptions | undefined;
  /** Where DHCP clients listen. Only a test, which has no network of its own, says otherwise. */
  readonly dhcpClients?: DhcpClients | undefined;
}

interface DhcpClients {
  readonly broadcastAddress: string;
  readonly port: number;
}

/** RFC 2131 section 4.1. */
const dhcpClientsDefault: DhcpClients = { broadcastAddress: '255.255.255.255', port: 68 };

/**
 * What a network is answered, at once and per second after that: enough for 20 chargers that start
 * together. What comes beyond is dropped unread. A flood can so keep others of the same network
 * from an answer, of the same service only; it keeps nobody of another network from one.
 */
const limits = {
  dhcp: { burst: 60, perSecond: 10 },
  dns: { burst: 100, perSecond: 50 },
  ntp: { burst: 100, perSecond: 20 },
} as const satisfies Record<string, BucketLimit>;

/** Answers that wait because the interface takes none. More are dropped. */
const waitingBytesMax = 16_384;

interface Reply {
  readonly bytes: Buffer;
  readonly address: string;
  readonly port: number;
}

/**
 * Answers DHCP, DNS and NTP on these sockets, which belong to it from now on, until it is closed.
 *
 * A packet has one answer or none. What cannot be sent is lost, as UDP packets are: the client asks
 * again. An error of a socket is not an error of the gateway; the sockets go on.
 *
 * @param sockets bound, and one set for each network: limits and leases are the network's own.
 * @throws {BrokenInvariant} when a service has a socket and no options, or a range that is none.
 */
export function serveServices(
  sockets: ServiceSockets,
  options: ServiceOptions,
  clock: Clock,
): { close(): void } {
  const closers: (() => void)[] = [];
  const { dhcp, dns, ntp } = sockets;
  if (dhcp !== undefined) {
    invariant(options.dhcp !== undefined, 'DHCP needs its options');
    const respond = dhcpResponder(options.dhcp, options.dhcpClients ?? dhcpClientsDefault, clock);
    dhcp.setBroadcast(true);
    closers.push(serve(dhcp, new TokenBuckets(limits.dhcp, 1, clock), respond));
  }
  if (dns !== undefined) {
    const dnsOptions = options.dns;
    invariant(dnsOptions !== undefined, 'DNS needs its options');
    const respond = (query: Buffer, peer: RemoteInfo) => toPeer(peer, answerDns(query, dnsOptions));
    closers.push(serve(dns, new TokenBuckets(limits.dns, 1, clock), respond));
  }
  if (ntp !== undefined) {
    const respond = (request: Buffer, peer: RemoteInfo) => {
      const receivedMs = clock.nowMs();
      return toPeer(peer, answerNtp(request, { receivedMs, sentMs: clock.nowMs() }, options.ntp));
    };
    closers.push(serve(ntp, new TokenBuckets(limits.ntp, 1, clock), respond));
  }
  return {
    /** Closes the sockets. Idempotent. */
    close: () => {
      for (const close of closers) close();
    },
  };
}

type Responder = (packet: Buffer, peer: RemoteInfo) => Reply | undefined;

function dhcpResponder(options: DhcpOptions, clients: DhcpClients, clock: Clock): Responder {
  const leases = new DhcpLeases(options, clock);
  return (packet) => {
    const answer = answerDhcp(packet, leases, options);
    if (answer === undefined) return undefined;
    const { bytes, to } = answer;
    const address = to === 'broadcast' ? clients.broadcastAddress : to;
    return { bytes, address, port: clients.port };
  };
}

function toPeer({ address, port }: RemoteInfo, bytes: Buffer | undefined): Reply | undefined {
  // Port 0 is in the packets of attackers only, and Node throws when it is to send there.
  if (bytes === undefined || port === 0) return undefined;
  return { bytes, address, port };
}

/** @returns what closes the socket, if it is open. */
function serve(socket: Socket, budget: TokenBuckets, respond: Responder): () => void {
  let isOpen = true;
  socket.once('close', () => {
    isOpen = false;
  });
  // Without a listener, an error such as ENETDOWN would end the process.
  socket.on('error', () => {});
  socket.on('message', (packet, peer) => {
    if (!isOpen || !budget.take('network')) return;
    const reply = respond(packet, peer);
    if (reply === undefined || socket.getSendQueueSize() > waitingBytesMax) return;
    // With a callback, what cannot be sent is told there and not thrown.
    socket.send(reply.bytes, reply.port, reply.address, () => {});
  });
  return () => {
    if (!isOpen) return;
    isOpen = false;
    try {
      socket.close();
    } catch {
      // Whoever opened it has closed it a moment ago; Node tells `close` later.
    }
  };
}
