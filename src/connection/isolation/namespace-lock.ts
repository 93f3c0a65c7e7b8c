import { createServer, type Server } from 'node:net';
import { type Clock, sleep } from '../../lib/clock.ts';
import { ToolError } from './run-tool.ts';

/** How long to wait for another process, in milliseconds. */
const waitMsMax = 60_000;
const retryMs = 50;

/**
 * Lets no other process that keeps namespaces of `directory` run at the same time as `task`.
 *
 * The lock is a socket without a file: it goes with its process, however that ends.
 *
 * @throws ToolError when another process does not let go of it.
 */
export async function withNamespaceLock<Value>(
  directory: string,
  clock: Clock,
  task: () => Promise<Value>,
): Promise<Value> {
  const untilMs = clock.elapsedMs() + waitMsMax;
  let lock = await tryLock(directory);
  while (lock === undefined) {
    if (clock.elapsedMs() > untilMs) {
      throw new ToolError('another process is at work on the namespaces, and does not end');
    }
    await sleep(clock, retryMs);
    lock = await tryLock(directory);
  }
  try {
    return await task();
  } finally {
    lock.close();
  }
}

function tryLock(directory: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((visitor) => visitor.destroy());
    server.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    // Linux: a name that begins with a zero byte is none in the file system.
    server.listen(`\0gatewatt-namespaces:${directory}`, () => resolve(server));
  });
}
