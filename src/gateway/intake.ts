import { otherPeer, type Peer } from '../ocpp/version.ts';
import { Inbox } from './inbox.ts';
import type { ReceivedMessage } from './received-message.ts';
import type { SessionSockets } from './session-tools.ts';

/** What receiving needs of the session. */
export interface IntakeTools {
  readonly sockets: SessionSockets;
  readonly isEnded: () => boolean;
  /** Runs `action` where what fails in it ends the session. */
  guard(action: () => void): void;
  /** Sees to one message. It may `hold`. */
  take(message: ReceivedMessage): void;
  /** Something may have become possible. */
  goOn(): void;
}

/** The messages of both sides, in their order: one that waits for the store holds up those behind. */
export class Intake {
  readonly #tools: IntakeTools;
  readonly #inboxes: Readonly<Record<Peer, Inbox>> = { charger: new Inbox(), csms: new Inbox() };
  /** What has to be done because the charger has gone while its messages waited. */
  #lastWords: (() => void) | undefined;

  constructor(tools: IntakeTools) {
    this.#tools = tools;
  }

  /** Does a message of this side wait for the store? */
  isHeld(from: Peer): boolean {
    return this.#inboxes[from].isHeld;
  }

  /** A message has come. */
  receive(message: ReceivedMessage): void {
    if (this.#tools.isEnded()) return;
    const { bytes, from, receivedAtMs } = message;
    if (this.isHeld(from)) {
      this.#inboxes[from].add({ bytes, receivedAtMs });
      return;
    }
    this.#tools.take(message);
    this.#tools.goOn();
  }

  /** What the charger has said before it left is still passed on; then `action`. */
  afterLastWords(action: () => void): void {
    this.#lastWords = action;
  }

  /**
   * Waits for the store. The messages of this side wait meanwhile, in their order; those of the
   * other do not.
   */
  async hold<Value>(from: Peer, work: Promise<Value>, then: (value: Value) => void): Promise<void> {
    const { guard, isEnded, sockets, take } = this.#tools;
    const inbox = this.#inboxes[from];
    inbox.hold();
    sockets[from].pause();
    let goOn: () => void;
    try {
      const value = await work;
      goOn = () => then(value);
    } catch (defect) {
      goOn = () => {
        throw defect;
      };
    }
    inbox.release();
    guard(() => {
      if (isEnded()) return;
      goOn();
      for (let next = inbox.next(); next !== undefined; next = inbox.next()) {
        if (isEnded()) return;
        take({ from, ...next });
      }
      if (!sockets[otherPeer(from)].isCongested) this.readAgain(from);
      this.#tools.goOn();
      if (!inbox.isHeld && from === 'charger') this.#lastWords?.();
    });
  }

  /** Reads this side on, unless a message of it waits. */
  readAgain(from: Peer): void {
    if (!this.isHeld(from)) this.#tools.sockets[from].resume();
  }
}
