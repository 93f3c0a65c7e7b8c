/** The CSMS, in a process of its own, which does what its parent tells it. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type WebSocket, WebSocketServer } from 'ws';
import { seededRandom } from '../../src/lib/random.ts';
import { serveOrders } from './child.ts';
import { csmsAnswer } from './messages.ts';
import { type CommandTally, type CsmsOrders, preciseNowMs } from './orders.ts';
import { count } from './tally.ts';

/** Upgrades whose time is kept; the older half goes when there are more. */
const upgradesMax = 200_000;

const server = createServer();
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
const upgradesAtMs: number[] = [];
/** Which charger has which command open; they are few. */
const openCommands = new Map<string, WebSocket>();
const commands: {
  -readonly [Key in keyof CommandTally]: CommandTally[Key] extends number
    ? number
    : Record<string, number>;
} = { sent: 0, accepted: 0, errors: {}, cutOff: 0, open: 0 };
const turns = monitorEventLoopDelay({ resolution: 10 });
turns.enable();
let transactions = 0;
let commandTimer: NodeJS.Timeout | undefined;

server.on('upgrade', (request, socket, head) => {
  upgradesAtMs.push(preciseNowMs());
  if (upgradesAtMs.length > upgradesMax) upgradesAtMs.splice(0, upgradesMax / 2);
  sockets.handleUpgrade(request, socket, head, (peer) => {
    peer.on('error', () => {});
    peer.on('message', (data) => onMessage(peer, String(data)));
    peer.on('close', () => onClose(peer));
  });
});

serveOrders<CsmsOrders>({
  listen: async ({ port }) => {
    server.listen({ port, host: '127.0.0.1', backlog: 4096 });
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  },
  upgrades: ({ sinceMs }) => upgradesAtMs.filter((atMs) => atMs >= sinceMs),
  command: ({ perHour, seed }) => {
    clearInterval(commandTimer);
    if (perHour > 0) startCommanding(perHour, seed);
    return undefined;
  },
  report: () => {
    const longestTurnMs = turns.max / 1e6;
    turns.reset();
    return {
      connections: sockets.clients.size,
      commands: { ...commands, open: openCommands.size },
      longestTurnMs,
    };
  },
});

function onMessage(peer: WebSocket, text: string): void {
  const [type, id, third] = JSON.parse(text) as readonly unknown[];
  if (type === 2) {
    const nextTransaction = (): number => {
      transactions += 1;
      return transactions;
    };
    peer.send(`[3,${JSON.stringify(id)},${csmsAnswer(String(third), nextTransaction)}]`);
    return;
  }
  if (!openCommands.delete(String(id))) return;
  if (type === 3) commands.accepted += 1;
  else count(commands.errors, String(third));
}

function onClose(peer: WebSocket): void {
  for (const [id, owner] of openCommands) {
    if (owner !== peer) continue;
    openCommands.delete(id);
    commands.cutOff += 1;
  }
}

function startCommanding(perHour: number, seed: number): void {
  const random = seededRandom(seed);
  commandTimer = setInterval(() => {
    const peers = [...sockets.clients];
    const peer = peers[random.integer(0, peers.length - 1)];
    if (peer === undefined) return;
    commands.sent += 1;
    const id = `command-${commands.sent}`;
    openCommands.set(id, peer);
    peer.send(
      commands.sent % 2 === 0
        ? `[2,"${id}","RemoteStartTransaction",{"connectorId":1,"idTag":"FLEET"}]`
        : `[2,"${id}","ClearCache",{}]`,
    );
  }, 3_600_000 / perHour);
}
