import {
  type Dialect,
  PostgresDialect,
  type PostgresPool,
  type PostgresPoolClient,
  type PostgresQueryResult,
} from 'kysely';
import { Client, DatabaseError, Pool, types } from 'pg';

/** Connections to PostgreSQL of one gateway. */
const connectionsMax = 8;
/** PostgreSQL's type number of bigint (pg_type.oid). */
const bigintOid = 20;

/** How long PostgreSQL may take, in milliseconds. */
export interface PostgresTimeouts {
  readonly connectMs: number;
  /** For one query. PostgreSQL ends it itself; when it does not, twice this time ends the wait. */
  readonly queryMs: number;
}

/** The connection could not be made, or is of no use any more. */
export class PostgresConnectionError extends Error {
  constructor(cause: unknown) {
    super('the connection to PostgreSQL failed', { cause });
    this.name = 'PostgresConnectionError';
  }
}

/**
 * Kysely on a pool of connections. It opens nothing yet: they are made when they are needed.
 *
 * @param url as libpq has it; it may hold a password and is shown to nobody.
 */
export function postgresDialect(url: string, timeouts: PostgresTimeouts): Dialect {
  return new PostgresDialect({ pool: new CheckedPool(url, timeouts) });
}

/** A pool that never hands out a connection which was given up in the middle of something. */
class CheckedPool implements PostgresPool {
  readonly options: object;
  readonly #pool: Pool;
  readonly #clients = new Set<object>();

  constructor(url: string, { connectMs, queryMs }: PostgresTimeouts) {
    this.#pool = new Pool({
      connectionString: url,
      Client: TidyClient,
      application_name: 'gatewatt',
      max: connectionsMax,
      connectionTimeoutMillis: connectMs,
      query_timeout: 2 * queryMs,
      statement_timeout: queryMs,
      idle_in_transaction_session_timeout: 2 * queryMs,
      keepAlive: true,
      types: {
        // All our numbers are far below 2^53; as texts they would compare as texts.
        getTypeParser: (oid, format) =>
          oid === bigintOid ? Number : types.getTypeParser(oid, format),
      },
    });
    this.options = this.#pool.options;
    this.#pool.on('connect', (client) => {
      this.#clients.add(client);
      // A connection that breaks while somebody has it says so to whoever waits for an answer. It
      // also emits an error, which would end the process if nobody listened.
      client.on('error', () => {});
    });
    this.#pool.on('remove', (client) => this.#clients.delete(client));
    // An idle connection that breaks is made again; whoever asks next learns whether that works.
    this.#pool.on('error', () => {});
  }

  async connect(): Promise<PostgresPoolClient> {
    try {
      return new CheckedClient(await this.#pool.connect());
    } catch (error) {
      throw new PostgresConnectionError(error);
    }
  }

  async end(): Promise<void> {
    await this.#pool.end();
    // The goodbyes are on their way; a server that hangs must not keep this process alive.
    for (const client of this.#clients) {
      if ('unref' in client && typeof client.unref === 'function') client.unref();
    }
  }
}

/**
 * A client that hangs up when it could not log in. That of pg leaves the socket open, and PostgreSQL
 * waits at it for its authentication_timeout of a minute.
 */
class TidyClient extends Client {
  override connect(): Promise<Client>;
  override connect(callback: (error: Error | null, client: Client) => void): void;
  override connect(
    callback?: (error: Error | null, client: Client) => void,
  ): Promise<Client> | undefined {
    if (callback === undefined) return super.connect();
    super.connect((error: Error | null) => {
      if (error !== null) void this.end();
      callback(error, this);
    });
    return undefined;
  }
}

class CheckedClient implements PostgresPoolClient {
  readonly #client: PostgresPoolClient;
  #failure: PostgresConnectionError | undefined;

  constructor(client: PostgresPoolClient) {
    this.#client = client;
  }

  query<R>(sql: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  query(cursor: never): never;
  async query<R>(
    sql: string,
    parameters: readonly unknown[] = [],
  ): Promise<PostgresQueryResult<R>> {
    // After a time-out the old query may still be running: nothing else is sent after it.
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return await this.#client.query<R>(sql, parameters);
    } catch (error) {
      // What PostgreSQL says, and what cannot be sent, leaves the connection as it was.
      if (error instanceof DatabaseError || error instanceof TypeError) throw error;
      this.#failure = new PostgresConnectionError(error);
      throw this.#failure;
    }
  }

  release(): void {
    this.#client.release(this.#failure !== undefined);
  }
}
