import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A process that a test may kill. */
export interface TestProcess {
  readonly child: ChildProcess;
  /** The next line that it prints. */
  line(): Promise<string>;
  /** Its exit code, or the signal that ended it. */
  readonly exit: Promise<number | string>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Runs `code`, a module, in a process of its own.
 *
 * @param imports what the code may use: its name there, and the file below `src` or `test` that
 *   exports it.
 */
export function runModule(
  imports: Readonly<Record<string, string>>,
  code: string,
  parameter: unknown,
): TestProcess {
  const lines = Object.entries(imports).map(([name, file]) => {
    const { href } = new URL(`../../${file}`, import.meta.url);
    return `import { ${name} } from ${JSON.stringify(href)};`;
  });
  const child = spawn(
    process.execPath,
    [
      ...['--input-type=module', '--eval'],
      `${lines.join('\n')}\nconst parameter = JSON.parse(process.argv[1]);\n${code}`,
      JSON.stringify(parameter),
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const printed = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const exit = once(child, 'exit').then(([status, signal]): number | string => status ?? signal);
  return {
    child,
    exit,
    line: async () => {
      const { value } = await printed.next();
      return String(value);
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exit;
    },
  };
}
