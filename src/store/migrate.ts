import { type Kysely, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { chargers } from './migrations/0001-chargers.ts';
import { audit } from './migrations/0002-audit.ts';
import { credentials } from './migrations/0003-credentials.ts';
import { ramp } from './migrations/0004-ramp.ts';
import { signatures } from './migrations/0005-signatures.ts';
import { StoreError } from './store-error.ts';
import type { Tables } from './tables.ts';

/** In their order. A migration that was released is never changed. */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001-chargers': chargers,
  '0002-audit': audit,
  '0003-credentials': credentials,
  '0004-ramp': ramp,
  '0005-signatures': signatures,
};

/**
 * Brings the tables up to date; several may try at once, and one of them does it.
 *
 * @param upTo the last migration to make; all of them without it.
 * @param known the migrations of this release; a test has others.
 * @throws StoreError for tables of a newer release; the database's error otherwise.
 */
export async function migrateToLatest(
  db: Kysely<Tables>,
  upTo?: string,
  known: Readonly<Record<string, Migration>> = migrations,
): Promise<void> {
  await refuseNewer(db, known);
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...known }) },
  });
  const { error } =
    upTo === undefined ? await migrator.migrateToLatest() : await migrator.migrateTo(upTo);
  if (error !== undefined) throw error;
}

/** A release cannot know what a newer one has done to the tables. */
async function refuseNewer(
  db: Kysely<Tables>,
  known: Readonly<Record<string, Migration>>,
): Promise<void> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some(({ name }) => name === 'kysely_migration')) return;
  const { rows } = await sql<{ readonly name: string }>`
    select name from kysely_migration order by name
  `.execute(db);
  const unknown = rows.find(({ name }) => !Object.hasOwn(known, name));
  if (unknown === undefined) return;
  throw new StoreError(
    'newer-schema',
    `the tables were made by a newer release (${unknown.name}); run that release, or restore a ` +
      'backup from before it was started',
  );
}
