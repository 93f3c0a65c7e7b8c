import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

/** A CSMS that accepts everything, as cheaply as it can. */
export interface EchoCsms {
  readonly url: string;
  close(): Promise<void>;
}

const answers: Readonly<Record<string, string>> = {
  BootNotification: '{"status":"Accepted","currentTime":"2026-01-01T00:00:00Z","interval":300}',
  Heartbeat: '{"currentTime":"2026-01-01T00:00:00Z"}',
};

/** Makes the text that goes over the wire of a message, for the charger with this identity. */
export type Envelope = (text: string, identity: string, action: string) => string;

/** Starts one on loopback. */
export async function startEchoCsms(envelope: Envelope = (text) => text): Promise<EchoCsms> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  server.on('connection', (socket, request) => {
    const identity = request.url?.split('/').at(-1) ?? '';
    socket.on('message', (data) => {
      const [, id, action] = JSON.parse(String(data)) as readonly [number, string, string];
      socket.send(envelope(`[3,"${id}",${answers[action] ?? '{}'}]`, identity, action));
    });
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}/csms`,
    close: async () => {
      for (const client of server.clients) client.terminate();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Chargers that send their next call as soon as the last one was answered. */
export interface ClosedLoop {
  /** Lets the chargers have `count` calls answered, all together. */
  run(count: number): Promise<void>;
  close(): void;
}

const meterValues =
  '{"connectorId":1,"transactionId":7,"meterValue":[{"timestamp":"2026-01-01T00:00:00Z",' +
  '"sampledValue":[{"value":"1234.5","measurand":"Energy.Active.Import.Register","unit":"Wh"},' +
  '{"value":"11040","measurand":"Power.Active.Import","unit":"W"},' +
  '{"value":"16.0","measurand":"Current.Import","phase":"L1","unit":"A"}]}]}';

/** Connects `count` chargers, which boot first. Every other call is MeterValues or Heartbeat. */
export async function connectClosedLoop(
  url: (identity: string) => string,
  count: number,
): Promise<ClosedLoop> {
  const sockets = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const socket = new WebSocket(url(`BENCH-${index}`), ['ocpp1.6'], {
        perMessageDeflate: false,
      });
      await once(socket, 'open');
      socket.send(
        '[2,"b","BootNotification",{"chargePointVendor":"Gatewatt","chargePointModel":"Bench"}]',
      );
      await once(socket, 'message');
      return socket;
    }),
  );
  let sent = 0;
  return {
    run: (total) =>
      new Promise((resolve) => {
        let toSend = total;
        let toCome = total;
        const next = (socket: WebSocket): void => {
          if (toSend === 0) return;
          toSend -= 1;
          sent += 1;
          socket.send(
            sent % 2 === 0
              ? `[2,"${sent}","Heartbeat",{}]`
              : `[2,"${sent}","MeterValues",${meterValues}]`,
          );
        };
        for (const socket of sockets) {
          socket.removeAllListeners('message');
          socket.on('message', () => {
            toCome -= 1;
            if (toCome === 0) resolve();
            else next(socket);
          });
          next(socket);
        }
      }),
    close: () => {
      for (const socket of sockets) socket.terminate();
    },
  };
}
