/** What has something to do at the end of the turn. */
export interface Flushed {
  flush(): void;
}

let waiting: Flushed[] = [];

/**
 * Calls `flush` when the event loop has handed out all that had arrived at this moment; once for each
 * time that it is asked.
 *
 * A busy gateway gets a hundred messages in one turn. Passed on one by one, each goes through the
 * kernel before the next is looked at, and finds neither our code nor the kernel's in the caches of
 * the processor: that took a quarter of all its time (`npm run bench`). An idle gateway has one message
 * in a turn, which leaves some microseconds later.
 */
export function atTurnEnd(item: Flushed): void {
  if (waiting.length === 0) setImmediate(flushAll);
  waiting.push(item);
}

function flushAll(): void {
  const items = waiting;
  waiting = [];
  for (const item of items) item.flush();
}
