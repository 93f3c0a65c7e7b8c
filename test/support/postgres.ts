import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { chown, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';

const run = promisify(execFile);

/** Long enough for a slow machine, in milliseconds. */
const startMaxMs = 60_000;
const user = 'gatewatt';
/** With characters that a URL cannot hold as they are. */
const password = 'pass:word/@%';

/**
 * Runs the server, and ends it when the pipe to its standard input closes: this process may be
 * killed at any time and must leave no server behind.
 */
const supervisor = `
  folder=$1; shift
  exec 3<&0
  "$@" </dev/null 3<&- & server=$!
  (
    cat <&3 >/dev/null
    : >"$folder/abandoned"
    kill -CONT $server; kill -QUIT $server
  ) 2>/dev/null & watcher=$!
  exec 3<&-
  wait $server
  if [ -e "$folder/abandoned" ]; then rm -rf "$folder"; else kill $watcher; fi
`;

/** How a server is stopped: it throws its clients out, or drops everything as a crash does. */
export type StopMode = 'fast' | 'immediate';

/** A PostgreSQL server of one's own. */
export interface PostgresServer {
  /** Holds all that it has. */
  readonly folder: string;
  /** Where the gateway finds that database. */
  url(database: string): string;
  /** The name of an empty database. */
  createDatabase(): Promise<string>;
  /** Throws out whoever uses a database, and empties it for the next one. */
  returnDatabase(database: string): Promise<void>;
  /** Resolves when the server is gone. */
  stop(mode: StopMode): Promise<void>;
  /** Starts it again, with the same data on the same port; does nothing while it runs. */
  start(): Promise<void>;
  /** Makes it hang: connections stay open and nothing answers. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** The processes of the server, the first one before its children. */
  processIds(): Promise<readonly number[]>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Where the programs of PostgreSQL are on this machine; undefined when they are not. */
export function findPostgres(): string | undefined {
  const versions = '/usr/lib/postgresql';
  const installed = existsSync(versions)
    ? readdirSync(versions).sort((a, b) => Number(b) - Number(a))
    : [];
  const folders = [
    ...(process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== ''),
    ...installed.map((version) => path.join(versions, version, 'bin')),
  ];
  return folders.find((folder) =>
    ['initdb', 'postgres'].every((program) => existsSync(path.join(folder, program))),
  );
}

/** Starts a server in a folder of its own, on a port of its own. */
export async function startPostgres(): Promise<PostgresServer> {
  const programs = findPostgres();
  if (programs === undefined) throw new Error('no PostgreSQL server is installed');
  const account = await unprivilegedAccount();
  const folder = await mkdtemp(path.join(tmpdir(), 'gatewatt-pg-'));
  if (account !== undefined) await chown(folder, account.uid, account.gid);
  const data = path.join(folder, 'data');
  const passwordFile = path.join(folder, 'password');
  await writeFile(passwordFile, password);
  if (account !== undefined) await chown(passwordFile, account.uid, account.gid);
  await run(
    path.join(programs, 'initdb'),
    [
      ...['--pgdata', data, '--username', user, '--pwfile', passwordFile],
      ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C', '--no-sync'],
    ],
    { ...account, cwd: folder },
  );
  const server = new Server(path.join(programs, 'postgres'), account, folder, await freePort());
  try {
    await server.start();
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}

interface Account {
  readonly uid: number;
  readonly gid: number;
}

class Server implements PostgresServer {
  readonly #program: string;
  readonly #account: Account | undefined;
  readonly folder: string;
  readonly #port: number;
  #child: ChildProcess | undefined;
  #log = '';
  #databases = 0;
  readonly #emptyDatabases: string[] = [];

  constructor(program: string, account: Account | undefined, folder: string, port: number) {
    this.#program = program;
    this.#account = account;
    this.folder = folder;
    this.#port = port;
  }

  url(database: string): string {
    return `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${this.#port}/${database}`;
  }

  async createDatabase(): Promise<string> {
    // To make one takes most of a second, because it is a copy of a thousand files.
    const empty = this.#emptyDatabases.pop();
    if (empty !== undefined) return empty;
    this.#databases += 1;
    const name = `gatewatt_${this.#databases}`;
    await this.#administer('postgres', `create database ${name}`);
    return name;
  }

  async returnDatabase(database: string): Promise<void> {
    await this.#administer(
      database,
      `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = '${database}' and pid <> pg_backend_pid();
       drop schema public cascade;
       create schema public;
       grant usage on schema public to public`,
    );
    this.#emptyDatabases.push(database);
  }

  async start(): Promise<void> {
    if (this.#child !== undefined) return;
    const settings = {
      listen_addresses: '127.0.0.1',
      port: this.#port,
      unix_socket_directories: this.folder,
      max_connections: 200,
      shared_buffers: '16MB',
      // The tests cut no power; what these are for is not tested here.
      fsync: 'off',
      full_page_writes: 'off',
      wal_level: 'minimal',
      max_wal_senders: 0,
      autovacuum: 'off',
    };
    const child = spawn(
      'sh',
      [
        ...['-c', supervisor, 'sh', this.folder, this.#program],
        ...['-D', path.join(this.folder, 'data')],
        ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
      // Detached: what interrupts the tests reaches the server through the supervisor only.
      { ...this.#account, cwd: this.folder, stdio: ['pipe', 'ignore', 'pipe'], detached: true },
    );
    this.#child = child;
    child.stderr.on('data', (chunk: Buffer) => {
      this.#log = `${this.#log}${chunk.toString()}`.slice(-4000);
    });
    child.stdin.on('error', () => {});
    const endMs = performance.now() + startMaxMs;
    while (!(await this.#answers())) {
      if (child.exitCode !== null || performance.now() > endMs) {
        throw new Error(`PostgreSQL did not start: ${this.#log}`);
      }
      await delay(20);
    }
  }

  async stop(mode: StopMode): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    await this.#signal('SIGCONT');
    const [first] = await this.processIds();
    const gone = child.exitCode === null ? once(child, 'exit') : undefined;
    if (first !== undefined) process.kill(first, mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    else child.stdin?.destroy();
    await gone;
    child.stdin?.destroy();
    child.stderr?.destroy();
  }

  async pause(): Promise<void> {
    await this.#signal('SIGSTOP');
  }

  async resume(): Promise<void> {
    await this.#signal('SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('immediate');
    await rm(this.folder, { recursive: true, force: true });
  }

  async #administer(database: string, statements: string): Promise<void> {
    const client = new Client({ connectionString: this.url(database) });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query(statements);
    } finally {
      await client.end();
    }
  }

  async #answers(): Promise<boolean> {
    try {
      await this.#administer('postgres', 'select 1');
      return true;
    } catch {
      return false;
    }
  }

  async #signal(signal: NodeJS.Signals): Promise<void> {
    // The first one before the others: it would start new ones.
    for (const id of await this.processIds()) {
      try {
        process.kill(id, signal);
      } catch {
        // That one has ended meanwhile.
      }
    }
  }

  async processIds(): Promise<readonly number[]> {
    let text: string;
    try {
      text = await readFile(path.join(this.folder, 'data', 'postmaster.pid'), 'utf8');
    } catch {
      return [];
    }
    const first = Number(text.split('\n')[0]);
    const all = await processes();
    return [first, ...all.filter(({ parent }) => parent === first).map(({ id }) => id)];
  }
}

interface ProcessEntry {
  readonly id: number;
  readonly parent: number;
}

/** All processes of the machine. */
async function processes(): Promise<readonly ProcessEntry[]> {
  if (process.platform !== 'linux') {
    const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=']);
    return stdout.split('\n').map((line) => {
      const [id, parent] = line.trim().split(/\s+/).map(Number);
      return { id: id ?? 0, parent: parent ?? 0 };
    });
  }
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return Promise.all(
    ids.map(async (id) => {
      // "id (name) state parent ..."; the name may hold anything.
      const text = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => '');
      const [, parent] = text.slice(text.lastIndexOf(')') + 2).split(' ');
      return { id: Number(id), parent: Number(parent) };
    }),
  );
}

/** PostgreSQL refuses to run as root; root lends it another account. */
async function unprivilegedAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((it) => it.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = accounts.find(([it]) => it === name) ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error('PostgreSQL does not run as root, and there is no other account');
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
