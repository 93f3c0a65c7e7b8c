import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { Arrival } from '../../../src/connection/arrival.ts';
import {
  type ChargerListener,
  type ListenerOptions,
  openChargerListener,
} from '../../../src/connection/charger-listener.ts';
import type { PeerSocket } from '../../../src/connection/peer-socket.ts';
import type { EventName, GatewayEvent } from '../../../src/events/catalogue.ts';
import { makeAuthority, type TestAuthority } from '../../support/certificates.ts';
import type { EventOf } from '../../support/live-gateway.ts';
import { type ManualClock, manualClock } from '../../support/manual-clock.ts';
import { upgradeText } from '../../support/raw-websocket.ts';

/** Events, and the way to wait for one. */
export interface EventLog {
  readonly all: readonly GatewayEvent[];
  readonly emit: (event: GatewayEvent) => void;
  /** The first of that name that matches, whether it has happened or will. */
  first<Name extends EventName>(
    name: Name,
    matches?: (event: EventOf<Name>) => boolean,
  ): Promise<EventOf<Name>>;
  count(name: EventName): number;
  clear(): void;
}

/** An empty log. */
export function eventLog(): EventLog {
  const all: GatewayEvent[] = [];
  const waiting = new Set<() => void>();
  return {
    all,
    emit: (event) => {
      all.push(event);
      for (const check of [...waiting]) check();
    },
    first: (name, matches = () => true) =>
      new Promise((resolve) => {
        const check = (): void => {
          const found = all.find((event) => event.name === name && matches(event as never));
          if (found === undefined) return;
          waiting.delete(check);
          resolve(found as never);
        };
        waiting.add(check);
        check();
      }),
    count: (name) => all.filter((event) => event.name === name).length,
    clear: () => {
      all.length = 0;
    },
  };
}

/** A directory with files that a test writes and writes again. */
export interface Files {
  readonly directory: string;
  at(name: string): string;
  write(name: string, text: string): Promise<string>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** An empty directory. */
export async function makeFiles(): Promise<Files> {
  const directory = await mkdtemp(path.join(tmpdir(), 'gatewatt-tls-'));
  return {
    directory,
    at: (name) => path.join(directory, name),
    write: async (name, text) => {
      await writeFile(path.join(directory, name), text);
      return path.join(directory, name);
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

/** A TLS listener that lets everybody in, with an ECDSA and an RSA certificate. */
export interface TlsWorld {
  readonly listener: ChargerListener;
  readonly port: number;
  readonly events: EventLog;
  readonly files: Files;
  /** Who issued the certificates of the listener. */
  readonly authority: TestAuthority;
  /** Every arrival, in order. */
  readonly arrivals: readonly Arrival[];
  /** The sockets of those that were let in. */
  readonly accepted: readonly Promise<PeerSocket | undefined>[];
  readonly clock: ManualClock;
  /** Lets the listener look at its files. */
  look(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What a test wants otherwise. */
export interface WorldChanges extends Partial<ListenerOptions> {
  /** Whose certificates count; then the listener has security profile 3. */
  readonly clientCa?: string;
  readonly clientCrl?: string;
  readonly onArrival?: (arrival: Arrival) => void;
  /** Of its only door, unless there are `doors`. */
  readonly connectionsMax?: number;
  readonly connectionsPerAddressMax?: number;
  /** The time of the listener; by default the real time of now, standing still. */
  readonly time?: ManualClock;
}

/** The listener's names: what a client may ask for. */
export const serverNames = { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] };

/** Opens a listener. */
export async function startTlsWorld(changes: WorldChanges = {}): Promise<TlsWorld> {
  const { clientCa, clientCrl, onArrival, time, ...more } = changes;
  const { connectionsMax = 100, connectionsPerAddressMax = 50, ...others } = more;
  const files = await makeFiles();
  const authority = await makeAuthority({ commonName: 'Gateway Root' });
  const ecdsa = await authority.issue({ commonName: 'localhost', ...serverNames });
  const rsa = await authority.issue({
    commonName: 'localhost',
    algorithm: 'rsa-2048',
    ...serverNames,
  });
  const certificates = [
    {
      certFile: await files.write('ecdsa.pem', ecdsa.chainPem),
      keyFile: await files.write('ecdsa.key', ecdsa.keyPem),
    },
    {
      certFile: await files.write('rsa.pem', rsa.chainPem),
      keyFile: await files.write('rsa.key', rsa.keyPem),
    },
  ];
  const client = clientCa && {
    caFile: await files.write('ca.pem', clientCa),
    crlFile: clientCrl && (await files.write('crl.pem', clientCrl)),
  };
  const events = eventLog();
  const arrivals: Arrival[] = [];
  const accepted: Promise<PeerSocket | undefined>[] = [];
  const clock = time ?? manualClock(Date.now());
  const listener = await openChargerListener(
    {
      name: 'field',
      securityProfile: clientCa === undefined ? 2 : 3,
      doors: [{ at: { host: '127.0.0.1', port: 0 }, connectionsMax, connectionsPerAddressMax }],
      paths: ['/ocpp'],
      identity: { from: 'path' },
      limits: {
        frameBytesMax: 65_536,
        pingSeconds: 0,
        pongSeconds: 30,
        silentSeconds: 3600,
        stallSeconds: 30,
      },
      handshakeSeconds: 10,
      tls: { certificates, client: client || undefined },
      ...others,
    },
    (arrival) => {
      arrivals.push(arrival);
      if (onArrival !== undefined) onArrival(arrival);
      else accepted.push(arrival.accept('ocpp1.6'));
    },
    events.emit,
    clock,
  ).catch(async (error: unknown) => {
    await files[Symbol.asyncDispose]();
    throw error;
  });
  return {
    listener,
    port: listener.port,
    events,
    files,
    authority,
    arrivals,
    accepted,
    clock,
    look: () => clock.advance(5_000),
    [Symbol.asyncDispose]: async () => {
      await listener.close();
      for (const socket of await Promise.all(accepted)) socket?.destroy();
      await files[Symbol.asyncDispose]();
    },
  };
}

/** A TLS connection to a listener. Rejects when the handshake fails. */
export async function connectTls(
  world: Pick<TlsWorld, 'port' | 'authority'>,
  options: ConnectionOptions = {},
): Promise<TLSSocket> {
  const socket = connect({
    host: '127.0.0.1',
    port: world.port,
    servername: 'localhost',
    ca: world.authority.certificatePem,
    ...options,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed')));
  });
  socket.on('error', () => {});
  return socket;
}

/** What an upgrade got: the head of the answer, as text. The connection stays open after 101. */
export async function upgrade(
  socket: TLSSocket,
  identity = 'CP-1',
  changes: Readonly<Record<string, string | undefined>> = {},
): Promise<string> {
  socket.write(upgradeText(`/ocpp/${identity}`, changes));
  let text = '';
  while (!text.includes('\r\n\r\n')) {
    const chunk = await new Promise<Buffer | undefined>((resolve) => {
      socket.once('data', resolve);
      socket.once('close', () => resolve(undefined));
    });
    if (chunk === undefined) break;
    text += chunk.toString('latin1');
  }
  return text;
}

/** What came of a whole upgrade over a new connection, which is over then. */
export async function upgradeOnce(
  world: Pick<TlsWorld, 'port' | 'authority'>,
  options: ConnectionOptions = {},
  identity = 'CP-1',
): Promise<string> {
  const socket = await connectTls(world, options);
  const answer = await upgrade(socket, identity);
  socket.destroy();
  return answer;
}

/** From the system's packages, like PostgreSQL. */
const openSslCommand = 'openssl';

/** What `openssl s_client` said, with nothing on its standard input. Its time is limited. */
export async function sClient(port: number, args: readonly string[]): Promise<string> {
  const openssl = spawn(
    openSslCommand,
    ['s_client', '-connect', `127.0.0.1:${port}`, '-servername', 'localhost', '-brief', ...args],
    // Without the system's configuration, which forbids old versions by itself.
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, OPENSSL_CONF: '/dev/null' } },
  );
  const limit = AbortSignal.timeout(20_000);
  limit.addEventListener('abort', () => openssl.kill('SIGKILL'));
  let output = '';
  openssl.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  openssl.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  await new Promise((resolve) => openssl.once('close', resolve));
  return output;
}

/** A TCP connection to `port` that sends `bytes`, and everything that comes until it closes. */
export async function sendRaw(port: number, bytes: string | Uint8Array): Promise<Buffer> {
  const socket = connectTcp({ host: '127.0.0.1', port });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(bytes);
  await closed;
  return Buffer.concat(chunks);
}

/** What a ClientHello says. */
export interface HelloParts {
  /** For example 0x0303 for TLS 1.2. */
  readonly version?: number;
  readonly suites: readonly number[];
  /** Compression methods: 0 none, 1 deflate. */
  readonly compression?: readonly number[];
}

/** A ClientHello made of bytes, which may offer what no TLS library has any more. */
export function clientHello({ version = 0x0303, suites, compression = [0] }: HelloParts): Buffer {
  const extension = (type: number, body: readonly number[]): number[] => [
    ...two(type),
    ...two(body.length),
    ...body,
  ];
  const extensions = [
    // P-256, P-384, X25519.
    ...extension(10, [...two(6), ...two(0x17), ...two(0x18), ...two(0x1d)]),
    ...extension(11, [1, 0]),
    // ecdsa_secp256r1_sha256, rsa_pss_rsae_sha256, rsa_pkcs1_sha256.
    ...extension(13, [...two(6), ...two(0x0403), ...two(0x0804), ...two(0x0401)]),
  ];
  const body = [
    ...two(version),
    ...Array.from({ length: 32 }, (_, index) => index),
    0,
    ...two(suites.length * 2),
    ...suites.flatMap(two),
    compression.length,
    ...compression,
    ...two(extensions.length),
    ...extensions,
  ];
  const handshake = [1, 0, ...two(body.length), ...body];
  return Buffer.from([0x16, 3, 1, ...two(handshake.length), ...handshake]);
}

function two(value: number): number[] {
  return [(value >> 8) & 0xff, value & 0xff];
}
