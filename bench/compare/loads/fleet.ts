import { once } from 'node:events';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';

/** What chargers need to connect. */
export interface Surroundings {
  /** Where a charger with this identity connects. */
  url(identity: string): string;
  /** The password of a charger with this identity; none without. */
  password(identity: string): Buffer | undefined;
  readonly tls: SecureContext | undefined;
}

/**
 * What chargers bring for TLS: the only authority that they trust, version 1.3, and one suite and one
 * group, so that nobody does better by having chosen others.
 */
export function chargerTls(authorityPem: string): SecureContext {
  return createSecureContext({
    ca: authorityPem,
    minVersion: 'TLSv1.3',
    ciphers: 'TLS_AES_128_GCM_SHA256',
    ecdhCurve: 'X25519',
  });
}

/** The identity of a charger. */
export function identityOf(index: number): string {
  return `BENCH-${index}`;
}

/** A charger that is connected and was accepted. */
export interface ConnectedCharger {
  readonly socket: WebSocket;
  /** What its channel is encrypted with. */
  readonly cipher: string | undefined;
}

const boot =
  '[2,"b","BootNotification",{"chargePointVendor":"Gatewatt","chargePointModel":"Bench"}]';

/** Opens the socket of a charger, without a message. Rejects when it is refused. */
export async function dial(
  surroundings: Surroundings,
  index: number,
  password = surroundings.password(identityOf(index)),
): Promise<ConnectedCharger> {
  const identity = identityOf(index);
  const shown = password && Buffer.concat([Buffer.from(`${identity}:`), password]);
  const socket = new WebSocket(surroundings.url(identity), ['ocpp1.6'], {
    perMessageDeflate: false,
    ...(shown && { headers: { authorization: `Basic ${shown.toString('base64')}` } }),
    ...(surroundings.tls && { secureContext: surroundings.tls }),
  });
  let cipher: string | undefined;
  socket.once('upgrade', ({ socket: channel }) => {
    if (channel instanceof TLSSocket) cipher = channel.getCipher().name;
  });
  await once(socket, 'open');
  // Whoever has a load on it hears of its end, which comes after each error.
  socket.on('error', () => {});
  return { socket, cipher };
}

/** Sends a BootNotification, and gives the status of the answer. */
export async function bootStatus({ socket }: ConnectedCharger): Promise<string | undefined> {
  const answered = once(socket, 'message');
  socket.send(boot);
  const [data] = await answered;
  const [, , payload] = JSON.parse(String(data)) as readonly [number, string, { status?: string }];
  return payload.status;
}

/**
 * Connects the chargers from `first` on, `count` of them, with at most `atOnceMax` under way at a time.
 * Each is connected when its BootNotification is accepted.
 */
export async function connectFleet(
  surroundings: Surroundings,
  { first, count, atOnceMax }: { readonly [K in 'first' | 'count' | 'atOnceMax']: number },
): Promise<readonly ConnectedCharger[]> {
  return inTurns(count, atOnceMax, async (index) => {
    const charger = await dial(surroundings, first + index);
    const status = await bootStatus(charger);
    if (status !== 'Accepted') throw new Error(`BootNotification was answered with ${status}`);
    return charger;
  });
}

/** Does `count` pieces of work, at most `atOnceMax` at a time, and gives their results in order. */
export async function inTurns<Value>(
  count: number,
  atOnceMax: number,
  work: (index: number) => Promise<Value>,
): Promise<readonly Value[]> {
  const results: Value[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      results[index] = await work(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, atOnceMax) }, worker));
  return results;
}
