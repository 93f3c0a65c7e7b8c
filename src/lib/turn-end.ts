/** What has something to look at, or to send, at the end of the turn. */
export interface TurnEnd {
  /** Hands out what has arrived. May ask for `send` to be called, here and at others. */
  handOut(): void;
  /** Sends what is to be sent. */
  send(): void;
}

let arrived: Pick<TurnEnd, 'handOut'>[] = [];
let toSend: Pick<TurnEnd, 'send'>[] = [];
let isScheduled = false;

/**
 * Calls `handOut` when the event loop has read all that has arrived by now, and then `send` of all that
 * have something to send.
 *
 * A busy gateway gets a hundred messages in one turn. Read, looked at and passed on one by one, each of
 * them finds neither our code nor the kernel's in the caches of the processor: that took a quarter of
 * all its time (`npm run bench`). An idle gateway has one message in a turn, which leaves some
 * microseconds later.
 */
export function handOutAtTurnEnd(item: Pick<TurnEnd, 'handOut'>): void {
  arrived.push(item);
  schedule();
}

/** Calls `send` at the end of this turn, after all has been handed out. */
export function sendAtTurnEnd(item: Pick<TurnEnd, 'send'>): void {
  toSend.push(item);
  schedule();
}

function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(endTurn);
}

function endTurn(): void {
  const handing = arrived;
  arrived = [];
  for (const item of handing) item.handOut();
  const sending = toSend;
  toSend = [];
  isScheduled = false;
  for (const item of sending) item.send();
}
