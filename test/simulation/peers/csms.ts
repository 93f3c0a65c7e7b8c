import type { Clock } from '../../../src/lib/clock.ts';
import type { Random } from '../../../src/lib/random.ts';
import type { JsonObject } from '../../../src/ocpp/message.ts';
import type { Host } from '../network/end.ts';
import { acceptOf, headerOf } from '../network/websocket-wire.ts';
import type { Trace } from '../trace.ts';
import { CsmsRecords } from './csms-records.ts';
import { callText, errorText, type OcppText, readOcpp, resultText } from './ocpp-text.ts';
import { WirePeer } from './wire-peer.ts';

/** What the CSMS of a simulation works with. */
export interface CsmsTools {
  readonly clock: Clock;
  readonly random: Random;
  readonly trace: Trace;
  readonly host: Host;
}

/** How a CSMS behaves: 0 to 1 of all calls. */
export interface CsmsManners {
  /** Answers after some seconds. */
  slow: number;
  /** Does not answer at all. */
  silent: number;
}

/** A connection that stands for a charger. */
interface CsmsConnection {
  readonly peer: WirePeer;
  identity: string;
  version: string;
}

const quickMsMax = 200;
const slowMsMax = 40_000;

/** A CSMS: answers calls, sends commands, and remembers everything that it was told. */
export class SimulatedCsms {
  readonly #tools: CsmsTools;
  readonly #manners: CsmsManners;
  readonly #connections = new Map<string, CsmsConnection>();
  readonly #all = new Set<CsmsConnection>();
  readonly records: CsmsRecords;
  #nextCommand = 0;

  constructor(tools: CsmsTools, manners: CsmsManners) {
    this.#tools = tools;
    this.#manners = manners;
    this.records = new CsmsRecords(tools.clock);
    this.start();
  }

  /** Takes connections. */
  start(): void {
    this.#tools.host.onConnection = (end) => {
      const connection: CsmsConnection = {
        identity: '',
        version: '',
        peer: new WirePeer(end, false, {
          onOpen: () => {},
          onHead: (head) => this.#onHead(connection, head),
          onText: (text) => this.#onText(connection, text),
          onClosed: () => this.#forget(connection),
        }),
      };
      this.#all.add(connection);
    };
  }

  /** Its process dies: what it had stored stays. It takes no connection before `start`. */
  die(): void {
    this.#tools.host.onConnection = undefined;
    for (const { peer } of this.#all) peer.reset();
    this.#all.clear();
    this.#connections.clear();
  }

  /** Chargers that are connected, in the order in which they came. */
  connected(): readonly string[] {
    return [...this.#connections.keys()];
  }

  versionOf(identity: string): string | undefined {
    return this.#connections.get(identity)?.version;
  }

  /** Sends a command, unless its charger is away. */
  command(identity: string, action: string, payload: JsonObject): void {
    this.#nextCommand += 1;
    this.sendRaw(identity, callText(`command-${this.#nextCommand}`, action, payload));
  }

  /** Sends any text to a charger. */
  sendRaw(identity: string, text: string): void {
    const connection = this.#connections.get(identity);
    if (connection === undefined) return;
    this.#tools.trace.note('csms-sends', identity, text);
    connection.peer.sendText(text);
  }

  #onHead(connection: CsmsConnection, head: string): void {
    const found = /^GET \/ocpp\/(\S+) /.exec(head);
    const key = headerOf(head, 'sec-websocket-key');
    const version = headerOf(head, 'sec-websocket-protocol')?.split(/\s*,\s*/)[0];
    if (found?.[1] === undefined || key === undefined || version === undefined) {
      connection.peer.sendHead(['HTTP/1.1 400 Bad Request', 'content-length: 0']);
      return;
    }
    connection.identity = decodeURIComponent(found[1]);
    connection.version = version;
    this.#tools.trace.note('csms-accepts', connection.identity, version);
    connection.peer.sendHead([
      'HTTP/1.1 101 Switching Protocols',
      'upgrade: websocket',
      'connection: Upgrade',
      `sec-websocket-accept: ${acceptOf(key)}`,
      `sec-websocket-protocol: ${version}`,
    ]);
    this.#connections.delete(connection.identity);
    this.#connections.set(connection.identity, connection);
  }

  #onText(connection: CsmsConnection, text: string): void {
    const { identity } = connection;
    this.#tools.trace.note('csms-gets', identity, text);
    const message = readOcpp(text);
    this.records.noteReceived(identity, text, message);
    if (message?.kind === 'call') this.#answer(connection, message);
  }

  #answer(connection: CsmsConnection, call: OcppText & { readonly kind: 'call' }): void {
    const { clock, random, trace } = this.#tools;
    const { identity, peer } = connection;
    // Stored before it is answered, as in any CSMS that can be relied upon.
    const payload = this.records.take(identity, call.action, call.payload);
    if (random.fraction() < this.#manners.silent) return;
    const isSlow = random.fraction() < this.#manners.slow;
    clock.after(random.fraction() * (isSlow ? slowMsMax : quickMsMax), () => {
      if (peer.isOver) return;
      const text =
        payload === undefined ? errorText(call.id, 'NotImplemented') : resultText(call.id, payload);
      trace.note('csms-answers', identity, text);
      this.records.noteAnswered(identity, text);
      peer.sendText(text);
    });
  }

  #forget(connection: CsmsConnection): void {
    this.#all.delete(connection);
    if (this.#connections.get(connection.identity) === connection) {
      this.#connections.delete(connection.identity);
    }
  }
}
