import { loadActions } from '../../../src/ocpp/load-actions.ts';
import { otherPeer, type Peer } from '../../../src/ocpp/version.ts';
import { badMark, type OcppText, readOcpp } from '../peers/ocpp-text.ts';
import { BrokenInvariant, type InvariantName } from './broken-invariant.ts';
import type { ReceivedText, ReceivedTexts } from './received-texts.ts';

/** A command that the gateway has answered in the name of a charger, or sent to it. */
export interface ObservedCommand {
  readonly identity: string;
  readonly messageId: string;
  readonly action: string;
  readonly payload: unknown;
}

/** What observers want to know of a session beside what it checks itself. */
export interface SessionListener {
  /** Milliseconds of the simulation. */
  nowMs(): number;
  /** The gateway has answered a command of the CSMS in the name of the charger. */
  onAnswered(command: ObservedCommand): void;
  /** The gateway makes a call of its own. @returns whether it may. */
  onOwnCall(command: ObservedCommand): boolean;
  /** The gateway has refused a call of `to`, and says so. */
  onRefusal(identity: string, to: Peer, id: string): void;
  /** A command that changes load is on its way to its charger. */
  onLoadSent(command: ObservedCommand): void;
}

/** A call that the gateway has sent to one side. */
interface SentCall {
  /** Undefined for one of the gateway's own. */
  readonly source: ReceivedText | undefined;
  /** How many texts that side had sent before. */
  readonly receivedBefore: number;
}

/**
 * How long the gateway waits for an answer before it sends the next call, in milliseconds: 30 s, less
 * what fractions are rounded by.
 */
const inFlightMs = 29_999.9;

const loadActionNames: ReadonlySet<string> = new Set(
  Object.values(loadActions).flatMap((actions) => Object.keys(actions)),
);

/** OCPP 2.x answers what nobody could read under this id (part 4 section 4.2.3). */
const unreadId = '-1';

/** Both sides of a session, and every text that leaves the gateway in it. */
export class ObservedSession {
  readonly #identity: string;
  readonly #received: Readonly<Record<Peer, ReceivedTexts>>;
  readonly #listener: SessionListener;
  readonly #sentCalls: Readonly<Record<Peer, Map<string, SentCall>>> = {
    charger: new Map(),
    csms: new Map(),
  };
  /** The call that each side has not answered yet, and since when. */
  readonly #unanswered: Record<Peer, { readonly id: string; readonly atMs: number } | undefined> = {
    charger: undefined,
    csms: undefined,
  };
  /** Commands that wait, or have waited, by their action. */
  readonly #held = new Map<string, number>();
  readonly #lastCall: Record<Peer, number> = { charger: 0, csms: 0 };
  readonly #lastReply: Record<Peer, number> = { charger: 0, csms: 0 };
  /** Texts that are right only if the gateway says by the end of the step that it rewrote them. */
  readonly #unexplained: string[] = [];
  #rewritings = 0;

  constructor(
    identity: string,
    received: Readonly<Record<Peer, ReceivedTexts>>,
    listener: SessionListener,
  ) {
    this.#identity = identity;
    this.#received = received;
    this.#listener = listener;
  }

  /** The gateway has judged the next text of `from`. */
  judge(from: Peer, verdict: 'admitted' | 'refused' | 'retried'): void {
    const judged = this.#received[from].judge(verdict);
    this.#demand(judged !== undefined, 'only-admitted-passes', 'judged what nobody has sent');
    // Replies to calls of the gateway itself stay there.
    const { message, text } = judged ?? {};
    if (message !== undefined && message.kind !== 'call') this.#answered(from, message.id);
    if (verdict !== 'admitted' || message === undefined || message.kind === 'call') return;
    const call = this.#sentCalls[from].get(message.id);
    if (call === undefined || call.source !== undefined) return;
    this.#sentCalls[from].delete(message.id);
    this.#received[from].takeAdmitted(text ?? '');
  }

  /** The gateway says that a command waits for its feeder. */
  hold(action: string): void {
    this.#held.set(action, (this.#held.get(action) ?? 0) + 1);
  }

  /** The gateway says that it has rewritten a message. */
  explainRewriting(): void {
    this.#rewritings += 1;
  }

  /** Everything that a step has sent is explained by its end. */
  atRest(): void {
    const { length } = this.#unexplained;
    const text = this.#unexplained.at(-1) ?? '';
    this.#demand(length <= this.#rewritings, 'only-admitted-passes', `nobody has sent ${text}`);
  }

  /** A text leaves the gateway. */
  send(to: Peer, text: string): void {
    this.#demand(!text.includes(badMark), 'only-admitted-passes', `a bad text passed: ${text}`);
    const from = otherPeer(to);
    const message = readOcpp(text);
    if (message === undefined) {
      this.#demand(false, 'only-admitted-passes', `no message: ${text}`);
      return;
    }
    const source = this.#received[from].takeAdmitted(text);
    if (source !== undefined) this.#passed(to, message, source);
    else this.#own(to, message, text);
  }

  #passed(to: Peer, message: OcppText, source: ReceivedText): void {
    if (message.kind === 'call') this.#passedCall(to, message, source);
    else this.#passedReply(to, message, source);
  }

  #passedCall(to: Peer, call: OcppText & { readonly kind: 'call' }, source: ReceivedText): void {
    const from = otherPeer(to);
    const isLoad = from === 'csms' && loadActionNames.has(call.action);
    const isInOrder = source.index > this.#lastCall[from];
    if (isInOrder) this.#lastCall[from] = source.index;
    // What changes load may wait for its feeder, while others go on.
    const isExcused = isInOrder || (isLoad && this.#takeHeld(call.action));
    this.#demand(isExcused, 'order-is-kept', `a call of the ${from} came late: ${source.text}`);
    this.#begin(to, call.id);
    const receivedBefore = this.#received[to].count;
    this.#sentCalls[to].set(call.id, { source, receivedBefore });
    if (isLoad) this.#listener.onLoadSent(this.#commandOf(call));
  }

  #takeHeld(action: string): boolean {
    const count = this.#held.get(action) ?? 0;
    this.#held.set(action, count - 1);
    return count > 0;
  }

  #begin(to: Peer, id: string): void {
    const nowMs = this.#listener.nowMs();
    const before = this.#unanswered[to];
    const isFree = before === undefined || nowMs - before.atMs >= inFlightMs;
    this.#demand(isFree, 'one-open-call', `${id} is sent to the ${to} while ${before?.id} is open`);
    this.#unanswered[to] = { id, atMs: nowMs };
  }

  #answered(by: Peer, id: string): void {
    if (this.#unanswered[by]?.id === id) this.#unanswered[by] = undefined;
  }

  #passedReply(
    to: Peer,
    reply: OcppText & { readonly kind: 'result' | 'error' },
    source: ReceivedText,
  ): void {
    const from = otherPeer(to);
    const isInOrder = source.index > this.#lastReply[from];
    this.#demand(isInOrder, 'order-is-kept', `a reply of the ${from} came late: ${source.text}`);
    this.#lastReply[from] = source.index;
    const asked = this.#sentCalls[from].get(reply.id);
    this.#sentCalls[from].delete(reply.id);
    const answered = this.#received[to].close(reply.id);
    const fits =
      asked !== undefined &&
      answered !== undefined &&
      asked.source?.text === answered.text &&
      source.index > asked.receivedBefore;
    this.#demand(fits, 'replies-fit', `no open call of the ${to} for ${source.text}`);
  }

  /** Nobody has sent this: it is the gateway's own, or must not be. */
  #own(to: Peer, message: OcppText, text: string): void {
    switch (message.kind) {
      case 'call': {
        const command = this.#commandOf(message);
        const isItsOwn = to === 'charger' && this.#listener.onOwnCall(command);
        this.#demand(isItsOwn, 'only-admitted-passes', `a call that nobody has made: ${text}`);
        this.#begin(to, message.id);
        this.#sentCalls.charger.set(message.id, {
          source: undefined,
          receivedBefore: this.#received.charger.count,
        });
        this.#listener.onLoadSent(command);
        return;
      }
      case 'error': {
        const { id } = message;
        const received = this.#received[to];
        const isOpen = id === unreadId ? received.closeUnreadable() : received.close(id);
        this.#demand(Boolean(isOpen), 'replies-fit', `no open call for ${text}`);
        this.#listener.onRefusal(this.#identity, to, id);
        return;
      }
      case 'result': {
        const call = this.#received[to].close(message.id);
        this.#demand(call !== undefined, 'replies-fit', `no open call for ${text}`);
        const { message: asked } = call ?? {};
        if (to === 'csms' && asked?.kind === 'call' && loadActionNames.has(asked.action)) {
          this.#listener.onAnswered(this.#commandOf(asked));
        } else this.#unexplained.push(text);
      }
    }
  }

  #commandOf({ action, id, payload }: OcppText & { readonly kind: 'call' }): ObservedCommand {
    return { identity: this.#identity, messageId: id, action, payload };
  }

  #demand(holds: boolean, invariant: InvariantName, detail: string): void {
    if (!holds) throw new BrokenInvariant(invariant, this.#identity, detail);
  }
}
