import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

/** A CSMS that accepts everything, as cheaply as it can. */
export interface EchoCsms {
  readonly url: string;
  /** Chargers that are connected now. */
  connectionCount(): number;
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
    connectionCount: () => server.clients.size,
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

export const meterValues =
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
  return {
    run: (total) => runClosedLoop(sockets, total),
    close: () => {
      for (const socket of sockets) socket.terminate();
    },
  };
}

let callCount = 0;

/** The next call of a charger. No id is used twice: a connection may see many loops. */
export function nextCall(): string {
  callCount += 1;
  return callCount % 2 === 0
    ? `[2,"${callCount}","Heartbeat",{}]`
    : `[2,"${callCount}","MeterValues",${meterValues}]`;
}

/**
 * Lets chargers have `total` calls answered, all together. Each sends its next call as soon as the last
 * one was answered.
 *
 * @throws {Error} when a call is answered with an error, or a connection ends.
 */
export function runClosedLoop(sockets: readonly WebSocket[], total: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let sent = 0;
    let toCome = total;
    const next = (socket: WebSocket): void => {
      if (sent === total) return;
      sent += 1;
      socket.send(nextCall());
    };
    const end = (error?: Error): void => {
      for (const socket of sockets) socket.removeAllListeners('message').off('close', onClose);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onClose = (): void => end(new Error('a connection ended under load'));
    for (const socket of sockets) {
      socket.removeAllListeners('message');
      socket.on('close', onClose);
      socket.on('message', (data: Buffer) => {
        if (!isCallResult(data)) return end(new Error(`a call got ${String(data)}`));
        toCome -= 1;
        if (toCome === 0) end();
        else next(socket);
      });
      next(socket);
    }
  });
}

/** Is it the answer to a call, and no error? Looks no further: what is measured is somebody else. */
export function isCallResult(data: Buffer): boolean {
  return data[0] === 0x5b && data[1] === 0x33;
}
