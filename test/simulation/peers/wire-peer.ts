import type { End } from '../network/end.ts';
import { frameOf, opcodes, WireReader, wireEncoding } from '../network/websocket-wire.ts';

/** What a charger or a CSMS hears of its connection. */
export interface WirePeerEvents {
  /** The connection stands; nothing was said yet. */
  onOpen(): void;
  /** The HTTP request, or its answer. */
  onHead(head: string): void;
  /** One text message, in latin1. */
  onText(text: string): void;
  /** Once, at the end, unless this side has ended it. */
  onClosed(why: string): void;
}

/** The WebSocket of a simulated charger or CSMS: no more of the protocol than it takes. */
export class WirePeer {
  readonly #end: End;
  readonly #isClient: boolean;
  readonly #events: WirePeerEvents;
  #isOver = false;

  constructor(end: End, isClient: boolean, events: WirePeerEvents) {
    this.#end = end;
    this.#isClient = isClient;
    this.#events = events;
    const reader = new WireReader(
      (head) => {
        if (!this.#isOver) events.onHead(head);
      },
      ({ opcode, payload }) => this.#onFrame(opcode, payload),
    );
    end.attach({
      onOpen: () => events.onOpen(),
      onData: (bytes) => {
        reader.push(bytes);
        return true;
      },
      onEnd: () => this.#onOver('ended'),
      onFailed: (code) => this.#onOver(code),
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  sendHead(lines: readonly string[]): void {
    this.#end.write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, wireEncoding));
  }

  sendText(text: string): void {
    this.send(opcodes.text, Buffer.from(text, wireEncoding));
  }

  send(opcode: number, payload: Buffer): void {
    if (!this.#isOver) this.#end.write(frameOf(opcode, payload, this.#isClient));
  }

  /** Says goodbye, and leaves. */
  close(): void {
    if (this.#isOver) return;
    this.send(opcodes.close, Buffer.from([0x03, 0xe8]));
    this.#isOver = true;
    this.#end.close();
  }

  /** Ends the connection as a process does that dies. */
  reset(): void {
    this.#isOver = true;
    this.#end.reset();
  }

  /** Has no power any more: the other side hears nothing. */
  vanish(): void {
    this.#isOver = true;
    this.#end.forget();
  }

  #onFrame(opcode: number, payload: Buffer): void {
    if (this.#isOver) return;
    if (opcode === opcodes.text) this.#events.onText(payload.toString(wireEncoding));
    else if (opcode === opcodes.ping) this.send(opcodes.pong, payload);
    else if (opcode === opcodes.close) {
      this.send(opcodes.close, payload.subarray(0, 2));
      this.#onOver(`closed ${payload.length < 2 ? 1005 : payload.readUInt16BE(0)}`);
    }
  }

  #onOver(why: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#end.close();
    this.#events.onClosed(why);
  }
}
