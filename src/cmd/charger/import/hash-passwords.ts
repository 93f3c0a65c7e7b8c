import { availableParallelism } from 'node:os';
import { hashPassword } from '../../../identity/password-hash.ts';
import { progress } from '../progress.ts';

/**
 * The hashes of `passwords`, in their order. Each takes some twenty milliseconds of a processor and
 * 19 MiB; as many are computed at once as there are processors, in the threads of libuv.
 */
export async function hashPasswords(
  passwords: readonly (Buffer | undefined)[],
): Promise<readonly (string | undefined)[]> {
  const hashes: (string | undefined)[] = passwords.map(() => undefined);
  const all = passwords.filter((password) => password !== undefined).length;
  const onProgress = progress('passwords hashed');
  let done = 0;
  // One iterator for all workers: each takes the next one that nobody has.
  const remaining = passwords.entries();
  const work = async (): Promise<void> => {
    for (const [index, password] of remaining) {
      if (password === undefined) continue;
      hashes[index] = await hashPassword(password);
      done += 1;
      onProgress(done, all);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return hashes;
}
