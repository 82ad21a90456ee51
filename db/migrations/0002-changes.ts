import type { Knex } from 'knex';
import { tableOptions } from './table-options.ts';

/** What instances have to forget, numbered in the order of commits: see db/sql/sql-change-store.ts. */
export async function up(knex: Knex): Promise<void> {
  const options = await tableOptions(knex);
  await knex.raw(`CREATE TABLE IF NOT EXISTS counters (
    name VARCHAR(64) NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
)${options}`);
  await knex.raw(`CREATE TABLE IF NOT EXISTS changes (
    sequence BIGINT NOT NULL PRIMARY KEY,
    object_id VARCHAR(64) NOT NULL
)${options}`);
  await knex('counters').insert({ name: 'changes', value: 0 }).onConflict('name').ignore();
}

export async function down(knex: Knex): Promise<void> {
  for (const name of ['changes', 'counters']) await knex.raw(`DROP TABLE IF EXISTS ${name}`);
}
