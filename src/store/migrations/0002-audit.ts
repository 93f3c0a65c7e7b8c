import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The audit log, and the quarantine of refused messages. */
export const audit: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('audit_chain')
      .addColumn('chain', 'text', (column) => column.primaryKey())
      .addColumn('base_sequence', 'bigint', (column) => column.notNull())
      .addColumn('base_hash', 'text', (column) => column.notNull())
      .addColumn('head_sequence', 'bigint', (column) => column.notNull())
      .addColumn('head_hash', 'text', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('audit_record')
      .addColumn('chain', 'text', (column) => column.notNull())
      .addColumn('sequence', 'bigint', (column) => column.notNull())
      .addColumn('at_ms', 'bigint', (column) => column.notNull())
      .addColumn('event', 'text', (column) => column.notNull())
      .addColumn('charger', 'text')
      .addColumn('document', 'text', (column) => column.notNull())
      .addColumn('hash', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('audit_record_key', ['chain', 'sequence'])
      .execute();
    await db.schema
      .createTable('quarantined_frame')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('at_ms', 'bigint', (column) => column.notNull())
      .addColumn('gateway_id', 'text', (column) => column.notNull())
      .addColumn('identity_key', 'text', (column) => column.notNull())
      .addColumn('charger', 'text', (column) => column.notNull())
      .addColumn('finding', 'text', (column) => column.notNull())
      .addColumn('frame', 'text', (column) => column.notNull())
      .addColumn('frame_bytes', 'bigint', (column) => column.notNull())
      .execute();
    // Two frames of one charger in one millisecond are told apart by the rest of the id.
    await db.schema
      .createIndex('quarantined_frame_by_charger')
      .on('quarantined_frame')
      .columns(['identity_key', 'id'])
      .execute();
  },
};
