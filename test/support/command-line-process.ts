import { runCommandLine } from '../../src/cmd/command-line.ts';

// Runs one command line after the other and tells what each has written, for `command-line.ts`. It is
// a process of its own, so that nothing else writes to its outputs.

process.on('message', ({ words }: { readonly words: readonly string[] }) => {
  void run(words).then((ended) => process.send?.(ended));
});

async function run(words: readonly string[]): Promise<object> {
  const written = { stdout: '', stderr: '' };
  const originals = { stdout: process.stdout.write, stderr: process.stderr.write };
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].write = (chunk: string | Uint8Array): boolean => {
      written[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
      return true;
    };
  }
  process.exitCode = 0;
  try {
    await runCommandLine(words);
  } catch (error) {
    written.stderr += String(error);
    process.exitCode = 70;
  } finally {
    process.stdout.write = originals.stdout;
    process.stderr.write = originals.stderr;
  }
  const code = Number(process.exitCode ?? 0);
  process.exitCode = 0;
  return { code, ...written };
}
