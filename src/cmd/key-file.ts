import { failed, ok, type Result } from '../lib/result.ts';
import { readSecretFile, withoutLineBreak } from './secret-file.ts';

/** 64 hexadecimal digits and a line break fit. */
const fileBytesMax = 128;

/**
 * Reads the key that seals the passwords towards the CSMS: 64 hexadecimal digits, which are 32
 * bytes. One line break at the end is ignored.
 *
 * @returns the bytes; or a sentence that names the file and holds nothing of it.
 */
export async function readKeyFile(file: string): Promise<Result<Buffer, string>> {
  const read = await readSecretFile(file, fileBytesMax);
  if (!read.ok) return read;
  const digits = withoutLineBreak(read.value.bytes).toString('latin1');
  if (!/^[0-9a-f]{64}$/i.test(digits)) {
    return failed(`${file} does not hold 64 hexadecimal digits`);
  }
  return ok(Buffer.from(digits, 'hex'));
}
