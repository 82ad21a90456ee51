import type { Knex } from 'knex';
import { migrationNames } from '../migrations/index.ts';
import type { Database } from './database.ts';
import { unavailable } from './database-error.ts';

/** Advisory lock of MySQL, one per database of the server; names are at most 64 characters. */
export const MIGRATION_LOCK_SQL = "CONCAT('keyturn-migrate-', MD5(DATABASE()))";
const LOCK_WAIT_SECONDS = 120;

export interface MigrationStatus {
  readonly applied: readonly string[];
  /** In the order they will run; empty at head. */
  readonly pending: readonly string[];
}

/** Reads only, takes no lock. Migrations of a newer version are neither applied nor pending here. */
export function migrationStatus(database: Database): Promise<MigrationStatus> {
  return database.run(readStatus);
}

/**
 * Brings the schema to head; safe when several instances start at once, the others wait for the first. At head nothing
 * is locked or written. A crash leaves no lock: SQLite runs all in one transaction, MySQL frees the advisory lock with
 * its connection, and knex's lock row, which outlives a crash, is only ever touched under that lock and cleared first.
 *
 * @returns the names that this call applied
 * @throws DependencyUnavailable when the database can't be reached or another instance migrates for over two minutes
 */
export async function migrateToHead(database: Database): Promise<{ readonly applied: readonly string[] }> {
  if ((await migrationStatus(database)).pending.length === 0) return { applied: [] };
  return database.transactionWithoutLimits(async (trx) => {
    if (database.dialect === 'sqlite') return applyPending(trx);
    const [rows] = await trx.raw(`SELECT GET_LOCK(${MIGRATION_LOCK_SQL}, ${LOCK_WAIT_SECONDS}) AS locked`);
    if (rows[0].locked !== 1) throw unavailable('MIGRATION_LOCK_TIMEOUT');
    // The connection is closed after this, and the lock ends with it.
    return applyPending(trx);
  });
}

async function applyPending(trx: Knex.Transaction): Promise<{ readonly applied: readonly string[] }> {
  await trx.migrate.forceFreeMigrationsLock();
  // A newer version's migrations stand in the table too during a rolling update: that is no fault.
  const config = { disableTransactions: true, disableMigrationsListValidation: true };
  const [, applied]: [number, string[]] = await trx.migrate.latest(config);
  return { applied };
}

async function readStatus(knex: Knex): Promise<MigrationStatus> {
  const isStarted = await knex.schema.hasTable('knex_migrations');
  const done = new Set<string>(isStarted ? await knex('knex_migrations').pluck('name') : []);
  return {
    applied: migrationNames.filter((name) => done.has(name)),
    pending: migrationNames.filter((name) => !done.has(name)),
  };
}
