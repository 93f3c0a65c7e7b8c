import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import type { Close } from '../errors/to-close.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { handOutAtTurnEnd, sendAtTurnEnd, type TurnEnd } from '../lib/turn-end.ts';
import {
  closeTimeoutMs,
  highWaterBytes,
  lookSecondsMax,
  lowWaterBytes,
  overwhelmedBytes,
  ownWordsBytesMax,
  type SocketLimits,
} from './limits.ts';
import { textFrame } from './text-frame.ts';
import { TextFrameReader } from './text-frame-reader.ts';

/** Of every socket for which nothing waits. Nothing is ever put into it. */
const none: Buffer[] = [];

/** A WebSocket that is open, and what it runs over. */
export interface OpenWebSocket {
  readonly socket: WebSocket;
  /** The socket below it. */
  readonly stream: Duplex;
  /** Are we the client? Clients mask what they send. */
  readonly isClient: boolean;
}

/** Why a connection ended. */
export interface SocketEnd {
  readonly why: 'closed' | 'silent' | 'stalled' | 'misframed' | 'failed';
  /** The close code that the peer sent, or 1006 where it sent none. */
  readonly closeCode: number;
}

/** What the owner of a socket wants to hear. */
export interface SocketEvents {
  /**
   * One text message, in arrival order.
   *
   * @param receivedAtMs when it came, on the clock's `elapsedMs`.
   */
  onMessage(bytes: Buffer, receivedAtMs: number): void;
  /** Once, at the end. No message comes after it. */
  onEnd(end: SocketEnd): void;
  /** The peer has taken enough of what waited for it. */
  onDrained(): void;
}

/**
 * One WebSocket connection to a charger or to the CSMS: bounded, watched, and ignorant of OCPP.
 *
 * Messages that arrive before `start` are kept, in order, and the socket is not read meanwhile, so
 * nothing that arrives early is lost and nothing piles up.
 */
export class PeerSocket {
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  readonly #isClient: boolean;
  /** Are messages compressed, so that ws has to write them? */
  readonly #isCompressed: boolean;
  readonly #limits: SocketLimits;
  readonly #clock: Clock;
  /** What has arrived and was not handed out: before the start, and until the end of this turn. */
  #arrived: Buffer[] = none;
  readonly #turnEnd: TurnEnd;
  #events: SocketEvents | undefined;
  #end: SocketEnd | undefined;
  #cause: SocketEnd['why'] | undefined;
  #timer: Timer | undefined;
  #heardAtMs: number;
  #sentProgressAtMs: number;
  #hasAnsweredPing = false;
  #isPaused = false;
  /** Frames that are written at the end of this turn. */
  #held: Buffer[] = none;
  #heldBytes = 0;

  /** Takes over a connection, which must not have been read yet. */
  constructor({ isClient, socket, stream }: OpenWebSocket, limits: SocketLimits, clock: Clock) {
    this.#socket = socket;
    this.#stream = stream;
    this.#isClient = isClient;
    this.#isCompressed = socket.extensions !== '';
    this.#limits = limits;
    this.#clock = clock;
    this.#heardAtMs = clock.elapsedMs();
    this.#sentProgressAtMs = this.#heardAtMs;
    this.#turnEnd = { handOut: () => this.#handOut(), send: () => this.#flush() };
    socket.pause();
    if (!this.#isCompressed) {
      const messageBytesMax = limits.frameBytesMax;
      const onText = (bytes: Buffer): void => this.#onText(bytes);
      new TextFrameReader(stream, { isClient, messageBytesMax, onText });
    }
    socket.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    socket.on('ping', (data) => this.#onPing(data));
    socket.on('pong', () => {
      this.#heardAtMs = clock.elapsedMs();
      this.#hasAnsweredPing = true;
    });
    socket.on('error', (error) => {
      // ws tells what it refuses by codes of its own, or by zlib's where a message cannot be
      // inflated, and closes with the right close code itself.
      const code = (error as NodeJS.ErrnoException).code;
      if (!/^(?:WS_ERR|Z)_/.test(code ?? '')) {
        this.#cause ??= 'failed';
        return;
      }
      this.#timer?.cancel();
      this.#tellEnd('misframed', 1006);
    });
    socket.on('close', (closeCode) => this.#onClose(closeCode));
    stream.on('drain', () => this.#onSent());
  }

  /** Begins to read. Messages that came early are handed over first. */
  start(events: SocketEvents): void {
    this.#events = events;
    this.#handOut();
    if (this.#end !== undefined) {
      events.onEnd(this.#end);
      return;
    }
    if (!this.#isPaused) this.#socket.resume();
    this.#watch();
  }

  /** Sends one text message, at the end of this turn. Ignored after the end. */
  send(bytes: Uint8Array): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#isCompressed) {
      if (this.#unsentBytes === 0) this.#sentProgressAtMs = this.#clock.elapsedMs();
      this.#socket.send(bytes, { binary: false }, () => this.#onSent());
      return;
    }
    const frame = textFrame(bytes, this.#isClient);
    this.#heldBytes += frame.byteLength;
    if (this.#held.length > 0) this.#held.push(frame);
    else {
      // A list of one: the first `push` to an empty one makes room for many.
      this.#held = [frame];
      sendAtTurnEnd(this.#turnEnd);
    }
  }

  /** Writes what is held. ws writes its own frames at once, so it comes before each of them. */
  #flush(): void {
    if (this.#held.length === 0) return;
    const frames = this.#held;
    this.#held = none;
    this.#heldBytes = 0;
    // Who has said goodbye meanwhile does not listen any more.
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    const [first] = frames;
    if (frames.length === 1 && first !== undefined) {
      this.#write(first);
      return;
    }
    this.#stream.cork();
    for (const frame of frames) this.#write(frame);
    this.#stream.uncork();
  }

  #write(frame: Buffer): void {
    if (this.#unsentBytes > 0) {
      this.#stream.write(frame, () => this.#onSent());
      return;
    }
    // What waits for nothing needs nobody to say that it has gone.
    this.#stream.write(frame);
    if (this.#unsentBytes > 0) this.#sentProgressAtMs = this.#clock.elapsedMs();
  }

  /**
   * Sends a message of the gateway's own, unless the peer already has too much waiting: a peer that
   * provokes answers without reading them must not fill the memory.
   */
  sendOwn(text: string): void {
    if (this.#waitingBytes <= ownWordsBytesMax) this.send(Buffer.from(text));
  }

  /** Sends a ping now. */
  ping(): void {
    this.#flush();
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping();
  }

  /** Begins the closing handshake; the socket is destroyed if the peer does not join in time. */
  close({ closeCode, reason }: Close): void {
    if (this.#end !== undefined) return;
    this.#timer?.cancel();
    this.#flush();
    // A peer whose reading is paused could not be heard saying goodbye.
    if (this.#socket.isPaused) this.#socket.resume();
    this.#socket.close(closeCode, reason);
    this.#timer = this.#clock.after(closeTimeoutMs, () => this.#socket.terminate());
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#socket.terminate();
  }

  /** Stops reading from the peer, so that it slows down. */
  pause(): void {
    this.#isPaused = true;
    if (this.#events !== undefined) this.#socket.pause();
  }

  /** Reads from the peer again. */
  resume(): void {
    // Also asked for after each message that the other peer takes, which is no sign of life.
    if (!this.#isPaused) return;
    this.#isPaused = false;
    // Time spent paused says nothing about the peer.
    this.#heardAtMs = this.#clock.elapsedMs();
    if (this.#events !== undefined) this.#socket.resume();
  }

  /** Is so much waiting for this peer that its source should pause? */
  get isCongested(): boolean {
    return this.#waitingBytes > highWaterBytes;
  }

  /** Is so much waiting that pausing the source was not enough? */
  get isOverwhelmed(): boolean {
    return this.#waitingBytes > overwhelmedBytes;
  }

  /** Is the connection open, on both sides? */
  get isOpen(): boolean {
    return this.#end === undefined && this.#socket.readyState === this.#socket.OPEN;
  }

  /** Is reading paused, so that nothing can be heard of the peer? */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** When anything was last heard of the peer, on the clock's `elapsedMs`. */
  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  /** Has this peer ever answered a ping? Some chargers never do, and are well. */
  get hasAnsweredPing(): boolean {
    return this.#hasAnsweredPing;
  }

  /** Bytes that wait for the peer. */
  get #waitingBytes(): number {
    return this.#unsentBytes + this.#heldBytes;
  }

  /** Of these, what was written and has not gone; what is being compressed counts. */
  get #unsentBytes(): number {
    return this.#isCompressed ? this.#socket.bufferedAmount : this.#stream.writableLength;
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (isBinary) {
      this.#heardAtMs = this.#clock.elapsedMs();
      // OCPP-J is text (RFC 6455 section 5.6; OCPP-J 1.6 section 4.1).
      this.close({ closeCode: 1003, reason: 'OCPP messages are text.' });
      this.#tellEnd('misframed', 1006);
      return;
    }
    this.#onText(asBuffer(data));
  }

  #onText(bytes: Buffer): void {
    this.#heardAtMs = this.#clock.elapsedMs();
    // After a close has begun nothing more is taken: it might be acted on without an answer.
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#arrived.length > 0) this.#arrived.push(bytes);
    else {
      this.#arrived = [bytes];
      if (this.#events !== undefined) handOutAtTurnEnd(this.#turnEnd);
    }
  }

  #handOut(): void {
    if (this.#events === undefined) return;
    const messages = this.#arrived;
    this.#arrived = none;
    const receivedAtMs = this.#heardAtMs;
    for (const bytes of messages) {
      if (this.#end === undefined) this.#events.onMessage(bytes, receivedAtMs);
    }
  }

  #onPing(data: Buffer): void {
    this.#heardAtMs = this.#clock.elapsedMs();
    this.#flush();
    const isOpen = this.#socket.readyState === this.#socket.OPEN;
    if (isOpen && this.#waitingBytes <= ownWordsBytesMax) this.#socket.pong(data);
  }

  #onSent(): void {
    this.#sentProgressAtMs = this.#clock.elapsedMs();
    if (this.#waitingBytes <= lowWaterBytes) this.#events?.onDrained();
  }

  #onClose(closeCode: number): void {
    this.#timer?.cancel();
    this.#tellEnd(this.#cause ?? 'closed', closeCode);
  }

  /** A peer that breaks the protocol must not hold its session until its socket is closed. */
  #tellEnd(why: SocketEnd['why'], closeCode: number): void {
    if (this.#end !== undefined) return;
    // What it said before counts.
    this.#handOut();
    this.#end = { why, closeCode };
    this.#events?.onEnd(this.#end);
  }

  /** Looks after the connection at least once a minute, and pings when it is time. */
  #watch(looksSincePing = 0): void {
    const { pingSeconds } = this.#limits;
    const looksPerPing = Math.max(1, Math.ceil(pingSeconds / lookSecondsMax));
    const lookSeconds = pingSeconds > 0 ? pingSeconds / looksPerPing : lookSecondsMax;
    this.#timer = this.#clock.after(lookSeconds * 1000, () => {
      const cause = this.#failure();
      if (cause !== undefined) {
        this.#cause ??= cause;
        this.#socket.terminate();
        return;
      }
      const isPingDue = looksSincePing + 1 >= looksPerPing;
      if (pingSeconds > 0 && isPingDue) this.ping();
      this.#watch(isPingDue ? 0 : looksSincePing + 1);
    });
  }

  #failure(): 'silent' | 'stalled' | undefined {
    const nowMs = this.#clock.elapsedMs();
    const { pingSeconds, pongSeconds, silentSeconds, stallSeconds } = this.#limits;
    // Not what is held: that is written at the end of this turn.
    const isStalled = this.#unsentBytes > 0 && nowMs - this.#sentProgressAtMs > stallSeconds * 1000;
    if (isStalled) return 'stalled';
    // While we do not read, silence is our own doing.
    if (this.#isPaused) return undefined;
    const isJudgedByPings = pingSeconds > 0 && this.#hasAnsweredPing;
    const patienceSeconds = isJudgedByPings ? pingSeconds + pongSeconds : silentSeconds;
    return nowMs - this.#heardAtMs > patienceSeconds * 1000 ? 'silent' : undefined;
  }
}

function asBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.from(data);
}
