import type { ChargerId } from '../../chargers/charger-id.ts';
import type { PeerSocket, SocketEnd } from '../../connection/peer-socket.ts';
import type { CloseErrorCode } from '../../errors/catalogue.ts';
import { toClose } from '../../errors/to-close.ts';
import type { EventSink } from '../../events/emit.ts';
import { endCodes } from '../../gateway/end-codes.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { messageTypeIds } from '../../ocpp/message.ts';
import { otherPeer, type Peer } from '../../ocpp/version.ts';
import { type MessageOutline, readOutline } from '../../signing/message-outline.ts';
import { signMessage } from '../../signing/sign.ts';
import type { SigningKey } from '../../signing/signing-key.ts';
import type { SignatureFormat } from '../../signing/verify.ts';
import { NotedCalls } from './noted-calls.ts';

/** What every relay needs. */
export interface RelayTools {
  readonly format: SignatureFormat;
  readonly key: SigningKey;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: EventSink;
}

/** The two connections of a charger: to the gateway, which speaks for it, and to the CSMS. */
export type RelaySockets = Readonly<Record<Peer, PeerSocket>>;

const peers = ['charger', 'csms'] as const satisfies readonly Peer[];

/**
 * One charger's connections: what comes from the charger's side goes to the CSMS byte for byte, and
 * what comes from the CSMS goes back signed. What cannot be signed goes nowhere.
 */
export class SignedRelay {
  readonly #charger: ChargerId;
  readonly #sockets: RelaySockets;
  readonly #tools: RelayTools;
  readonly #onEnd: () => void;
  readonly #calls: Readonly<Record<Peer, NotedCalls>> = {
    charger: new NotedCalls(),
    csms: new NotedCalls(),
  };
  #signed = 0;
  #isDraining = false;
  #isEnded = false;

  /** `onEnd` is called once, when both sockets are closed or closing. */
  constructor(charger: ChargerId, sockets: RelaySockets, tools: RelayTools, onEnd: () => void) {
    this.#charger = charger;
    this.#sockets = sockets;
    this.#tools = tools;
    this.#onEnd = onEnd;
  }

  /** Lets the messages flow. */
  start(): void {
    for (const from of peers) {
      this.#sockets[from].start({
        onMessage: (bytes) => this.#guard(() => this.#onMessage(from, bytes)),
        onEnd: (end) => this.#onSocketEnd(from, end),
        onDrained: () => this.#sockets[otherPeer(from)].resume(),
      });
    }
  }

  /** Ends it as soon as no call is open in either direction. */
  drain(): void {
    this.#isDraining = true;
    this.#stopIfIdle();
  }

  /** Ends it now. */
  stop(): void {
    const code = 'GATEWAY_STOPPING';
    this.#end(code, 'gateway', { charger: code, csms: code });
  }

  /** The one catch of a relay: what we broke ends it, and no other. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      const code = 'SESSION_FAILED';
      this.#tools.emit({ name: 'SessionFailed', charger: this.#charger, error });
      this.#end(code, 'gateway', { charger: code, csms: code });
    }
  }

  #onMessage(from: Peer, bytes: Buffer): void {
    if (this.#isEnded) return;
    if (from === 'csms') this.#sign(bytes);
    else {
      this.#note(from, readOutline(bytes));
      this.#forward(otherPeer(from), bytes);
    }
    this.#stopIfIdle();
  }

  #sign(bytes: Buffer): void {
    const { clock, emit, format, key, random } = this.#tools;
    const frame = signMessage(bytes, format, key, {
      charger: this.#charger,
      nowMs: clock.nowMs(),
      nonce: random.uuid(),
      actionOfReply: (id, typeId) =>
        typeId === messageTypeIds['call-result-error']
          ? this.#calls.csms.actionOf(id)
          : this.#calls.charger.actionOfOpen(id),
    });
    if (!frame.ok) {
      emit({ name: 'FrameNotSigned', charger: this.#charger, reason: frame.error });
      return;
    }
    this.#signed += 1;
    this.#note('csms', frame.value.outline);
    this.#forward('charger', frame.value.bytes);
  }

  #note(from: Peer, outline: MessageOutline | undefined): void {
    if (outline === undefined) return;
    const { id, typeId, values } = outline;
    switch (typeId) {
      case messageTypeIds.call:
        if (typeof values[2] === 'string') this.#calls[from].made(id, values[2]);
        return;
      case messageTypeIds['call-result']:
      case messageTypeIds['call-error']:
        this.#calls[otherPeer(from)].answered(id);
        return;
    }
  }

  #forward(to: Peer, bytes: Uint8Array): void {
    const socket = this.#sockets[to];
    socket.send(bytes);
    if (socket.isCongested) this.#sockets[otherPeer(to)].pause();
    if (socket.isOverwhelmed) this.#onSocketEnd(to, { why: 'stalled', closeCode: 1006 });
  }

  #stopIfIdle(): void {
    if (this.#isDraining && peers.every((peer) => !this.#calls[peer].hasOpen)) this.stop();
  }

  #onSocketEnd(peer: Peer, end: SocketEnd): void {
    const { code, toOther } = endCodes[peer][end.why];
    this.#end(code, peer, { charger: toOther, csms: toOther }, end.closeCode);
  }

  #end(
    code: CloseErrorCode,
    endedBy: Peer | 'gateway',
    toPeers: Readonly<Record<Peer, CloseErrorCode>>,
    peerCloseCode?: number,
  ): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    for (const peer of peers) this.#sockets[peer].close(toClose(toPeers[peer]));
    const charger = this.#charger;
    const signed = this.#signed;
    this.#tools.emit({
      name: 'SignerSessionClosed',
      charger,
      code,
      endedBy,
      signed,
      peerCloseCode,
    });
    this.#onEnd();
  }
}
