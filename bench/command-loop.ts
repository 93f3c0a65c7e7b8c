import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import type { Envelope } from './closed-loop.ts';

/** Chargers that take every command, and a CSMS that sends the next one when one was answered. */
export interface CommandLoop {
  readonly url: string;
  /** Connects `count` chargers, which boot first. */
  connect(url: (identity: string) => string, count: number): Promise<void>;
  /** Lets `count` commands be answered, all together. */
  run(count: number): Promise<void>;
  close(): Promise<void>;
}

const booted = '{"status":"Accepted","currentTime":"2026-01-01T00:00:00Z","interval":300}';
const boot =
  '[2,"b","BootNotification",{"chargePointVendor":"Gatewatt","chargePointModel":"Bench"}]';
/** A command that changes no load. */
const action = 'ChangeConfiguration';

/** Starts the CSMS on loopback. */
export async function startCommandLoop(envelope: Envelope): Promise<CommandLoop> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  const chargers: WebSocket[] = [];
  const upstreams: (readonly [WebSocket, string])[] = [];
  let onAnswer: (upstream: readonly [WebSocket, string]) => void = () => {};
  server.on('connection', (socket, request) => {
    const upstream = [socket, request.url?.split('/').at(-1) ?? ''] as const;
    upstreams.push(upstream);
    socket.on('message', (data) => {
      const [typeId, id, called] = JSON.parse(String(data)) as readonly [number, string, string];
      if (typeId === 2) socket.send(envelope(`[3,"${id}",${booted}]`, upstream[1], called));
      else onAnswer(upstream);
    });
  });
  await once(server, 'listening');
  let sent = 0;
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/csms`,
    connect: async (url, count) => {
      for (let index = 0; index < count; index += 1) {
        const socket = new WebSocket(url(`BENCH-${index}`), ['ocpp1.6'], {
          perMessageDeflate: false,
        });
        chargers.push(socket);
        await once(socket, 'open');
        socket.send(boot);
        await once(socket, 'message');
        socket.on('message', (data) => {
          const [, id] = JSON.parse(String(data)) as readonly [number, string];
          socket.send(`[3,"${id}",{"status":"Accepted"}]`);
        });
      }
    },
    run: (total) =>
      new Promise((resolve) => {
        let toSend = total;
        let toCome = total;
        const next = ([socket, identity]: readonly [WebSocket, string]): void => {
          if (toSend === 0) return;
          toSend -= 1;
          sent += 1;
          const payload = '{"key":"HeartbeatInterval","value":"300"}';
          socket.send(envelope(`[2,"c-${sent}","${action}",${payload}]`, identity, action));
        };
        onAnswer = (upstream) => {
          toCome -= 1;
          if (toCome === 0) resolve();
          else next(upstream);
        };
        for (const upstream of upstreams) next(upstream);
      }),
    close: async () => {
      for (const socket of chargers) socket.terminate();
      for (const client of server.clients) client.terminate();
      server.close();
      await once(server, 'close');
    },
  };
}
