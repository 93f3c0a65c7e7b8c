import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The nonces of signed commands, each of which counts once. */
export const signatures: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('signature_nonce')
      .addColumn('identity_key', 'text', (column) => column.notNull())
      .addColumn('nonce', 'text', (column) => column.notNull())
      .addColumn('issued_ms', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('signature_nonce_key', ['identity_key', 'nonce'])
      .execute();
    await db.schema
      .createIndex('signature_nonce_by_time')
      .on('signature_nonce')
      .column('issued_ms')
      .execute();
  },
};
