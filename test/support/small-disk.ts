import { execFile } from 'node:child_process';
import { mkdtemp, open, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A disk of two megabytes. */
export interface SmallDisk {
  readonly directory: string;
  /** Leaves no byte free. */
  fill(): Promise<void>;
  /** Takes back what `fill` did. */
  free(): Promise<void>;
  setReadOnly(isReadOnly: boolean): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Mounts a disk. Only root may, and not in every container; elsewhere the test is skipped, and the
 * full disk is left to the tests that limit the pages of the file.
 *
 * @returns undefined when the test is skipped.
 */
export async function mountSmallDisk(t: TestContext): Promise<SmallDisk | undefined> {
  const directory = await mkdtemp(path.join(tmpdir(), 'gatewatt-disk-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=2m,mode=0700', 'tmpfs', directory]);
  } catch (error) {
    await rmdir(directory);
    const reason = `no disk can be mounted here, which takes root: ${String(error).trim()}`;
    t.skip(reason);
    return undefined;
  }
  const filler = path.join(directory, 'filler');
  return {
    directory,
    fill: () => fill(filler),
    free: () => rm(filler, { force: true }),
    setReadOnly: async (isReadOnly) => {
      await run('mount', ['-o', `remount,${isReadOnly ? 'ro' : 'rw'}`, directory]);
    },
    [Symbol.asyncDispose]: async () => {
      await run('umount', [directory]);
      await rmdir(directory);
    },
  };
}

async function fill(file: string): Promise<void> {
  await using handle = await open(file, 'a');
  for (const size of [65_536, 4096, 1]) {
    const block = Buffer.alloc(size, 'x');
    try {
      for (;;) await handle.write(block);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
}
