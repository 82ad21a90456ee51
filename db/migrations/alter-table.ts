import type { Knex } from 'knex';

/**
 * Adds what an earlier migration's table lacks, a statement for each, so that a run that was cut short can be run again:
 * MySQL 8 knows no `ADD COLUMN IF NOT EXISTS`. Columns are nullable or have a default, because the version before this one
 * goes on inserting rows while both run.
 *
 * @param columns SQL type and constraints by name
 */
export async function addColumns(knex: Knex, table: string, columns: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, definition] of Object.entries(columns)) {
    if (await hasColumn(knex, table, name)) continue;
    await knex.raw(`ALTER TABLE ${table} ADD COLUMN ${name} ${definition}`);
  }
}

async function hasColumn(knex: Knex, table: string, name: string): Promise<boolean> {
  if (isMysql(knex)) return knex.schema.hasColumn(table, name);
  // knex asks SQLite in a way that leaves generated columns out.
  const found = await knex
    .from(knex.raw('pragma_table_xinfo(?)', [table]))
    .where({ name })
    .first('name');
  return found !== undefined;
}

const isMysql = (knex: Knex): boolean => String(knex.client.driverName).startsWith('mysql');

/** @param indexes column lists by name */
export async function addIndexes(knex: Knex, table: string, indexes: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, columns] of Object.entries(indexes)) {
    if (await hasIndex(knex, table, name)) continue;
    await knex.raw(`CREATE INDEX ${name} ON ${table} (${columns})`);
  }
}

async function hasIndex(knex: Knex, table: string, name: string): Promise<boolean> {
  const found = isMysql(knex)
    ? await knex('information_schema.statistics')
        .whereRaw('table_schema = DATABASE()')
        .where({ table_name: table, index_name: name })
        .first('index_name')
    : await knex('sqlite_master').where({ type: 'index', name }).first('name');
  return found !== undefined;
}
