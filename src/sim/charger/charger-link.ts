import { rootCertificates, type SecureVersion } from 'node:tls';
import { WebSocket } from 'ws';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { JsonObject } from '../../ocpp/message.ts';
import type { OcppVersion } from '../../ocpp/version.ts';
import { numberOf, textOf } from '../protocol/payload.ts';
import { CallTimedOut, ConnectionLost } from '../protocol/rpc-errors.ts';
import { type CallHandler, RpcPeer } from '../protocol/rpc-peer.ts';
import type { TrafficObserver } from '../protocol/traffic.ts';
import { type BackOff, backOffSeconds } from './back-off.ts';
import type { Outgoing } from './outbox.ts';

/** Largest frame that a simulated charger takes. Large enough for every message of the schemas. */
const payloadBytesMax = 1024 * 1024;
/** A handshake that takes longer has failed. */
const handshakeTimeoutSeconds = 15;
/** The other side may take this long to close. */
const closeTimeoutSeconds = 2;
/** When the CSMS gives no interval, or 0 (OCPP 1.6 section 4.2 leaves it to the charger). */
const intervalSecondsDefault = 300;
/** A week. Longer waits overflow the timers of Node.js, which then fire at once. */
const intervalSecondsMax = 604_800;

/** Where a charger is in its conversation with the CSMS. */
export type ConnectionState =
  | 'disconnected'
  | 'connecting'
  | 'booting'
  /** The CSMS answered Pending or Rejected; the charger asks again after the interval. */
  | 'waiting'
  | 'accepted'
  | 'closed';

/** Why a charger boots, in the words of 2.x. */
export type BootReason = 'PowerUp' | 'RemoteReset' | 'Unknown' | 'Triggered';

/** Certificates and keys, as PEM, for wss. */
export interface ChargerTls {
  readonly ca?: string | Buffer;
  readonly certificate?: string | Buffer;
  readonly key?: string | Buffer;
  /** The oldest TLS; 1.2 by default, as OCPP demands. */
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
}

/** What a charger dials, and how it identifies itself there. */
export interface Dialling {
  /** Of the CSMS; the identity is appended. */
  readonly url: string;
  /** The Authorization header; undefined: none. */
  readonly authorization: string | undefined;
  /** The certificate is there only when it shall be shown. */
  readonly tls: ChargerTls & {
    /** Certificates, PEM, that are trusted as well as `ca`. */
    readonly installedRoots: readonly string[];
  };
}

/** What a ChargerLink needs. */
export interface ChargerLinkOptions {
  readonly identity: string;
  readonly version: OcppVersion;
  readonly clock: Clock;
  readonly random: Random;
  /** Asked before each attempt to connect. */
  readonly dialling: () => Dialling;
  /** An attempt to connect came to something, or did not. */
  readonly onDialled: (isOpen: boolean) => void;
  readonly backOff: BackOff;
  readonly callTimeoutSeconds: number;
  readonly validatesPayloads: boolean;
  readonly onTraffic: TrafficObserver | undefined;
  readonly boot: (reason: BootReason) => Outgoing;
  readonly onCall: CallHandler;
  /** The CSMS has accepted the boot. */
  readonly onAccepted: (intervalSeconds: number) => void;
  readonly onLost: () => void;
}

/** A charger's connection: dials, boots, keeps alive, and dials again when it is lost. */
export class ChargerLink {
  readonly #options: ChargerLinkOptions;
  #socket: WebSocket | undefined;
  #peer: RpcPeer | undefined;
  #timer: Timer | undefined;
  #state: ConnectionState = 'disconnected';
  #bootReason: BootReason = 'PowerUp';
  #attempt = 0;
  #lastFailure: string | undefined;
  /** Of which `redial` waits for the end. */
  #ending: WebSocket | undefined;

  constructor(options: ChargerLinkOptions) {
    this.#options = options;
  }

  /** Where the conversation is. */
  state(): ConnectionState {
    return this.#state;
  }

  /** Why the last attempt to connect failed; undefined when it did not. */
  lastFailure(): string | undefined {
    return this.#lastFailure;
  }

  /** Dials now. Does nothing when a connection exists or is being made, or after `close`. */
  connect(): void {
    if (this.#state !== 'disconnected') return;
    this.#timer?.cancel();
    this.#state = 'connecting';
    const { version, identity } = this.#options;
    const { url, authorization, tls } = this.#options.dialling();
    const socket = new WebSocket(endpoint(url, identity), version, {
      headers: authorization === undefined ? {} : { authorization },
      handshakeTimeout: handshakeTimeoutSeconds * 1000,
      maxPayload: payloadBytesMax,
      perMessageDeflate: false,
      // One frame per turn: what an answer sets in motion happens before the next call is read,
      // also when both came in one packet.
      allowSynchronousEvents: false,
      followRedirects: false,
      rejectUnauthorized: true,
      minVersion: tls.minVersion ?? 'TLSv1.2',
      ...(tls.maxVersion !== undefined && { maxVersion: tls.maxVersion }),
      ...trusted(tls),
      ...(tls.certificate !== undefined && { cert: tls.certificate }),
      ...(tls.key !== undefined && { key: tls.key }),
    });
    this.#socket = socket;
    socket.on('open', () => this.#opened(socket));
    socket.on('error', (error) => {
      this.#lastFailure = error.message;
    });
    socket.on('close', (code, reason) => this.#lost(socket, code, reason.toString('utf8')));
  }

  /** @throws {CallRefused | CallTimedOut | ConnectionLost} as a rejection. */
  call(outgoing: Outgoing): Promise<JsonObject> {
    const peer = this.#peer;
    if (peer === undefined) return Promise.reject(new ConnectionLost('not connected'));
    return peer.call(outgoing.action, outgoing.payload);
  }

  /** Sends a SEND (2.1). Does nothing without a connection. */
  send(outgoing: Outgoing): void {
    this.#peer?.send(outgoing.action, outgoing.payload);
  }

  /** @throws {ConnectionLost} when there is no connection. */
  sendRaw(text: string): void {
    if (this.#peer === undefined) throw new ConnectionLost('not connected');
    this.#peer.sendRaw(text);
  }

  /** Sends BootNotification again, as TriggerMessage asks. */
  bootAgain(): void {
    void this.#boot('Triggered');
  }

  /** Closes the connection, and dials again after `afterSeconds` (never: undefined). */
  disconnect(afterSeconds: number | undefined, bootReason: BootReason): void {
    if (this.#state === 'closed') return;
    this.#ending = undefined;
    this.#bootReason = bootReason;
    this.#leave('disconnected');
    if (afterSeconds !== undefined) this.#dialAfter(afterSeconds);
  }

  /**
   * Closes the connection, and dials again as soon as the other side has noticed: two connections
   * of one identity at a time would look like an impostor.
   */
  redial(bootReason: BootReason): void {
    const socket = this.#socket;
    this.disconnect(undefined, bootReason);
    if (socket === undefined) {
      this.connect();
      return;
    }
    this.#ending = socket;
    socket.once('close', () => {
      if (this.#ending === socket) this.connect();
    });
  }

  /** Closes for good; resolves when the socket is gone. Idempotent. */
  async close(): Promise<void> {
    const socket = this.#socket;
    this.#leave('closed');
    if (socket === undefined || socket.readyState === WebSocket.CLOSED) return;
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
    });
  }

  #leave(state: 'disconnected' | 'closed'): void {
    this.#timer?.cancel();
    const socket = this.#socket;
    const wasOpen = this.#peer !== undefined;
    this.#state = state;
    this.#socket = undefined;
    this.#peer = undefined;
    if (wasOpen) this.#options.onLost();
    if (socket === undefined) return;
    socket.close(1000);
    const timer = this.#options.clock.after(closeTimeoutSeconds * 1000, () => socket.terminate());
    socket.once('close', () => timer.cancel());
  }

  #opened(socket: WebSocket): void {
    if (socket !== this.#socket) return;
    const { identity, version, clock, random, callTimeoutSeconds, validatesPayloads } =
      this.#options;
    const { onCall, onTraffic } = this.#options;
    this.#lastFailure = undefined;
    this.#options.onDialled(true);
    this.#peer = new RpcPeer({
      socket,
      identity,
      version,
      clock,
      random,
      callTimeoutSeconds,
      validatesPayloads,
      onCall,
      onTraffic,
    });
    void this.#boot(this.#bootReason);
  }

  async #boot(reason: BootReason): Promise<void> {
    const peer = this.#peer;
    const { boot, clock } = this.#options;
    const outgoing = boot(reason);
    if (peer === undefined) return;
    this.#state = 'booting';
    let intervalSeconds = intervalSecondsDefault;
    let accepted = false;
    try {
      const reply = await peer.call(outgoing.action, outgoing.payload);
      const asked = numberOf(reply, 'interval');
      intervalSeconds = asked > 0 ? Math.min(asked, intervalSecondsMax) : intervalSecondsDefault;
      accepted = textOf(reply, 'status') === 'Accepted';
    } catch {
      // Refused, timed out or lost: asked again after the back-off, like every failed attempt.
      intervalSeconds = backOffSeconds(
        this.#options.backOff,
        this.#attempt + 1,
        this.#options.random,
      );
      this.#attempt += 1;
    }
    if (peer !== this.#peer) return;
    this.#timer?.cancel();
    if (accepted) {
      this.#attempt = 0;
      this.#state = 'accepted';
      this.heartbeatEvery(intervalSeconds);
      this.#options.onAccepted(intervalSeconds);
      return;
    }
    this.#state = 'waiting';
    this.#timer = clock.after(intervalSeconds * 1000, () => void this.#boot(reason));
  }

  /** Sends Heartbeat every `intervalSeconds` from now on. */
  heartbeatEvery(intervalSeconds: number): void {
    if (this.#state !== 'accepted' || intervalSeconds <= 0) return;
    this.#timer?.cancel();
    const boundedSeconds = Math.min(intervalSeconds, intervalSecondsMax);
    this.#timer = this.#options.clock.after(boundedSeconds * 1000, () => {
      void this.#heartbeat(intervalSeconds);
    });
  }

  async #heartbeat(intervalSeconds: number): Promise<void> {
    const socket = this.#socket;
    try {
      await this.call({ action: 'Heartbeat', payload: {} });
    } catch (error) {
      // A silent peer may be a connection that died without a word.
      if (error instanceof CallTimedOut) socket?.terminate();
    }
    if (socket === this.#socket) this.heartbeatEvery(intervalSeconds);
  }

  #lost(socket: WebSocket, code: number, reason: string): void {
    if (socket !== this.#socket) return;
    const wasOpen = this.#peer !== undefined;
    this.#timer?.cancel();
    this.#socket = undefined;
    this.#peer = undefined;
    this.#state = 'disconnected';
    this.#lastFailure ??= `closed with ${code} ${reason}`.trim();
    if (wasOpen) this.#options.onLost();
    else this.#options.onDialled(false);
    this.#attempt += 1;
    this.#dialAfter(backOffSeconds(this.#options.backOff, this.#attempt, this.#options.random));
  }

  #dialAfter(seconds: number): void {
    this.#timer = this.#options.clock.after(seconds * 1000, () => this.connect());
  }
}

/** The URL that is dialled. The identity is percent-encoded (OCPP-J 1.6 section 3.1.1). */
function endpoint(url: string, identity: string): string {
  return `${url.replace(/\/+$/, '')}/${encodeURIComponent(identity)}`;
}

/** The certificates to trust: those of `ca`, or else those that every program here trusts. */
function trusted({ ca, installedRoots }: Dialling['tls']): { ca?: (string | Buffer)[] } {
  if (installedRoots.length === 0) return ca === undefined ? {} : { ca: [ca] };
  return { ca: [...(ca === undefined ? rootCertificates : [ca]), ...installedRoots] };
}
