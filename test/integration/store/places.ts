import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ConfigChanges } from '../../support/live-gateway.ts';
import { type EmptyDatabase, emptyPostgres } from '../../support/stores.ts';

/** A PostgreSQL database as a configuration names it. */
export interface SharedPlace {
  readonly database: EmptyDatabase;
  /** The URL of the database. */
  readonly url: string;
  /**
   * The `store` section for a gateway.
   *
   * @param at where to find the database, if not at its own port.
   */
  section(at?: { readonly port: number }): Promise<ConfigChanges>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The shortest lease there is: the tests wait for its end. */
export const leaseSeconds = 3;

/** Makes one. */
export async function sharedPlace(): Promise<SharedPlace> {
  const database = await emptyPostgres();
  if (database.location.type !== 'postgres') throw new Error('it is no PostgreSQL database');
  const { url } = database.location;
  const folder = await mkdtemp(path.join(tmpdir(), 'gatewatt-url-'));
  let files = 0;
  return {
    database,
    url,
    section: async (at) => {
      const itsUrl = new URL(url);
      if (at !== undefined) itsUrl.port = String(at.port);
      files += 1;
      const urlFile = path.join(folder, `url-${files}`);
      await writeFile(urlFile, `${itsUrl.href}\n`, { mode: 0o600 });
      return { type: 'postgres', urlFile, leaseSeconds };
    },
    [Symbol.asyncDispose]: async () => {
      await database[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
