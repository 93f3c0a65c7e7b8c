import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { type RunningGateway, runGateway } from '../../src/cmd/run-gateway.ts';
import { describeMistake, parseConfig } from '../../src/config/load.ts';
import type { EventName, GatewayEvent } from '../../src/events/catalogue.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';

/** An event of one name. */
export type EventOf<Name extends EventName> = Extract<GatewayEvent, { readonly name: Name }>;

/** A real gateway on loopback, with everything around it, for one test. */
export interface LiveGateway {
  readonly running: RunningGateway;
  /**
   * Where a charger with this identity connects. The identity is percent-encoded.
   *
   * @param listener the index of the listener; the first one without it.
   */
  url(identity: string, listener?: number): string;
  /** Port of the first listener. */
  readonly port: number;
  readonly adminUrl: string;
  /** Where its store is, for visitors from the command line. */
  readonly dataDirectory: string;
  readonly configFile: string;
  /** Everything that happened so far. */
  readonly events: readonly GatewayEvent[];
  /** The first event of that name that matches, whether it has happened or will. */
  event<Name extends EventName>(
    name: Name,
    matches?: (event: EventOf<Name>) => boolean,
  ): Promise<EventOf<Name>>;
  /** The whole log so far. */
  log(): string;
  /** The records of the quarantine. Stops the gateway. */
  quarantined(): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Stops the gateway; idempotent. */
  stop(): Promise<void>;
  /** Stops the gateway and removes its files. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** The store of an SQLite gateway, as the command line opens it. */
export async function openVisitor(
  directory: string,
): Promise<{ readonly store: Store; [Symbol.asyncDispose](): Promise<void> }> {
  const store = await openStore({ type: 'sqlite', directory, isGateway: false }, systemClock());
  return { store, [Symbol.asyncDispose]: () => store.close() };
}

/** Sections of the configuration that a test wants otherwise. */
export type ConfigChanges = Readonly<Record<string, unknown>>;

/**
 * Starts a gateway in front of `csmsUrl`. Sections in `changes` are merged over a base that lets
 * every charger in; `listener` is merged into the only listener, or each of several into its own.
 */
export async function startLiveGateway(
  csmsUrl: string,
  changes: ConfigChanges = {},
  listener: ConfigChanges | readonly ConfigChanges[] = {},
): Promise<LiveGateway> {
  const directory = await mkdtemp(path.join(tmpdir(), 'gatewatt-test-'));
  const base: Record<string, Readonly<Record<string, unknown>>> = {
    gateway: { dataDir: 'data', logLevel: 'debug', drainSeconds: 2 },
    csms: { url: csmsUrl },
    chargers: { unknown: 'enroll' },
    admin: { address: '127.0.0.1:0' },
  };
  const sections = Object.fromEntries(
    [...new Set([...Object.keys(base), ...Object.keys(changes)])].map((section) => [
      section,
      { ...base[section], ...(changes[section] as object | undefined) },
    ]),
  );
  const listeners: readonly ConfigChanges[] = [listener].flat();
  const open = { securityProfile: 0, allowUnauthenticated: true };
  const text = stringify({
    ...sections,
    listeners: listeners.map((each, index) => ({
      name: index === 0 ? 'field' : `field-${index}`,
      address: '127.0.0.1:0',
      path: '/ocpp',
      ...(each['securityProfile'] === undefined && open),
      ...each,
    })),
  });
  const config = parseConfig(text);
  if (!config.ok) {
    throw new Error(config.error.map((it) => describeMistake('test', it)).join('\n'));
  }

  const configFile = path.join(directory, 'gatewatt.yaml');
  await writeFile(configFile, text);
  const dataDirectory = path.join(directory, 'data');
  const events: GatewayEvent[] = [];
  const waiting = new Set<() => void>();
  let log = '';
  const running = await runGateway(config.value, {
    configFile,
    log: {
      write: (line) => {
        log += line;
      },
    },
    observer: (event) => {
      events.push(event);
      for (const check of [...waiting]) check();
    },
  });
  const port = running.gateway.listeners[0]?.port ?? 0;
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= running.stop();
    return stopped;
  };
  return {
    running,
    port,
    url: (identity, index = 0) => {
      const scheme = Number(listeners[index]?.['securityProfile'] ?? 0) >= 2 ? 'wss' : 'ws';
      const at = running.gateway.listeners[index]?.port ?? 0;
      return `${scheme}://127.0.0.1:${at}/ocpp/${encodeURIComponent(identity)}`;
    },
    dataDirectory,
    configFile,
    adminUrl: `http://${running.admin.address}`,
    events,
    event: (name, matches = () => true) =>
      new Promise((resolve) => {
        const check = (): void => {
          const found = events.find((event) => event.name === name && matches(event as never));
          if (found === undefined) return;
          waiting.delete(check);
          resolve(found as never);
        };
        waiting.add(check);
        check();
      }),
    log: () => log,
    quarantined: async () => {
      await stop();
      await using visitor = await openVisitor(dataDirectory);
      const rows = await visitor.store.query((db) =>
        db.selectFrom('quarantined_frame').selectAll().orderBy('id').execute(),
      );
      return rows.map(({ at_ms, charger, finding, frame }) => {
        const at = new Date(at_ms).toISOString();
        return {
          at,
          charger,
          ...(JSON.parse(finding) as object),
          frame: JSON.parse(frame) as string,
        };
      });
    },
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
