import type { Server } from 'node:http';
import { Kysely } from 'kysely';
import { AuditLog } from '../../src/audit/audit-log.ts';
import { auditSink } from '../../src/audit/audit-sink.ts';
import { openQuarantine } from '../../src/audit/quarantine.ts';
import type { Network } from '../../src/connection/network.ts';
import type { EventSink } from '../../src/events/emit.ts';
import { type Gateway, type GatewayOptions, startGateway } from '../../src/gateway/gateway.ts';
import type { Random } from '../../src/lib/random.ts';
import { explainSqliteError } from '../../src/store/explain-error.ts';
import { migrateToLatest } from '../../src/store/migrate.ts';
import { sqliteDialect } from '../../src/store/sqlite-dialect.ts';
import type { SqliteThread } from '../../src/store/sqlite-thread.ts';
import { Store } from '../../src/store/store.ts';
import type { Tables } from '../../src/store/tables.ts';
import { gatewayId } from './gateway-id.ts';
import { type Life, mortalClock } from './life.ts';
import type { Host } from './network/end.ts';
import type { Link } from './network/link.ts';
import type { SimulatedNetwork } from './network/simulated-network.ts';
import { SimulatedSocket, type SocketTap } from './network/simulated-socket.ts';
import {
  type DatabasePace,
  type SimulatedDatabase,
  SimulatedSqlite,
} from './simulated-database.ts';
import type { SimulatedTime } from './simulated-time.ts';

/** Where the gateway of a simulation runs. */
export interface GatewaySite {
  readonly time: SimulatedTime;
  readonly random: Random;
  readonly network: SimulatedNetwork;
  readonly host: Host;
  readonly csmsHost: Host;
  readonly csmsLink: Link;
  readonly database: SimulatedDatabase;
  readonly pace: DatabasePace;
  readonly options: GatewayOptions;
  /** Hears every event of a gateway that lives. */
  readonly emit: EventSink;
  /** Listens to a connection of `side`. */
  tap(side: 'charger' | 'csms', life: Life): SocketTap;
}

/** Some thousands of refused messages; old ones make room. */
const quarantineLimits = { bytesMax: 16 * 1024 * 1024, framesMax: 1000 };

/** One run of the real gateway, from its start to its death. */
export class SimulatedGateway {
  readonly #site: GatewaySite;
  readonly life: Life = { isDead: false };
  readonly #servers = new Set<Server>();
  #gateway: Gateway | undefined;
  #closeRest: () => Promise<void> = () => Promise.resolve();

  constructor(site: GatewaySite) {
    this.#site = site;
  }

  /** The gateway once it has started. */
  get running(): Gateway | undefined {
    return this.#gateway;
  }

  /** Starts it. Never resolves when it dies before. */
  async start(): Promise<void> {
    const { options, random, time } = this.#site;
    const clock = mortalClock(time, this.life);
    const store = await this.#openStore();
    const seen: EventSink = (event) => {
      if (!this.life.isDead) this.#site.emit(event);
    };
    const audit = new AuditLog(store, { chain: gatewayId }, clock, seen);
    const record = auditSink(audit, clock);
    const emit: EventSink = (event) => {
      record(event);
      seen(event);
    };
    const kept = { gatewayId, ...quarantineLimits };
    const quarantine = openQuarantine(store, kept, emit, clock, random);
    this.#closeRest = async () => {
      await quarantine.close();
      await audit.close();
      await store.close();
    };
    this.#gateway = await startGateway(options, {
      clock,
      random,
      emit,
      store,
      quarantine,
      audited: () => audit.settled(),
      pruneAudit: () => Promise.resolve(false),
      observeAdded: () => {},
      network: this.#network(),
    });
  }

  /** Ends as an operator ends it, and then its process is gone. */
  async stop(): Promise<void> {
    await this.#gateway?.stop();
    await this.#closeRest();
    this.die();
  }

  /** From now on nothing of it happens any more. Whoever calls it sees to its sockets. */
  die(): void {
    this.life.isDead = true;
    this.#site.host.onConnection = undefined;
    this.#site.database.abandon();
  }

  async #openStore(): Promise<Store> {
    const { database, pace, random, time } = this.#site;
    const { life } = this;
    const thread: SqliteThread = new SimulatedSqlite(database, { life, pace, random, time });
    const db = new Kysely<Tables>({ dialect: sqliteDialect(thread) });
    const offsetMs = time.nowMs() - time.elapsedMs();
    const store = await Store.over(
      {
        kind: 'sqlite',
        db,
        timeOffsetMs: () => Promise.resolve(offsetMs),
        explain: explainSqliteError,
        migrate: () => migrateToLatest(db),
        close: () => db.destroy(),
      },
      mortalClock(time, life),
    );
    await migrateToLatest(db);
    return store;
  }

  #network(): Network {
    const { csmsHost, csmsLink, host, network, tap } = this.#site;
    return {
      listen: (server) => {
        this.#servers.add(server);
        server.on('close', () => {
          this.#servers.delete(server);
          if (this.#servers.size === 0 && !this.life.isDead) host.onConnection = undefined;
        });
        host.onConnection = (end) => {
          const socket = new SimulatedSocket(end, tap('charger', this.life), true);
          server.emit('connection', socket);
        };
        return Promise.resolve({ address: host.name, family: 'IPv4', port: 9000 });
      },
      connect: () => {
        const route = { from: host, address: host.name, to: csmsHost, link: csmsLink };
        const end = network.connect(route, unheard);
        return new SimulatedSocket(end, tap('csms', this.life), false);
      },
    };
  }
}

const unheard = { onData: () => true, onEnd: () => {}, onFailed: () => {}, onOpen: () => {} };
