// Opens one socket in the network that it is started in, hands it to its parent, and ends.
// `open-inside.ts` starts it; docs/decisions/0020-a-namespace-for-each-charger.md says why.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** What is to be opened. */
export interface SocketWish {
  readonly kind: 'tcp' | 'udp';
  readonly host: string;
  readonly port: number;
}

const wish = JSON.parse(process.argv[2] ?? '') as SocketWish;

function failed(error: NodeJS.ErrnoException): void {
  process.send?.({ failed: error.code ?? error.message }, () => process.exit(1));
}

function handOver(socket: ReturnType<typeof createServer> | ReturnType<typeof createSocket>): void {
  process.send?.({ opened: true }, socket, {}, () => process.exit(0));
}

if (wish.kind === 'tcp') {
  // Who comes before the gateway has taken over is sent away, and comes again.
  const server = createServer({ pauseOnConnect: true }, (early) => early.destroy());
  server.on('error', failed);
  const { host, port } = wish;
  server.listen({ host, port, backlog: 1024, exclusive: true }, () => handOver(server));
} else {
  const type = wish.host.includes(':') ? 'udp6' : 'udp4';
  const socket = createSocket({ type });
  socket.on('error', failed);
  socket.bind({ address: wish.host, port: wish.port, exclusive: true }, () => handOver(socket));
}
