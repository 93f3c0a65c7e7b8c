import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { manualClock } from '../../../test/support/manual-clock.ts';
import { systemClock } from '../../lib/clock.ts';
import { withNamespaceLock } from './namespace-lock.ts';
import { ToolError } from './run-tool.ts';

// Goal: two processes never work on the same namespaces at the same time, and none waits for ever.
// Method: two tasks that say when they begin and end. The lock is the system's: within one process it
//   is the same as between two.

describe('the lock of the namespaces', () => {
  let parent: string;
  // It is made when it is needed, and its path may be long.
  const newFolder = (): string => path.join(parent, 'x'.repeat(200), randomUUID());

  before(async () => {
    parent = await mkdtemp(path.join(tmpdir(), 'gatewatt-lock-'));
  });

  after(() => rm(parent, { recursive: true, force: true }));

  test('is for nobody else to read, who could hold it then', async () => {
    const folder = newFolder();
    await withNamespaceLock(folder, systemClock(), async () => undefined);
    assert.equal((await stat(path.join(folder, 'lock'))).mode & 0o777, 0o600);
  });

  test('of one folder, one task runs after the other; of two, both run', async () => {
    const [folder, other] = [newFolder(), newFolder()];
    const clock = systemClock();
    const said: string[] = [];
    const { promise: end, resolve: endFirst } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const first = withNamespaceLock(folder, clock, async () => {
      begin();
      await end;
      said.push('first');
    });
    await begun;
    const second = withNamespaceLock(folder, clock, async () => void said.push('second'));
    await withNamespaceLock(other, clock, async () => void said.push('other'));
    endFirst();
    await Promise.all([first, second]);
    assert.deepEqual(said, ['other', 'first', 'second']);
  });

  test('a task that fails lets go of it', async () => {
    const folder = newFolder();
    const clock = systemClock();
    const failing = withNamespaceLock(folder, clock, () => Promise.reject(new Error('no')));
    await assert.rejects(failing, { message: 'no' });
    assert.equal(await withNamespaceLock(folder, clock, async () => 'in'), 'in');
  });

  test('who waits for more than a minute gives up', async () => {
    const folder = newFolder();
    const { promise: end, resolve: endFirst } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const first = withNamespaceLock(folder, systemClock(), () => {
      begin();
      return end;
    });
    await begun;
    const clock = manualClock();
    let isOver = false;
    const second = withNamespaceLock(folder, clock, async () => undefined).finally(() => {
      isOver = true;
    });
    const refused = assert.rejects(second, ToolError);
    try {
      // Each try takes as long as the system does; its clock stands still meanwhile.
      while (!isOver) {
        clock.advance(1_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await refused;
      assert(clock.elapsedMs() > 60_000);
    } finally {
      endFirst();
      await first;
    }
  });
});
