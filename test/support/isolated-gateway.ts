import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { namespaceFile } from '../../src/connection/isolation/network.ts';
import { adminPort, at, type ChargerSite, csmsPort, nobody } from './charger-site.ts';
import type { Ended } from './command-line.ts';
import { until } from './until.ts';

/** The port of the listener, in each network. */
export const listenerPort = 8080;

/** Where chargers of a site connect. */
export const chargerUrl = (identity: string, host: string = at.gateway): string =>
  `ws://${host}:${listenerPort}/ocpp/${identity}`;

/** The configuration of a gateway whose networks are those of a site: CP-1 is in bay-1. */
export function isolatedConfig(site: ChargerSite, changes: ConfigChanges = {}): object {
  const { admin = at.site, binding = () => ({}), isolation, ...others } = changes;
  return {
    gateway: { dataDir: 'data', drainSeconds: 1 },
    listeners: [{ name: 'field', path: '/ocpp', securityProfile: 0, allowUnauthenticated: true }],
    csms: { url: `ws://${at.uplink}:${csmsPort}/csms` },
    chargers: { unknown: 'enroll' },
    admin: { address: `${admin}:${adminPort}` },
    isolation: {
      user: nobody.name,
      namespacePrefix: site.prefix,
      stateDir: 'state',
      bindings: site.chargers.map((charger, index) => ({
        name: `bay-${index + 1}`,
        interface: charger.interface,
        addresses: [`${at.gateway}/24`],
        listener: 'field',
        port: listenerPort,
        chargers: [`CP-${index + 1}`],
        ...binding(index),
      })),
      ...isolation,
    },
    ...others,
  };
}

/** What a test wants otherwise. Other sections take the place of those that are there. */
export interface ConfigChanges {
  /** The address of the admin port. */
  readonly admin?: string;
  /** Added to the binding of the charger with that index. */
  readonly binding?: (index: number) => object;
  readonly isolation?: object;
  readonly listeners?: readonly object[];
  readonly chargers?: object;
  readonly limits?: object;
  readonly credentials?: object;
  readonly gateway?: object;
}

/** Writes a configuration into the folder of the site. @returns its file. */
export async function writeConfig(
  { folder }: ChargerSite,
  config: object,
  name = 'gatewatt.yaml',
): Promise<string> {
  const file = path.join(folder, name);
  // YAML takes JSON.
  await writeFile(file, JSON.stringify(config));
  return file;
}

/** Runs `gatewatt` with these words, one after the other, in a process that stays. */
export type CommandLine = (...words: readonly string[]) => Promise<Ended>;

/**
 * Starts a process on the machine of the gateway that runs command lines.
 *
 * @param wrapper a program that runs it, with its options.
 */
export function commandLineOn(
  { machine, mark, programs }: ChargerSite,
  wrapper: readonly string[] = [],
): CommandLine {
  const net = `--net=${namespaceFile(machine)}`;
  const words = [net, '--', ...wrapper, programs.node, programs.commandLine, mark];
  const child = spawn('nsenter', words, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  // It ends with its site.
  child.unref();
  child.channel?.unref();
  let last: Promise<unknown> = Promise.resolve();
  return (...wanted) => {
    const ended = last.then(async () => {
      child.channel?.ref();
      const answer = new Promise<Ended>((resolve, reject) => {
        child.once('message', (message) => resolve(message as Ended));
        child.once('exit', () => reject(new Error('the command line has died')));
      });
      child.send({ words: wanted });
      try {
        return await answer;
      } finally {
        child.removeAllListeners();
        child.channel?.unref();
      }
    });
    last = ended.catch(() => undefined);
    return ended;
  };
}

type LogEntry = Readonly<Record<string, unknown>>;

/** A `gatewatt serve` with isolated networks: its keeper, and the gateway that it runs. */
export interface IsolatedGateway {
  readonly keeper: ChildProcess;
  /** How the keeper ended, as soon as it has. */
  ended(): Promise<readonly [code: number | null, signal: string | null]>;
  readonly log: readonly LogEntry[];
  readonly stderr: () => string;
  /** The first entry of that event, from `from` on, that has these fields. */
  logged(event: string, fields?: LogEntry, from?: number): Promise<LogEntry>;
  /** Resolves when all networks are served. */
  served(networks: number): Promise<void>;
  /** The process that runs as another user. */
  gatewayId(): Promise<number>;
  /** Ends both, gracefully. */
  stop(): Promise<void>;
}

/** Starts it. The site ends it, at the latest. */
export function serveIsolated(
  { machine, programs }: ChargerSite,
  configFile: string,
  wrapper: readonly string[] = [],
): IsolatedGateway {
  const net = `--net=${namespaceFile(machine)}`;
  const words = [net, '--', ...wrapper, programs.node, programs.main, 'serve', '-c', configFile];
  const keeper = spawn('nsenter', words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  keeper.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const log: LogEntry[] = [];
  createInterface({ input: keeper.stdout }).on('line', (line) => {
    // The last line of a process that was killed may be cut off.
    if (line.endsWith('}')) log.push(JSON.parse(line) as LogEntry);
  });
  const childrenFile = `/proc/${keeper.pid}/task/${keeper.pid}/children`;
  const gateway: IsolatedGateway = {
    keeper,
    ended: async () => {
      const isOver = (): boolean => keeper.exitCode !== null || keeper.signalCode !== null;
      await until(isOver, () => `the keeper ends: ${stderr}`);
      return [keeper.exitCode, keeper.signalCode];
    },
    log,
    stderr: () => stderr,
    logged: async (event, fields = {}, from = 0) => {
      const find = (): LogEntry | undefined =>
        log.slice(from).find((entry) => matches(entry, { event, ...fields }));
      await until(
        () => find() !== undefined,
        () => `${event} ${JSON.stringify(fields)} in the log: ${stderr} ${tail(log)}`,
      );
      return find() ?? {};
    },
    served: (networks) =>
      until(
        () => log.filter(({ event }) => event === 'IsolatedNetworkServed').length >= networks,
        () => `${networks} networks are served: ${stderr} ${tail(log)}`,
      ),
    gatewayId: async () => {
      let id: number | undefined;
      await until(
        async () => {
          const ids = (await readFile(childrenFile, 'utf8')).split(' ').filter((it) => it !== '');
          for (const one of ids) {
            const line = await readFile(`/proc/${one}/cmdline`, 'utf8').catch(() => '');
            if (line.includes(configFile)) id = Number(one);
          }
          return id !== undefined;
        },
        () => `the keeper has a gateway: ${stderr}`,
      );
      return id ?? 0;
    },
    stop: async () => {
      keeper.kill('SIGTERM');
      await gateway.ended();
    },
  };
  return gateway;
}

function matches(entry: LogEntry, fields: LogEntry): boolean {
  return Object.entries(fields).every(([name, value]) => entry[name] === value);
}

function tail(log: readonly LogEntry[]): string {
  return log
    .slice(-12)
    .map((entry) => JSON.stringify(entry))
    .join('\n');
}
