import type { Peer } from '../../ocpp/version.ts';
import type { ReplyLearner } from './learner.ts';

/** A call whose reply will teach something. */
export interface ExpectedReply {
  /** Who called. */
  readonly from: Peer;
  readonly id: string;
  readonly action: string;
  readonly learn: ReplyLearner;
}

/** Normally a side has one. More are left behind only by calls that nobody said were over. */
const expectedPerSideMax = 64;

/** The calls whose replies will teach something. A list: there is hardly ever more than one. */
export class ExpectedReplies {
  #expected: readonly ExpectedReply[] = [];

  /** Expects a reply. */
  add(reply: ExpectedReply): void {
    const sameSide = this.#expected.filter(({ from }) => from === reply.from);
    const oldest = sameSide.length >= expectedPerSideMax ? sameSide[0] : undefined;
    this.#expected = [...this.#expected.filter((other) => other !== oldest), reply];
  }

  /** What was expected of the call `id` of `from`; it is not expected twice. */
  take(from: Peer, id: string): ExpectedReply | undefined {
    const found = this.#expected.find((reply) => reply.from === from && reply.id === id);
    if (found !== undefined) this.#expected = this.#expected.filter((reply) => reply !== found);
    return found;
  }

  /** No reply will come to the call `id` of `from`. */
  forget(from: Peer, id: string): void {
    this.take(from, id);
  }
}
