import { Resolver } from 'node:dns/promises';
import { createConnection, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';

// A process inside one network of a charger site, for `network-agent.ts`: it does there what its
// parent asks for. It ends with its parent.

/** What a probe waits for a connection that nobody may get, in milliseconds. */
const probeMs = 800;
/** What is waited for an answer that there should be, on a slow machine. */
const answerMs = 15_000;
/** Between the answer to a Heartbeat and the next one, in milliseconds. */
const paceMs = 20;

/** How a charger connects. */
export interface CallOptions {
  readonly version?: string;
  readonly authorization?: string;
  /** PEM of the authority that it trusts. */
  readonly ca?: string;
  /** The DNS server that it asks. */
  readonly dns?: string;
  /** The address that it comes from. */
  readonly localAddress?: string;
}

/** How a charger's attempt came out: an HTTP status, or the code of an error. */
export interface Attempt {
  readonly status: number | string;
  /** For further commands, if it was let in. */
  readonly handle?: number;
}

interface Line {
  readonly socket: WebSocket;
  readonly waiting: Map<string, (message: readonly unknown[]) => void>;
  answered: number;
  /** Why the conversation has ended. */
  failure: string | undefined;
}

const lines: Line[] = [];
const heard = new Map<number, number>();
const flood = new Set<Socket>();
const csmsLines = new Map<string, WebSocket>();
let floodClosed = 0;
let messages = 0;

const commands = {
  /** Takes connections at all addresses, greets, and counts them. */
  listen: async (port: number, greeting: string): Promise<void> => {
    heard.set(port, 0);
    const server = createServer((socket) => {
      heard.set(port, (heard.get(port) ?? 0) + 1);
      socket.on('error', () => {});
      socket.end(greeting);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, resolve);
    });
  },

  /** How many have come to that port. */
  heard: async (port: number): Promise<number> => heard.get(port) ?? 0,

  /**
   * Connects, and says how that ended: with what was said to it, or with the code of the error.
   *
   * @param text what it says first; then it waits for an answer as well, and longer.
   */
  connect: (host: string, port: number, text = ''): Promise<string> =>
    new Promise((resolve) => {
      const socket = createConnection({ host, port });
      let isConnected = false;
      const end = (outcome: string): void => {
        clearTimeout(timer);
        socket.destroy();
        resolve(outcome);
      };
      const timer = setTimeout(
        // What has come meanwhile is heard first.
        () => setImmediate(() => end(isConnected ? 'connected' : 'timeout')),
        text === '' ? probeMs : answerMs,
      );
      socket.on('error', ({ code = 'error' }: NodeJS.ErrnoException) => end(code));
      socket.on('connect', () => {
        isConnected = true;
        if (text !== '') socket.write(text);
      });
      socket.on('data', (data) => end(data.toString().split('\r\n')[0] ?? ''));
      socket.on('end', () => end('connected'));
    }),

  /** Opens many connections that send `text` and nothing more, and stay. */
  flood: async (host: string, port: number, count: number, text: string): Promise<void> => {
    await Promise.all(
      Array.from({ length: count }, () => {
        const socket = createConnection({ host, port });
        flood.add(socket);
        socket.on('close', () => {
          if (flood.delete(socket)) floodClosed += 1;
        });
        return new Promise<void>((resolve) => {
          socket.on('error', () => resolve());
          socket.on('close', () => resolve());
          socket.on('connect', () => {
            socket.write(text);
            resolve();
          });
          socket.resume();
        });
      }),
    );
  },

  /** Connections of the flood that are open, and those that were closed. */
  flooded: async (): Promise<{ readonly open: number; readonly closed: number }> => {
    const open = [...flood].filter(({ readyState }) => readyState === 'open').length;
    return { open, closed: floodClosed };
  },

  endFlood: async (): Promise<void> => {
    for (const socket of flood) socket.destroy();
    flood.clear();
  },

  /** The addresses of a name, or the code of the error. */
  resolve: async (server: string, name: string): Promise<readonly string[]> => {
    const resolver = new Resolver({ timeout: answerMs / 3, tries: 3 });
    resolver.setServers([server]);
    return resolver.resolve4(name).catch(({ code }: NodeJS.ErrnoException) => [code ?? 'error']);
  },

  /** Connects as a charger. */
  call: (url: string, options: CallOptions = {}): Promise<Attempt> => {
    const { authorization, ca, dns, localAddress, version = 'ocpp1.6' } = options;
    const socket = new WebSocket(url, [version], {
      perMessageDeflate: false,
      handshakeTimeout: answerMs,
      ...(authorization !== undefined && { headers: { authorization } }),
      ...(ca !== undefined && { ca }),
      ...(localAddress !== undefined && { localAddress }),
      ...(dns !== undefined && { lookup: lookupAt(dns) }),
    });
    return new Promise((resolve) => {
      socket.on('error', (error: NodeJS.ErrnoException) => {
        resolve({ status: error.code ?? error.message });
      });
      socket.on('unexpected-response', (_request, response) => {
        response.resume();
        socket.terminate();
        resolve({ status: response.statusCode ?? 0 });
      });
      socket.on('open', () => resolve({ status: 101, handle: take(socket) }));
    });
  },

  /** Asks something, and gives the whole answer; rejects when the connection ends first. */
  ask: (handle: number, action: string, payload: object): Promise<readonly unknown[]> =>
    ask(lineOf(handle), action, payload),

  /** Sends Heartbeats from now on, each when the last one was answered. */
  converse: async (handle: number): Promise<void> => {
    const line = lineOf(handle);
    const talk = async (): Promise<never> => {
      for (;;) {
        const answer = await ask(line, 'Heartbeat', {});
        if (answer[0] !== 3) throw new Error(JSON.stringify(answer));
        line.answered += 1;
        await delay(paceMs);
      }
    };
    void talk().catch((error: Error) => {
      line.failure = error.message;
    });
  },

  /** How far that has come. */
  conversation: async (
    handle: number,
  ): Promise<{ readonly answered: number; readonly failure: string | undefined }> => {
    const { answered, failure } = lineOf(handle);
    return { answered, failure };
  },

  hangUp: async (handle: number): Promise<void> => {
    lineOf(handle).socket.terminate();
  },

  /** A CSMS that answers everything. */
  csms: async (port: number): Promise<void> => {
    const server = new WebSocketServer({ port, handleProtocols: ([first]) => first ?? false });
    server.on('connection', (socket, { url = '' }) => {
      const identity = decodeURIComponent(url.split('/').at(-1) ?? '');
      csmsLines.set(identity, socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        if (csmsLines.get(identity) === socket) csmsLines.delete(identity);
      });
      socket.on('message', (data) => {
        const [type, id, action] = JSON.parse(String(data)) as readonly unknown[];
        if (type !== 2) return;
        messages += 1;
        socket.send(JSON.stringify([3, id, answerTo(action)]));
      });
    });
    await new Promise<void>((resolve) => server.once('listening', resolve));
  },

  /** Who is connected to it, and the messages that have come. */
  csmsHas: async (): Promise<{
    readonly chargers: readonly string[];
    readonly messages: number;
  }> => ({
    chargers: [...csmsLines.keys()].sort(),
    messages,
  }),
};

/** What an agent can be asked for. */
export type AgentCommands = typeof commands;

/** A command, as the parent sends it. */
export interface AgentRequest {
  readonly id: number;
  readonly name: keyof AgentCommands;
  readonly parameters: readonly unknown[];
}

/** And what comes back. */
export interface AgentAnswer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

process.on('message', ({ id, name, parameters }: AgentRequest) => {
  const command = commands[name] as (...all: readonly unknown[]) => Promise<unknown>;
  command(...parameters).then(
    (value) => process.send?.({ id, value } satisfies AgentAnswer),
    (error: Error) => process.send?.({ id, error: error.message } satisfies AgentAnswer),
  );
});
process.on('disconnect', () => process.exit());
process.send?.('ready');

function answerTo(action: unknown): object {
  const currentTime = new Date().toISOString();
  if (action === 'BootNotification') return { status: 'Accepted', currentTime, interval: 3600 };
  return action === 'Heartbeat' ? { currentTime } : {};
}

function take(socket: WebSocket): number {
  const line: Line = { socket, waiting: new Map(), answered: 0, failure: undefined };
  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as readonly unknown[];
    const [type, id] = message;
    if (type === 2) {
      socket.send(JSON.stringify([4, id, 'NotImplemented', '', {}]));
      return;
    }
    line.waiting.get(String(id))?.(message);
    line.waiting.delete(String(id));
  });
  return lines.push(line) - 1;
}

function lineOf(handle: number): Line {
  const line = lines[handle];
  if (line === undefined) throw new Error(`there is no connection ${handle}`);
  return line;
}

let asked = 0;

function ask(
  { socket, waiting }: Line,
  action: string,
  payload: object,
): Promise<readonly unknown[]> {
  return new Promise((resolve, reject) => {
    if (socket.readyState !== WebSocket.OPEN) throw new Error('the connection is closed');
    asked += 1;
    const onClose = (code: number): void => reject(new Error(`closed with ${code}`));
    socket.once('close', onClose);
    waiting.set(String(asked), (message) => {
      socket.off('close', onClose);
      resolve(message);
    });
    socket.send(JSON.stringify([2, String(asked), action, payload]));
  });
}

type Lookup = NonNullable<import('node:net').TcpSocketConnectOpts['lookup']>;

/** Asks that DNS server, whatever the machine is set up with. */
function lookupAt(server: string): Lookup {
  const resolver = new Resolver({ timeout: answerMs / 3, tries: 3 });
  resolver.setServers([server]);
  return (name, options, done) => {
    resolver.resolve4(name).then(
      ([address = '']) => {
        if (options.all === true) done(null, [{ address, family: 4 }]);
        else done(null, address, 4);
      },
      (error: NodeJS.ErrnoException) => done(error, '', 4),
    );
  };
}
