import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What chargers authenticate themselves with, and which security profile they have used. */
export const credentials: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('charger_credential')
      .addColumn('identity_key', 'text', (column) => column.primaryKey())
      .addColumn('used_profile', 'bigint', (column) => column.notNull())
      .addColumn('candidate_profile', 'bigint')
      .addColumn('candidate_since_ms', 'bigint')
      .addColumn('fallbacks', 'bigint', (column) => column.notNull())
      .addColumn('password_hash', 'text')
      .addColumn('password_origin', 'text')
      .addColumn('password_set_ms', 'bigint')
      .addColumn('password_form', 'text')
      .addColumn('next_hash', 'text')
      .addColumn('next_origin', 'text')
      .addColumn('next_state', 'text')
      .addColumn('next_since_ms', 'bigint')
      .addColumn('default_retired_ms', 'bigint')
      .addColumn('rotation_requested_ms', 'bigint')
      .addColumn('rotation_outcome', 'text')
      .addColumn('rotation_outcome_ms', 'bigint')
      .addColumn('csms_password', 'text')
      .addColumn('last_address', 'text')
      .execute();
    await db.schema
      .createTable('charger_certificate')
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('value', 'text', (column) => column.notNull())
      .addColumn('identity_key', 'text', (column) => column.notNull())
      .addColumn('bound_ms', 'bigint', (column) => column.notNull())
      // One certificate belongs to one charger; a charger may have several.
      .addPrimaryKeyConstraint('charger_certificate_key', ['kind', 'value'])
      .execute();
    await db.schema
      .createIndex('charger_certificate_by_charger')
      .on('charger_certificate')
      .column('identity_key')
      .execute();
  },
};
