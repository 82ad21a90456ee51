import type { Knex } from 'knex';
import * as firstTables from './0001-first-tables.ts';
import * as changes from './0002-changes.ts';

/** A static list: the names in the database are the same whether `.ts` or `.js` runs. Append only, additive first. */
const MIGRATIONS: Readonly<Record<string, Knex.Migration>> = {
  '0001_first_tables': firstTables,
  '0002_changes': changes,
};

export const migrationNames: readonly string[] = Object.keys(MIGRATIONS);

export const migrationSource: Knex.MigrationSource<string> = {
  getMigrations: async () => [...migrationNames],
  getMigrationName: (name) => name,
  getMigration: async (name) => {
    const migration = MIGRATIONS[name];
    if (!migration) throw new Error(`unknown migration ${name}`);
    return migration;
  },
};
