import type { Socket as UdpSocket } from 'node:dgram';
import type { Server } from 'node:net';
import type { Config } from '../config/schema/config.ts';
import type { Keeper, NetworkNews } from '../connection/isolation/kept-gateway.ts';
import {
  type IsolatedNetwork,
  type NetworkSocket,
  socketsOf,
} from '../connection/isolation/network.ts';
import type { InsideSocket } from '../connection/isolation/open-inside.ts';
import {
  type ServiceOptions,
  serveServices,
} from '../connection/isolation/services/serve-services.ts';
import type { EventSink } from '../events/emit.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { type Isolation, networksOf } from './network/networks-of.ts';

/** How long until it is tried again to open what could not be opened, in milliseconds. */
const retryMs = 5_000;

/** What the gateway serves in isolated networks. */
export class IsolatedNetworks {
  readonly #isolation: Isolation;
  readonly #networks: readonly IsolatedNetwork[];
  readonly #limits: Config['limits'];
  readonly #keeper: Keeper;
  readonly #gateway: Gateway;
  readonly #emit: EventSink;
  readonly #clock: Clock;
  /** By network. */
  readonly #services = new Map<string, { close(): void }>();
  readonly #timers = new Map<string, Timer>();
  /** The latest attempt to serve each network: older ones give up. */
  readonly #attempts = new Map<string, symbol>();
  #isStopped = false;

  constructor(
    isolation: Isolation,
    { limits }: Config,
    keeper: Keeper,
    {
      clock,
      emit,
      gateway,
    }: {
      readonly clock: Clock;
      readonly emit: EventSink;
      readonly gateway: Gateway;
    },
  ) {
    this.#isolation = isolation;
    this.#networks = networksOf(isolation);
    this.#limits = limits;
    this.#keeper = keeper;
    this.#gateway = gateway;
    this.#emit = emit;
    this.#clock = clock;
    keeper.onNews((news) => this.#hear(news));
  }

  /** Opens what belongs into each network. What cannot be opened is tried again until it can. */
  async start(): Promise<void> {
    await Promise.all(this.#networks.map((network) => this.#serve(network)));
  }

  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers.values()) timer.cancel();
    for (const services of this.#services.values()) services.close();
  }

  async #serve(network: IsolatedNetwork): Promise<void> {
    const { name } = network;
    this.#timers.get(name)?.cancel();
    const attempt = Symbol(name);
    this.#attempts.set(name, attempt);
    const isCurrent = (): boolean => !this.#isStopped && this.#attempts.get(name) === attempt;
    const sockets = new Map<NetworkSocket, InsideSocket>();
    try {
      for (const socket of socketsOf(network)) {
        sockets.set(socket, await this.#keeper.open(name, socket));
      }
      if (!isCurrent()) {
        closeAll(sockets);
        return;
      }
      await this.#open(network, sockets);
      this.#emit({ name: 'IsolatedNetworkServed', network: name, interface: network.interface });
    } catch (error) {
      // What is open already would be in the way of the next attempt.
      closeAll(sockets);
      if (!isCurrent()) return;
      const detail = error instanceof Error ? error.message : 'unknown reason';
      this.#emit({ name: 'IsolatedNetworkFailed', network: name, detail });
      this.#timers.set(
        name,
        this.#clock.after(retryMs, () => void this.#serve(network)),
      );
    }
  }

  async #open(
    network: IsolatedNetwork,
    sockets: ReadonlyMap<NetworkSocket, InsideSocket>,
  ): Promise<void> {
    const { name } = network;
    const binding = this.#isolation.bindings.find((it) => it.name === name);
    if (binding === undefined) return;
    const { connectionsMax, listener } = binding;
    const udp = (socket: NetworkSocket): UdpSocket | undefined =>
      sockets.get(socket) as UdpSocket | undefined;
    const services = { dhcp: udp('dhcp'), dns: udp('dns'), ntp: udp('ntp') };
    this.#services.get(name)?.close();
    this.#services.set(name, serveServices(services, serviceOptions(network), this.#clock));
    await this.#gateway.openDoor(listener, {
      at: { opened: sockets.get('listener') as Server },
      network: name,
      connectionsMax,
      connectionsPerAddressMax: Math.min(connectionsMax, this.#limits.connectionsPerAddressMax),
    });
  }

  #hear({ detail = 'unknown reason', is, isMade, network }: NetworkNews): void {
    const found = this.#networks.find(({ name }) => name === network);
    if (found === undefined) return;
    if (is === 'failed') this.#emit({ name: 'IsolatedNetworkFailed', network, detail });
    if (is !== 'up') return;
    this.#emit({ name: 'IsolatedInterfaceReturned', network, interface: found.interface });
    if (isMade === true) void this.#serve(found);
  }
}

/** How long a charger may remember the gateway's address, in seconds. */
const ttlSeconds = 60;

function closeAll(sockets: ReadonlyMap<NetworkSocket, InsideSocket>): void {
  for (const socket of sockets.values()) {
    try {
      socket.close();
    } catch {
      // A door has closed it already.
    }
  }
}

function serviceOptions({ addresses, services }: IsolatedNetwork): ServiceOptions {
  const { dhcp, dnsNames, ntp } = services;
  const own = addresses.find(({ family }) => family === 'ipv4');
  const dns = { names: dnsNames, addresses: addresses.map((it) => it.address), ttlSeconds };
  if (dhcp === undefined || own === undefined) return { dns };
  const offers = { offersRouter: true, offersDns: dnsNames.length > 0, offersNtp: ntp };
  const { address: serverAddress, prefixLength } = own;
  return { dns, dhcp: { ...dhcp, ...offers, serverAddress, prefixLength } };
}
