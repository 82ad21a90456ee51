import type { Knex } from 'knex';
import * as firstTables from './0001-first-tables.ts';
import * as changes from './0002-changes.ts';
import * as accessControl from './0003-access-control.ts';
import * as apiKeys from './0004-api-keys.ts';
import * as consoleSessions from './0005-console-sessions.ts';
import * as auditChain from './0006-audit-chain.ts';

/** A static list: the names in the database are the same whether `.ts` or `.js` runs. Append only, additive first. */
const MIGRATIONS: Readonly<Record<string, Knex.Migration>> = {
  '0001_first_tables': firstTables,
  '0002_changes': changes,
  '0003_access_control': accessControl,
  '0004_api_keys': apiKeys,
  '0005_console_sessions': consoleSessions,
  '0006_audit_chain': auditChain,
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
