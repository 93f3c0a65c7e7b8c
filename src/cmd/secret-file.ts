import { open } from 'node:fs/promises';
import { failed, ok, type Result } from '../lib/result.ts';
import { describeSystemError } from './describe-system-error.ts';

/** What stands in a file that holds a secret. */
export interface SecretFile {
  readonly bytes: Buffer;
  /** Who else may read it, as a sentence for the operator; undefined when nobody may. */
  readonly remark: string | undefined;
}

/** Bits of a mode that let a group or everybody do something. */
const othersMask = 0o077;
const chunkBytes = 1024 * 1024;

/**
 * Reads a file that holds a secret. No message holds anything of it.
 *
 * @param bytesMax what is longer is refused, before all of it is read.
 */
export async function readSecretFile(
  file: string,
  bytesMax: number,
): Promise<Result<SecretFile, string>> {
  try {
    const handle = await open(file, 'r');
    try {
      const stats = await handle.stat();
      if (stats.isDirectory()) return failed(`${file} is a directory`);
      const chunks: Buffer[] = [];
      let length = 0;
      for (;;) {
        const chunk = Buffer.alloc(Math.min(chunkBytes, bytesMax + 1));
        const { bytesRead } = await handle.read(chunk, 0, chunk.length);
        if (bytesRead === 0) break;
        length += bytesRead;
        if (length > bytesMax) return failed(`${file} has more than ${bytesMax} bytes`);
        chunks.push(chunk.subarray(0, bytesRead));
      }
      const isShared = stats.isFile() && (stats.mode & othersMask) !== 0;
      const remark = isShared ? `${file} can be read by others; consider: chmod 600` : undefined;
      return ok({ bytes: Buffer.concat(chunks), remark });
    } finally {
      await handle.close();
    }
  } catch (error) {
    return failed(describeSystemError(error));
  }
}

/** Reads standard input, which may be a pipe or a socket, with the same bound. */
export async function readStandardInput(bytesMax: number): Promise<Result<SecretFile, string>> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > bytesMax) return failed(`standard input has more than ${bytesMax} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    return failed(`standard input: ${describeSystemError(error)}`);
  }
  return ok({ bytes: Buffer.concat(chunks), remark: undefined });
}

/** The bytes without one line break at their end, which editors add. */
export function withoutLineBreak(bytes: Buffer): Buffer {
  if (bytes.at(-1) !== 0x0a) return bytes;
  return bytes.subarray(0, bytes.at(-2) === 0x0d ? -2 : -1);
}
