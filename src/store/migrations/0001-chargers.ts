import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Chargers: what is known of them, and which gateway has them. */
export const chargers: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('charger')
      .addColumn('identity_key', 'text', (column) => column.primaryKey())
      .addColumn('identity', 'text', (column) => column.notNull())
      .addColumn('origin', 'text', (column) => column.notNull())
      .addColumn('settings', 'text', (column) => column.notNull())
      .addColumn('reported_vendor', 'text')
      .addColumn('reported_model', 'text')
      .addColumn('reported_serial', 'text')
      .addColumn('reported_firmware', 'text')
      .addColumn('created_ms', 'bigint', (column) => column.notNull())
      .addColumn('first_seen_ms', 'bigint')
      .addColumn('last_seen_ms', 'bigint')
      .execute();
    await db.schema
      .createTable('counter')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('value', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('charger_change')
      .addColumn('revision', 'bigint', (column) => column.primaryKey())
      .addColumn('identity_key', 'text', (column) => column.notNull())
      .addColumn('at_ms', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('charger_memory')
      .addColumn('identity_key', 'text', (column) => column.primaryKey())
      .addColumn('epoch', 'bigint', (column) => column.notNull())
      .addColumn('document', 'text', (column) => column.notNull())
      .addColumn('variables', 'text', (column) => column.notNull())
      .addColumn('updated_ms', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('charger_transaction')
      .addColumn('identity_key', 'text', (column) => column.notNull())
      .addColumn('transaction_id', 'text', (column) => column.notNull())
      .addColumn('status', 'text', (column) => column.notNull())
      .addColumn('started_ms', 'bigint', (column) => column.notNull())
      .addColumn('ended_ms', 'bigint')
      .addColumn('document', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('charger_transaction_key', ['identity_key', 'transaction_id'])
      .execute();
    // Whose transaction is this? Asked when a charger speaks of one that is not its own.
    await db.schema
      .createIndex('charger_transaction_by_id')
      .on('charger_transaction')
      .column('transaction_id')
      .execute();
    await db.schema
      .createIndex('charger_transaction_by_start')
      .on('charger_transaction')
      .column('started_ms')
      .execute();
    await db.schema
      .createTable('claim')
      .addColumn('identity_key', 'text', (column) => column.primaryKey())
      .addColumn('epoch', 'bigint', (column) => column.notNull())
      .addColumn('incarnation', 'text')
      .addColumn('claimed_ms', 'bigint', (column) => column.notNull())
      .addColumn('alive_ms', 'bigint')
      .addColumn('takeovers', 'bigint', (column) => column.notNull())
      .addColumn('takeovers_since_ms', 'bigint', (column) => column.notNull())
      .addColumn('quarantined_until_ms', 'bigint')
      .addColumn('quarantine_reason', 'text')
      .execute();
    await db.schema.createIndex('claim_by_incarnation').on('claim').column('incarnation').execute();
    await db.schema
      .createTable('claim_notice')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('incarnation', 'text', (column) => column.notNull())
      .addColumn('identity_key', 'text', (column) => column.notNull())
      .addColumn('epoch', 'bigint', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('at_ms', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex('claim_notice_by_incarnation')
      .on('claim_notice')
      .column('incarnation')
      .execute();
    await db.schema
      .createTable('gateway_lease')
      .addColumn('incarnation', 'text', (column) => column.primaryKey())
      .addColumn('gateway_id', 'text', (column) => column.notNull())
      .addColumn('started_ms', 'bigint', (column) => column.notNull())
      .addColumn('expires_ms', 'bigint', (column) => column.notNull())
      .execute();
  },
};
