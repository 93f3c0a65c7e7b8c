import { spawn } from 'node:child_process';
import { namespaceFile } from './network.ts';

/** A program of the system that did not do what it was asked for. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
}

/** What went wrong, for operators. */
export function failureText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** How long a program may take, in milliseconds. */
const runMsMax = 20_000;
/** Characters of output that are kept. */
const outputMax = 16 * 1024 * 1024;
/** Characters of an error message. */
const messageMax = 300;

/** Whatever the caller has, programs are found in these folders only, and speak English. */
export const toolEnvironment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' } as const;

/** A program of the system that this folder uses. */
export type Tool = 'ip' | 'nft' | 'nsenter' | 'id';

/**
 * Runs a program of the system, without a shell.
 *
 * @param input what it reads from its standard input.
 * @returns what it wrote to its standard output.
 * @throws ToolError when it cannot be started, fails, or takes too long.
 */
export function runTool(tool: Tool, parameters: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(tool, [...parameters], {
      env: toolEnvironment,
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: runMsMax,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (stdout.length < outputMax) stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (stderr.length < outputMax) stderr += text;
    });
    // Whoever has ended without reading says so by its exit code.
    child.stdin.on('error', () => {});
    child.on('error', (error: NodeJS.ErrnoException) => {
      const isMissing = error.code === 'ENOENT';
      reject(new ToolError(isMissing ? `${tool} is not installed` : `${tool}: ${error.message}`));
    });
    child.on('close', (code, signal) => {
      if (code === 0) {
        resolve(stdout);
        return;
      }
      const said = stderr.trim().replaceAll(/\s+/g, ' ').slice(0, messageMax);
      const ended = signal === null ? `ended with ${code}` : `took too long`;
      // A script tells nobody anything.
      const words = parameters.filter((word) => !word.includes('\n')).slice(0, 6);
      reject(new ToolError(`${tool} ${words.join(' ')}: ${said || ended}`));
    });
    child.stdin.end(input);
  });
}

/** The same inside a namespace. Only the network is another one; files stay what they are. */
export function runInside(
  namespace: string,
  program: readonly [string, ...string[]],
  input?: string,
): Promise<string> {
  return runTool('nsenter', [`--net=${namespaceFile(namespace)}`, '--', ...program], input);
}
