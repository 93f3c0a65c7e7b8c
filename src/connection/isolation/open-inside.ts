import { spawn } from 'node:child_process';
import type { Socket as UdpSocket } from 'node:dgram';
import type { Server } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  hasFamily,
  type IsolatedNetwork,
  type NetworkSocket,
  namespaceFile,
  servicePorts,
} from './network.ts';
import type { SocketWish } from './open-socket.ts';
import { ToolError, toolEnvironment } from './run-tool.ts';

/** A socket that lives in a network, whoever holds it. */
export type InsideSocket = Server | UdpSocket;

/** How long opening may take, in milliseconds. */
const openMsMax = 20_000;

// Beside this file, in the sources as in what they are compiled to.
const script = fileURLToPath(
  new URL(`open-socket${path.extname(import.meta.filename)}`, import.meta.url),
);

/**
 * Opens a socket inside a network: a process that lives no longer than that enters its namespace. A
 * socket stays in the namespace in which it was made.
 *
 * The caller owns it, and should hand it on or close it at once: what it is sent meanwhile is lost.
 *
 * @throws ToolError
 */
export function openInside(network: IsolatedNetwork, socket: NetworkSocket): Promise<InsideSocket> {
  const wish = wishFor(network, socket);
  return new Promise((resolve, reject) => {
    const child = spawn(
      'nsenter',
      [
        `--net=${namespaceFile(network.namespace)}`,
        '--',
        process.execPath,
        script,
        JSON.stringify(wish),
      ],
      {
        env: toolEnvironment,
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
        timeout: openMsMax,
        killSignal: 'SIGKILL',
      },
    );
    const fail = (detail: string): void => {
      const place = `port ${wish.port} (${wish.kind}) in the network ${network.name}`;
      reject(new ToolError(`${place} cannot be opened: ${detail}`));
    };
    child.on('message', (message: { readonly failed?: string }, handle: unknown) => {
      if (handle === undefined || handle === null) {
        fail(message.failed ?? 'nothing was handed over');
        return;
      }
      const opened = handle as InsideSocket;
      if ('listen' in opened) opened.on('connection', (early) => early.destroy());
      resolve(opened);
    });
    child.on('error', (error) => fail(error.message));
    // Later than a message; after one it changes nothing.
    child.on('close', (code, signal) => fail(`the helper ended with ${code ?? signal}`));
  });
}

function wishFor(network: IsolatedNetwork, socket: NetworkSocket): SocketWish {
  // On all addresses: those of the interface come and go with it, and the rules let nothing else in.
  const host = hasFamily(network, 'ipv6') ? '::' : '0.0.0.0';
  if (socket === 'listener') return { kind: 'tcp', host, port: network.port };
  // DHCP is for IPv4.
  return {
    kind: 'udp',
    host: socket === 'dhcp' ? '0.0.0.0' : host,
    port: servicePorts[socket],
  };
}
