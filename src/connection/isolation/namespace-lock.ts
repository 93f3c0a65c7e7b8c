import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Clock, sleep } from '../../lib/clock.ts';
import { ToolError } from './run-tool.ts';

/** How long to wait for another process, in milliseconds. */
const waitMsMax = 60_000;
const retryMs = 50;

/**
 * Lets no other process that keeps namespaces of `directory` run at the same time as `task`.
 *
 * The lock is one of SQLite on a file in there: it goes with its process, however that ends, and who
 * may not write to the folder cannot hold it.
 *
 * @throws ToolError when another process does not let go of it.
 */
export async function withNamespaceLock<Value>(
  directory: string,
  clock: Clock,
  task: () => Promise<Value>,
): Promise<Value> {
  const file = await lockFile(directory);
  const untilMs = clock.elapsedMs() + waitMsMax;
  let lock = tryLock(file);
  while (lock === undefined) {
    if (clock.elapsedMs() > untilMs) {
      throw new ToolError('another process is at work on the namespaces, and does not end');
    }
    await sleep(clock, retryMs);
    lock = tryLock(file);
  }
  try {
    return await task();
  } finally {
    lock.close();
  }
}

/** Who may read a file can hold a lock on it. */
async function lockFile(directory: string): Promise<string> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const file = path.join(directory, 'lock');
  try {
    await writeFile(file, '', { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return file;
}

function tryLock(file: string): DatabaseSync | undefined {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec('begin exclusive');
    return database;
  } catch (error) {
    database.close();
    // SQLITE_BUSY
    if ((error as { readonly errcode?: number }).errcode === 5) return undefined;
    throw error;
  }
}
