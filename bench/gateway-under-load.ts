import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { stringify } from 'yaml';

/** A `gatewatt serve` that is being measured. */
export interface MeasuredGateway {
  /** Where a charger with this identity connects. */
  url(identity: string): string;
  /** CPU time of all its threads since it was started, in milliseconds. */
  cpuMs(): Promise<number>;
  /** Resident memory, in bytes. */
  residentBytes(): Promise<number>;
  stop(): Promise<void>;
}

/**
 * Starts `gatewatt serve` from the checkout in `folder` in front of `csmsUrl`, with defaults but for
 * `sections` of the configuration.
 */
export async function startMeasuredGateway(
  folder: string,
  csmsUrl: string,
  sections: object = {},
): Promise<MeasuredGateway> {
  const directory = await mkdtemp(path.join(tmpdir(), 'gatewatt-bench-'));
  const configFile = path.join(directory, 'gatewatt.yaml');
  const listener = { name: 'field', address: '127.0.0.1:0', path: '/ocpp', securityProfile: 0 };
  const config = {
    gateway: { dataDir: 'data', logLevel: 'info', drainSeconds: 0 },
    listeners: [{ ...listener, allowUnauthenticated: true }],
    csms: { url: csmsUrl },
    chargers: { unknown: 'enroll' },
    admin: { address: '127.0.0.1:0' },
    ...sections,
  };
  await writeFile(configFile, stringify(config));
  const child = spawn(
    process.execPath,
    [path.join(folder, 'src/cmd/main.ts'), 'serve', '--config', configFile],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const port = await portOf(child);
  const { pid } = child;
  return {
    url: (identity) => `ws://127.0.0.1:${port}/ocpp/${identity}`,
    cpuMs: () => cpuOfThreads(pid ?? 0),
    residentBytes: async () => {
      const status = await readFile(`/proc/${pid}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
    },
    stop: async () => {
      child.kill('SIGTERM');
      await once(child, 'close');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Reads the log to its end: a full pipe would slow the gateway down. */
function portOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`serve ended with ${code}`)));
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const entry = JSON.parse(line) as { readonly event: string; readonly listeners?: string[] };
      const port = entry.listeners?.[0]?.split(':').at(-1);
      if (entry.event === 'GatewayStarted' && port !== undefined) resolve(port);
    });
  });
}

/** Linux's own accounting (schedstat, in nanoseconds): finer than the clock ticks of `stat`. */
async function cpuOfThreads(pid: number): Promise<number> {
  let nanoseconds = 0;
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    const text = await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').catch(() => '0');
    nanoseconds += Number(text.split(' ')[0]);
  }
  return nanoseconds / 1e6;
}
