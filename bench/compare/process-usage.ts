import { readdir, readFile } from 'node:fs/promises';

/**
 * CPU time that a process and its children have used since they were started, in milliseconds, over
 * all threads that still run.
 *
 * Linux's own accounting (schedstat, in nanoseconds): finer than the clock ticks of `stat`.
 */
export async function cpuMsOf(pid: number): Promise<number> {
  let nanoseconds = 0;
  for (const member of await familyOf(pid)) {
    for (const thread of await threadsOf(member)) {
      const text = await readFile(`/proc/${member}/task/${thread}/schedstat`, 'utf8').catch(
        () => '0',
      );
      nanoseconds += Number(text.split(' ')[0]);
    }
  }
  return nanoseconds / 1e6;
}

/** Resident memory of a process and its children, in bytes. What they share counts for each. */
export async function residentBytesOf(pid: number): Promise<number> {
  let bytes = 0;
  for (const member of await familyOf(pid)) {
    const status = await readFile(`/proc/${member}/status`, 'utf8');
    bytes += Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  }
  return bytes;
}

async function familyOf(pid: number): Promise<readonly number[]> {
  const family = [pid];
  for (const thread of await threadsOf(pid)) {
    const text = await readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '');
    for (const child of text.split(' ').filter((it) => it.trim() !== '')) {
      family.push(...(await familyOf(Number(child))));
    }
  }
  return family;
}

function threadsOf(pid: number): Promise<readonly string[]> {
  return readdir(`/proc/${pid}/task`);
}
