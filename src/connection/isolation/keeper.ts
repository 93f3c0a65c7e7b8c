import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock, Timer } from '../../lib/clock.ts';
import { bringAllUp, takeAllDown } from './all-networks.ts';
import { visibleInterfaces } from './interfaces.ts';
import { type GatewayMessage, type KeeperMessage, keptVariable } from './keeper-messages.ts';
import { type NamespaceKeeping, statusOf } from './namespaces.ts';
import { type IsolatedNetwork, type NetworkSocket, socketsOf } from './network.ts';
import { type InsideSocket, openInside } from './open-inside.ts';
import { failureText, ToolError } from './run-tool.ts';

/** Whom the gateway runs as. */
export interface UserIds {
  readonly uid: number;
  readonly gid: number;
}

/** What the keeper is given to work with. */
export interface KeeperOptions {
  readonly networks: readonly IsolatedNetwork[];
  readonly keeping: NamespaceKeeping;
  /** The gateway: a program with its parameters. */
  readonly program: readonly [string, ...string[]];
  readonly user: UserIds;
  readonly clock: Clock;
  /** Says something to whoever has started it. */
  say(text: string): void;
}

/** Sockets that are opened at the same time. */
const openersMax = 4;
/** How often it looks for interfaces that have come back, in milliseconds. */
const lookMs = 1000;
/** How long it leaves a network alone that could not be brought up, in milliseconds. */
const retryMs = 10_000;

/**
 * The small part that is root: it makes the namespaces, runs the gateway as another user, and opens
 * sockets for it in the namespaces. It takes no bytes from chargers, and from the gateway no more
 * than the names of sockets that the configuration has.
 */
export class NetworkKeeper {
  readonly #options: KeeperOptions;
  readonly #networks: ReadonlyMap<string, IsolatedNetwork>;
  #child: ChildProcess | undefined;
  #timer: Timer | undefined;
  #isEnded = false;
  /** How to open the sockets that the gateway waits for. */
  readonly #wishes = new Map<string, () => Promise<void>>();
  readonly #opening = new Set<string>();
  #openers = 0;
  /** When a network that could not be brought up is tried again, by `Clock.elapsedMs`. */
  readonly #retryAtMs = new Map<string, number>();

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#networks = new Map(options.networks.map((network) => [network.name, network]));
  }

  /**
   * Brings the networks up, runs the gateway until it ends, and looks after the networks meanwhile.
   * The namespaces stay when it ends: chargers stay isolated also without a gateway.
   *
   * @returns the exit code of the gateway.
   * @throws ToolError when others are at work on the namespaces; the system's error when the gateway
   *   cannot be started.
   */
  async run(): Promise<number> {
    const { clock, keeping, networks, say } = this.#options;
    for (const gone of await takeAllDown(networks, keeping, clock)) {
      if (!gone.ok) say(`${gone.of.namespace}: ${gone.detail}`);
    }
    await bringAllUp(networks, keeping, clock, (outcome) => {
      const { interface: name, name: network } = outcome.of;
      if (!outcome.ok) say(`the network ${network} is not served: ${outcome.detail}`);
      else if (outcome.outcome.is === 'missing') {
        say(`the network ${network} has no interface yet: there is no ${name}`);
      }
    });
    const child = this.#start();
    const ended = new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code) => resolve(code ?? 1));
    });
    const look = (): void => {
      if (this.#isEnded) return;
      this.#timer = clock.after(lookMs, () => void this.#lookForInterfaces().then(look));
    };
    look();
    try {
      return await ended;
    } finally {
      this.#isEnded = true;
      this.#timer?.cancel();
    }
  }

  /** Asks the gateway to end; the second time, at once. */
  stop(): void {
    this.#tell({ type: 'stop' });
  }

  #start(): ChildProcess {
    const { program, user } = this.#options;
    const [command, ...parameters] = program;
    const child = spawn(command, parameters, {
      ...user,
      env: { ...process.env, [keptVariable]: '1' },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    child.on('message', (message) => this.#hear(message));
    this.#child = child;
    return child;
  }

  #hear(message: unknown): void {
    const { network: name, socket, type } = Object(message) as Partial<GatewayMessage>;
    const network = typeof name === 'string' ? this.#networks.get(name) : undefined;
    const isKnown = type === 'open' && network !== undefined && socket !== undefined;
    // Whoever has taken the gateway over gets what the configuration has, and nothing else.
    if (!(isKnown && socketsOf(network).includes(socket))) return;
    const key = `${network.name} ${socket}`;
    // The same wish is one wish: there are never more than the configuration has.
    if (this.#wishes.has(key)) return;
    this.#wishes.set(key, () => this.#open(network, socket));
    void this.#openWished();
  }

  async #openWished(): Promise<void> {
    if (this.#openers >= openersMax) return;
    this.#openers += 1;
    for (const [key, open] of this.#wishes) {
      if (this.#opening.has(key)) continue;
      this.#opening.add(key);
      await open();
      this.#opening.delete(key);
      this.#wishes.delete(key);
    }
    this.#openers -= 1;
  }

  async #open(network: IsolatedNetwork, socket: NetworkSocket): Promise<void> {
    let opened: InsideSocket;
    try {
      await this.#demandClosed(network);
      opened = await openInside(network, socket);
    } catch (error) {
      const detail = failureText(error);
      this.#tell({ type: 'not-opened', network: network.name, socket, detail });
      return;
    }
    await this.#handOver({ type: 'opened', network: network.name, socket }, opened);
  }

  /** Nobody who comes in through a namespace of others, or through one that is open, is known. */
  async #demandClosed(network: IsolatedNetwork): Promise<void> {
    const { isClosed, namespace } = await statusOf(network, this.#options.keeping);
    if (namespace === 'there' && isClosed) return;
    const state = namespace === 'there' ? 'open' : namespace;
    throw new ToolError(`nothing is opened in ${network.namespace}: it is ${state}`);
  }

  async #lookForInterfaces(): Promise<void> {
    const visible = await visibleInterfaces();
    const { clock, keeping, say } = this.#options;
    const outside = [...this.#networks.values()].filter(({ interface: device, name }) => {
      return visible.has(device) && clock.elapsedMs() >= (this.#retryAtMs.get(name) ?? 0);
    });
    if (outside.length === 0 || this.#isEnded) return;
    try {
      await bringAllUp(outside, keeping, clock, (outcome) => {
        const network = outcome.of.name;
        if (outcome.ok) {
          const { is, isMade } = outcome.outcome;
          this.#tell({ type: 'network', network, is, isMade });
        } else {
          this.#retryAtMs.set(network, clock.elapsedMs() + retryMs);
          this.#tell({ type: 'network', network, is: 'failed', detail: outcome.detail });
        }
      });
    } catch (error) {
      say(`the networks: ${failureText(error)}`);
    }
  }

  #tell(message: KeeperMessage): void {
    if (this.#child?.connected === true) this.#child.send(message, () => {});
  }

  #handOver(message: KeeperMessage, socket: InsideSocket): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        // The gateway has one of its own now; or nobody wants it.
        socket.close();
        resolve();
      };
      if (this.#child?.connected !== true) done();
      else this.#child.send(message, socket, {}, done);
    });
  }
}
