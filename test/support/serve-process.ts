import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';

const command = fileURLToPath(new URL('../../bin/gatewatt', import.meta.url));

/** A configuration file, in a folder that goes when the test is over. */
interface Setup {
  readonly configFile: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Writes `config` to a file. */
export async function setUp(config: object | string): Promise<Setup> {
  const directory = await mkdtemp(path.join(tmpdir(), 'gatewatt-serve-'));
  const configFile = path.join(directory, 'gatewatt.yaml');
  await writeFile(configFile, typeof config === 'string' ? config : stringify(config));
  return {
    configFile,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

interface ConfigChoices {
  readonly csms?: string;
  readonly port?: number;
  readonly adminPort?: number;
  readonly drainSeconds?: number;
}

/** A configuration that lets every charger in. */
export function configFor(choices: ConfigChoices): object {
  const { csms = 'ws://127.0.0.1:9/csms', port = 0, adminPort = 0, drainSeconds = 10 } = choices;
  return {
    gateway: { drainSeconds },
    listeners: [
      {
        name: 'field',
        address: `127.0.0.1:${port}`,
        path: '/ocpp',
        securityProfile: 0,
        allowUnauthenticated: true,
      },
    ],
    csms: { url: csms },
    chargers: { unknown: 'enroll' },
    admin: { address: `127.0.0.1:${adminPort}` },
  };
}

interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A `gatewatt serve` that was started. */
export interface ServeProcess {
  readonly child: ChildProcess;
  readonly exit: Promise<Exit>;
  readonly stderr: () => string;
  /** The first log entry of that event, parsed. */
  logged(event: string): Promise<Readonly<Record<string, unknown>>>;
  [Symbol.dispose](): void;
}

/**
 * Starts `gatewatt serve` as a process of its own.
 *
 * @param openFilesMax files that it may have open; without it, as many as this process.
 */
export function serve(configFile: string, openFilesMax?: number): ServeProcess {
  const args = [command, 'serve', '--config', configFile];
  const limit = openFilesMax === undefined ? '' : `ulimit -n ${openFilesMax} && `;
  const child = spawn('/bin/sh', ['-c', `${limit}exec "$@"`, 'sh', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const entries: Record<string, unknown>[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    // The last line of a process that was killed may be cut off.
    if (child.killed && !line.endsWith('}')) return;
    entries.push(JSON.parse(line) as Record<string, unknown>);
    for (const check of [...waiting]) check();
  });
  const exit = once(child, 'close').then(
    ([code, signal]): Exit => ({ code: code as number | null, signal: signal as string | null }),
  );
  return {
    child,
    exit,
    stderr: () => stderr,
    logged: (event) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          const entry = entries.find((it) => it['event'] === event);
          if (entry === undefined) return;
          waiting.delete(check);
          resolve(entry);
        };
        waiting.add(check);
        check();
        void exit.then(() => reject(new Error(`ended before ${event}: ${stderr}`)));
      }),
    [Symbol.dispose]: () => {
      child.kill('SIGKILL');
    },
  };
}

/** Where a started process takes chargers. */
export async function portOf(process: ServeProcess): Promise<number> {
  const { listeners } = await process.logged('GatewayStarted');
  const [first] = listeners as readonly string[];
  return Number(first?.split(':').at(-1));
}
