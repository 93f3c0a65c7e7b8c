import { type OcppText, readOcpp } from '../peers/ocpp-text.ts';

/** A text that the gateway was given by one side of a session. */
export interface ReceivedText {
  readonly text: string;
  readonly message: OcppText | undefined;
  /** Which one it was of this side, counted from 1. */
  readonly index: number;
}

/** What one side of a session has sent to the gateway, and what the gateway thought of it. */
export class ReceivedTexts {
  /** The gateway judges the texts of a side in their order. */
  readonly #unjudged: ReceivedText[] = [];
  readonly #admitted = new Map<string, ReceivedText[]>();
  readonly #openCalls = new Map<string, ReceivedText>();
  #count = 0;
  #unreadable = 0;

  /** A text has come. */
  add(text: string): void {
    this.#count += 1;
    this.#unjudged.push({ text, message: readOcpp(text), index: this.#count });
  }

  /** How many have come. */
  get count(): number {
    return this.#count;
  }

  /** The gateway has judged the next text. @returns which one that was. */
  judge(verdict: 'admitted' | 'refused' | 'retried'): ReceivedText | undefined {
    const judged = this.#unjudged.shift();
    if (judged === undefined) return undefined;
    const { message, text } = judged;
    const id = message?.kind === 'call' ? message.id : looseId(text);
    // Of two open calls with one id, the later one is refused without an answer.
    if (id !== undefined && !this.#openCalls.has(id)) this.#openCalls.set(id, judged);
    if (verdict === 'refused' && message === undefined) this.#unreadable += 1;
    if (verdict === 'admitted') {
      const same = this.#admitted.get(text);
      if (same === undefined) this.#admitted.set(text, [judged]);
      else same.push(judged);
    }
    return judged;
  }

  /** Takes an admitted text that was not passed on yet; undefined when there is none. */
  takeAdmitted(text: string): ReceivedText | undefined {
    const same = this.#admitted.get(text);
    const first = same?.shift();
    if (same?.length === 0) this.#admitted.delete(text);
    return first;
  }

  /** The call `id` of this side that nobody has answered. */
  openCall(id: string): ReceivedText | undefined {
    return this.#openCalls.get(id);
  }

  /** A text that nobody could read is answered. @returns whether there is one. */
  closeUnreadable(): boolean {
    this.#unreadable -= 1;
    return this.#unreadable >= 0;
  }

  /** The call `id` is answered. @returns what it was; undefined when there is no such call. */
  close(id: string): ReceivedText | undefined {
    const call = this.#openCalls.get(id);
    this.#openCalls.delete(id);
    return call;
  }
}

/** The id of a call that is no whole message: it may be answered all the same. */
function looseId(text: string): string | undefined {
  return /^\s*\[\s*\d+\s*,\s*"([^"]*)"/.exec(text)?.[1];
}
