import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Load changes: those that wait, and those that count towards the budgets of feeders. */
export const ramp: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('ramp_command')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('sequence', 'bigint', (column) => column.notNull())
      .addColumn('lane_rank', 'bigint', (column) => column.notNull())
      .addColumn('identity_key', 'text', (column) => column.notNull())
      .addColumn('charger', 'text', (column) => column.notNull())
      .addColumn('feeder', 'text', (column) => column.notNull())
      .addColumn('version', 'text', (column) => column.notNull())
      .addColumn('action', 'text', (column) => column.notNull())
      .addColumn('load_class', 'text', (column) => column.notNull())
      .addColumn('payload', 'text', (column) => column.notNull())
      .addColumn('message_id', 'text', (column) => column.notNull())
      .addColumn('is_reply', 'bigint', (column) => column.notNull())
      .addColumn('incarnation', 'text', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('is_answered', 'bigint', (column) => column.notNull())
      .addColumn('on_long_wait', 'text', (column) => column.notNull())
      .addColumn('arrived_ms', 'bigint', (column) => column.notNull())
      .addColumn('not_before_ms', 'bigint', (column) => column.notNull())
      .addColumn('answer_by_ms', 'bigint', (column) => column.notNull())
      .addColumn('expires_ms', 'bigint', (column) => column.notNull())
      .addColumn('sent_ms', 'bigint')
      .addColumn('place', 'bigint')
      .addColumn('swing', 'text', (column) => column.notNull())
      .addColumn('basis', 'text', (column) => column.notNull())
      .addColumn('commands_milli', 'bigint', (column) => column.notNull())
      .addColumn('up_w', 'bigint', (column) => column.notNull())
      .addColumn('down_w', 'bigint', (column) => column.notNull())
      .addColumn('coalesce_keys', 'text', (column) => column.notNull())
      .addColumn('reason', 'text')
      .execute();
    await db.schema
      .createIndex('ramp_command_by_feeder')
      .on('ramp_command')
      .columns(['feeder', 'lane_rank', 'sequence'])
      .execute();
    await db.schema
      .createIndex('ramp_command_by_charger')
      .on('ramp_command')
      .column('identity_key')
      .execute();
    await db.schema
      .createTable('ramp_entry')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('feeder', 'text', (column) => column.notNull())
      .addColumn('at_ms', 'bigint', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('identity_key', 'text', (column) => column.notNull())
      .addColumn('command_id', 'text', (column) => column.notNull())
      .addColumn('commands_milli', 'bigint', (column) => column.notNull())
      .addColumn('up_w', 'bigint', (column) => column.notNull())
      .addColumn('down_w', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex('ramp_entry_by_feeder')
      .on('ramp_entry')
      .columns(['feeder', 'at_ms'])
      .execute();
    await db.schema
      .createIndex('ramp_entry_by_charger')
      .on('ramp_entry')
      .columns(['identity_key', 'kind'])
      .execute();
    await db.schema
      .createTable('ramp_fall')
      .addColumn('identity_key', 'text', (column) => column.notNull())
      .addColumn('place', 'bigint', (column) => column.notNull())
      .addColumn('at_ms', 'bigint', (column) => column.notNull())
      .addColumn('rose_ms', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('ramp_fall_key', ['identity_key', 'place'])
      .execute();
    await db.schema
      .createTable('ramp_feeder')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('state', 'text', (column) => column.notNull())
      .execute();
  },
};
