import type { SimulatedTime } from '../simulated-time.ts';
import { End, type EndEvents, type Host } from './end.ts';
import type { Link } from './link.ts';

/** A connection that is to be made. */
export interface Route {
  readonly from: Host;
  /** The address that the other side sees. */
  readonly address: string;
  readonly to: Host;
  readonly link: Link;
}

/** The first wait for an answer to the attempt to connect, in milliseconds; it doubles. */
const connectAgainMs = 1000;
const connectAttemptsMax = 5;
const firstPort = 30_000;
const portCount = 30_000;
const serverPort = 9000;

/** Hosts, and the connections between them. */
export class SimulatedNetwork {
  readonly #time: SimulatedTime;
  readonly #ends = new Map<Host, Set<End>>();
  #connections = 0;

  constructor(time: SimulatedTime) {
    this.#time = time;
  }

  /** A machine that is up, and where nobody listens yet. */
  addHost(name: string): Host {
    const host: Host = { name, isDown: false, onConnection: undefined };
    this.#ends.set(host, new Set());
    return host;
  }

  /** Begins a connection. `events` hears what becomes of it. */
  connect({ address, from, link, to }: Route, events: EndEvents): End {
    this.#connections += 1;
    const port = firstPort + (this.#connections % portCount);
    const clientPlace = { host: from, address, port };
    const serverPlace = { host: to, address: to.name, port: serverPort };
    const client = new End(this.#time, link, clientPlace, serverPlace);
    const server = new End(this.#time, link, serverPlace, clientPlace);
    End.join(client, server);
    client.attach(events);
    this.#add(client);
    this.#knock(client, server, link, 0);
    return client;
  }

  /** The processes of `host` end: the system closes what they had open. */
  resetAll(host: Host): void {
    for (const end of this.#endsOf(host)) end.reset();
    this.#ends.get(host)?.clear();
  }

  /** `host` has no power from now on, and remembers nothing when it is back. */
  switchOff(host: Host): void {
    host.isDown = true;
    for (const end of this.#endsOf(host)) end.forget();
    this.#ends.get(host)?.clear();
  }

  #knock(client: End, server: End, link: Link, attempt: number): void {
    const { host } = server.here;
    const again = (): void => {
      this.#time.after(connectAgainMs * 2 ** attempt, () => {
        if (client.isForgotten) return;
        if (attempt >= connectAttemptsMax) client.fail('ETIMEDOUT');
        else this.#knock(client, server, link, attempt + 1);
      });
    };
    if (link.loses()) {
      again();
      return;
    }
    this.#time.after(link.delayMs(), () => {
      if (host.isDown) {
        again();
        return;
      }
      const take = host.onConnection;
      if (take === undefined) {
        this.#time.after(link.delayMs(), () => {
          if (!client.isForgotten) client.fail('ECONNREFUSED');
        });
        return;
      }
      this.#add(server);
      server.open();
      take(server);
      this.#time.after(link.delayMs(), () => {
        // Who has given up meanwhile knows nothing of it.
        if (client.isForgotten) server.fail('ECONNRESET');
        else client.open();
      });
    });
  }

  #endsOf(host: Host): readonly End[] {
    return [...(this.#ends.get(host) ?? [])];
  }

  #add(end: End): void {
    const ends = this.#ends.get(end.here.host);
    if (ends === undefined) return;
    ends.add(end);
    if (ends.size % 1000 !== 0) return;
    // Those that are over are of no use to anybody.
    for (const old of ends) if (old.isForgotten) ends.delete(old);
  }
}
