import { setTimeout as delay } from 'node:timers/promises';

/** Long enough for a slow machine, in milliseconds. */
const untilMsMax = 20_000;
const lookMs = 20;

/** Waits until something is true that nobody tells of. @throws Error when it does not become true. */
export async function until(
  isTrue: () => boolean | Promise<boolean>,
  describe: () => string,
): Promise<void> {
  const endMs = performance.now() + untilMsMax;
  while (!(await isTrue())) {
    if (performance.now() > endMs) throw new Error(`waited in vain: ${describe()}`);
    await delay(lookMs);
  }
}
