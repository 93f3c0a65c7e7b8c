import type { SimulatedTime } from '../simulated-time.ts';
import type { Link } from './link.ts';

/** A machine in the network. */
export interface Host {
  readonly name: string;
  /** Without power: it answers nothing, and knows nothing of its connections afterwards. */
  isDown: boolean;
  /** Takes connections; undefined while nobody listens. */
  onConnection: ((end: End) => void) | undefined;
}

/** What an application hears of its connection. */
export interface EndEvents {
  onOpen(): void;
  /** @returns false when it wants no more before it calls `read`. */
  onData(bytes: Buffer): boolean;
  /** The other side sends no more. */
  onEnd(): void;
  /** It is gone, with an error code of the system. Nothing comes after it. */
  onFailed(code: string): void;
}

/** Where an end is. */
export interface EndPlace {
  readonly host: Host;
  readonly address: string;
  readonly port: number;
}

interface Packet {
  readonly sequence: number;
  readonly bytes: Buffer;
  readonly isFin: boolean;
}

interface Write {
  /** Undefined for the end of what is sent. */
  readonly bytes: Buffer | undefined;
  readonly onTaken: () => void;
}

/** Bytes of one packet. */
const packetBytesMax = 1400;
/** Bytes that may be under way, or unread on the other side. */
const windowBytes = 64 * 1024;
/** The first wait for a packet to be acknowledged, in milliseconds; it doubles each time. */
const retransmitMs = 200;
/** After so many the connection is given up: 25 s. */
const retransmissionsMax = 7;

const deaf: EndEvents = {
  onOpen: () => {},
  onData: () => true,
  onEnd: () => {},
  onFailed: () => {},
};

/**
 * One end of a connection: what TCP does, as far as an application can tell. Bytes arrive in order
 * and once, or late, or not at all, and then the connection fails sooner or later.
 */
export class End {
  readonly here: EndPlace;
  readonly there: EndPlace;
  readonly #time: SimulatedTime;
  readonly #link: Link;
  #peer: End | undefined;
  #events: EndEvents = deaf;
  #isOpen = false;
  /** The application has left it. */
  #isClosed = false;
  /** Nobody here knows of it any more. */
  #isForgotten = false;

  readonly #writes: Write[] = [];
  #nextSequence = 0;
  #underWay = 0;
  #hasSentFin = false;

  readonly #early = new Map<number, Packet>();
  #expected = 0;
  readonly #unread: Buffer[] = [];
  #isReading = true;
  #hasFin = false;
  #hasToldEnd = false;

  constructor(time: SimulatedTime, link: Link, here: EndPlace, there: EndPlace) {
    this.#time = time;
    this.#link = link;
    this.here = here;
    this.there = there;
  }

  /** Joins two ends. */
  static join(one: End, other: End): void {
    one.#peer = other;
    other.#peer = one;
  }

  /** Says who hears of it. */
  attach(events: EndEvents): void {
    if (!this.#isForgotten) this.#events = events;
  }

  get isForgotten(): boolean {
    return this.#isForgotten;
  }

  /** The connection stands. */
  open(): void {
    if (this.#isOpen || this.#isForgotten) return;
    this.#isOpen = true;
    this.#events.onOpen();
    this.#pump();
  }

  /** Sends bytes. @param onTaken called when there is room for more. */
  write(bytes: Buffer, onTaken: () => void = () => {}): void {
    if (this.#isClosed || this.#hasSentFin) return;
    this.#writes.push({ bytes, onTaken });
    this.#pump();
  }

  /** Sends no more after what was written. */
  end(): void {
    if (this.#isClosed || this.#hasSentFin) return;
    this.#writes.push({ bytes: undefined, onTaken: () => {} });
    this.#pump();
  }

  /** Reads on. */
  read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#deliver();
  }

  /** Leaves the connection. What was taken is still sent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#events = deaf;
    this.#writes.length = 0;
    // Who leaves something unread has not heard the other side out, and says so.
    if (this.#unread.length > 0 || !this.#isOpen) this.reset();
    else if (!this.#hasSentFin) this.#sendFin();
  }

  /** Ends it at once, and tells the other side if the network lets it. */
  reset(): void {
    if (this.#isForgotten) return;
    this.forget();
    const peer = this.#other;
    if (this.#link.loses()) return;
    this.#time.after(this.#link.delayMs(), () => peer.#onReset());
  }

  /** Nobody here knows of it from now on, and nobody is told. */
  forget(): void {
    this.#isForgotten = true;
    this.#isClosed = true;
    this.#events = deaf;
    this.#writes.length = 0;
    this.#unread.length = 0;
    this.#early.clear();
  }

  /** It could not be made, or nothing comes through any more. */
  fail(code: string): void {
    const events = this.#events;
    this.forget();
    events.onFailed(code);
  }

  get #other(): End {
    if (this.#peer === undefined) throw new Error('an end has another end');
    return this.#peer;
  }

  #onReset(): void {
    if (!this.#isForgotten && !this.here.host.isDown) this.fail('ECONNRESET');
  }

  #pump(): void {
    while (this.#isOpen && this.#underWay < windowBytes) {
      const write = this.#writes.shift();
      if (write === undefined) return;
      const { bytes, onTaken } = write;
      if (bytes === undefined) {
        this.#sendFin();
        return;
      }
      for (let at = 0; at < bytes.length; ) {
        const length = this.#link.cutAt(Math.min(packetBytesMax, bytes.length - at));
        this.#send(bytes.subarray(at, at + length), false);
        at += length;
      }
      this.#underWay += bytes.length;
      onTaken();
    }
  }

  #sendFin(): void {
    this.#hasSentFin = true;
    this.#send(Buffer.alloc(0), true);
  }

  #send(bytes: Buffer, isFin: boolean): void {
    const packet = { sequence: this.#nextSequence, bytes, isFin };
    this.#nextSequence += 1;
    this.#transmit(packet, 0);
  }

  #transmit(packet: Packet, attempt: number): void {
    if (this.#isForgotten) return;
    if (this.#link.loses()) {
      this.#transmitLater(packet, attempt);
      return;
    }
    const arrive = (): void => this.#other.#arrive(packet, attempt);
    this.#time.after(this.#link.delayMs(), arrive);
    if (this.#link.doubles()) this.#time.after(this.#link.delayMs() + retransmitMs, arrive);
  }

  #transmitLater(packet: Packet, attempt: number): void {
    if (this.#isForgotten) return;
    this.#time.after(retransmitMs * 2 ** attempt, () => {
      if (this.#isForgotten) return;
      if (attempt >= retransmissionsMax) this.fail('ETIMEDOUT');
      else this.#transmit(packet, attempt + 1);
    });
  }

  #arrive(packet: Packet, attempt: number): void {
    const sender = this.#other;
    if (this.here.host.isDown) {
      sender.#transmitLater(packet, attempt);
      return;
    }
    if (this.#isForgotten) {
      if (this.#link.loses()) sender.#transmitLater(packet, attempt);
      else this.#time.after(this.#link.delayMs(), () => sender.#onReset());
      return;
    }
    if (packet.sequence < this.#expected) return;
    this.open();
    this.#early.set(packet.sequence, packet);
    for (
      let next = this.#early.get(this.#expected);
      next !== undefined;
      next = this.#early.get(this.#expected)
    ) {
      this.#early.delete(this.#expected);
      this.#expected += 1;
      if (next.isFin) this.#hasFin = true;
      else if (this.#isClosed) {
        this.reset();
        return;
      } else this.#unread.push(next.bytes);
    }
    this.#deliver();
  }

  /** What has come together is read together. */
  #deliver(): void {
    while (this.#isReading && this.#unread.length > 0) {
      const bytes = Buffer.concat(this.#unread.splice(0));
      this.#other.#wasRead(bytes.length);
      if (!this.#events.onData(bytes)) this.#isReading = false;
    }
    if (!this.#hasFin || this.#unread.length > 0 || this.#hasToldEnd || this.#isClosed) return;
    this.#hasToldEnd = true;
    this.#events.onEnd();
  }

  #wasRead(length: number): void {
    this.#underWay -= length;
    if (this.#writes.length > 0) this.#time.after(this.#link.delayMs(), () => this.#pump());
  }
}
