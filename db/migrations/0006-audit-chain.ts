import type { Knex } from 'knex';
import { addColumns, addIndexes } from './alter-table.ts';
import { tableOptions } from './table-options.ts';

/** Audit events get a number and a MAC over themselves and the one before: see db/sql/audit-trail.ts. */
export async function up(knex: Knex): Promise<void> {
  await addColumns(knex, 'audit_events', { sequence: 'BIGINT', mac: 'VARCHAR(64)' });
  await widenDetail(knex);
  // Each filter of the list in the list's own order, so that a page reads as many rows as it shows.
  await addIndexes(knex, 'audit_events', {
    audit_events_sequence: 'sequence',
    audit_events_object: 'project_id, object_id, created_at_ms, id',
    audit_events_actor: 'project_id, actor_id, created_at_ms, id',
    audit_events_type: 'project_id, type, created_at_ms, id',
    audit_events_ip: 'project_id, ip, created_at_ms, id',
  });
  await knex.raw(`CREATE TABLE IF NOT EXISTS audit_chain (
    name VARCHAR(64) NOT NULL PRIMARY KEY,
    sequence BIGINT NOT NULL,
    mac VARCHAR(64) NOT NULL
)${await tableOptions(knex)}`);
  await knex('audit_chain').insert({ name: 'events', sequence: 0, mac: '' }).onConflict('name').ignore();
}

/** MySQL's TEXT ends at 64 KiB, and a catalog before and after its change has twice that. SQLite's has no end. */
async function widenDetail(knex: Knex): Promise<void> {
  if (String(knex.client.driverName).startsWith('mysql'))
    await knex.raw('ALTER TABLE audit_events MODIFY COLUMN detail MEDIUMTEXT NOT NULL');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE IF EXISTS audit_chain');
}
