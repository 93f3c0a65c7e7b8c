import type { Peer } from '../../../src/ocpp/version.ts';
import { opcodes, type WireFrame, WireReader, wireEncoding } from '../network/websocket-wire.ts';
import { BrokenInvariant } from './broken-invariant.ts';
import type { ObservedSession } from './observed-session.ts';
import { ReceivedTexts } from './received-texts.ts';

/** What is told of a connection of the gateway. */
export interface LegListener {
  /** It is a WebSocket now, of the charger with this identity. */
  onUpgraded(leg: ObservedLeg): void;
}

/** One connection of the gateway, as it passes bytes in and out. */
export class ObservedLeg {
  readonly side: Peer;
  readonly received = new ReceivedTexts();
  readonly #listener: LegListener;
  readonly #incoming: WireReader;
  readonly #outgoing: WireReader;
  identity = '';
  session: ObservedSession | undefined;

  constructor(side: Peer, listener: LegListener) {
    this.side = side;
    this.#listener = listener;
    const onHead = (head: string): void => this.#onHead(head);
    this.#incoming = new WireReader(onHead, (frame) => this.#onReceived(frame));
    this.#outgoing = new WireReader(onHead, (frame) => this.#onSent(frame));
  }

  /** Bytes that the gateway is given. */
  receive(bytes: Buffer): void {
    this.#incoming.push(bytes);
  }

  /** Bytes that the gateway sends. */
  send(bytes: Buffer): void {
    this.#outgoing.push(bytes);
  }

  #onHead(head: string): void {
    const path = /^GET \/ocpp\/(\S+) /.exec(head)?.[1];
    if (path !== undefined) this.identity = decodeURIComponent(path);
    if (/^HTTP\/1.1 101 /.test(head)) this.#listener.onUpgraded(this);
  }

  #onReceived({ opcode, payload }: WireFrame): void {
    if (opcode === opcodes.text) this.received.add(payload.toString(wireEncoding));
  }

  #onSent({ opcode, payload }: WireFrame): void {
    if (opcode !== opcodes.text) return;
    const text = payload.toString(wireEncoding);
    if (this.session !== undefined) this.session.send(this.side, text);
    else
      throw new BrokenInvariant('only-admitted-passes', this.identity, `no session yet: ${text}`);
  }
}
