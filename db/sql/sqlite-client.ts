import { createRequire } from 'node:module';
import type { Knex } from 'knex';
import BetterSqlite3Client from 'knex/lib/dialects/better-sqlite3/index.js';
import SqliteTransaction from 'knex/lib/dialects/sqlite3/execution/sqlite-transaction.js';
import { isBusyFile, unavailable } from './database-error.ts';
import { assertScalarBindings } from './scalar-bindings.ts';

const require = createRequire(import.meta.url);

interface SqliteConnection {
  readonly inTransaction: boolean;
  exec(sql: string): void;
  pragma(source: string): readonly Record<string, unknown>[];
  /** knex's: set, the pool throws the connection away. */
  __knex__disposed?: unknown;
}

interface SqliteQuery {
  readonly sql: string;
  readonly bindings?: unknown[];
}

const WRITING = /^(insert|update|delete)\b/i;

/**
 * By `exec`, not as a prepared statement: libsql does not reset a statement that met SQLITE_BUSY, and its connection then
 * reads the state of that moment for ever (a revoked key would live on) and can never write (SQLITE_BUSY_SNAPSHOT).
 */
function begin(connection: SqliteConnection): void {
  connection.exec('BEGIN IMMEDIATE');
}

/**
 * A deferred transaction that reads first and writes later fails at once with SQLITE_BUSY when another process wrote in
 * between, whatever the busy timeout; an immediate one waits at its start.
 */
class ImmediateTransaction extends SqliteTransaction {
  async begin(connection: SqliteConnection): Promise<void> {
    begin(connection);
  }
}

/** libsql has better-sqlite3's interface and comes prebuilt for every Node that we support. */
export class SqliteClient extends BetterSqlite3Client {
  _driver(): unknown {
    return require('libsql');
  }

  override transaction(...args: unknown[]): Knex.Transaction {
    return new ImmediateTransaction(this, ...args) as unknown as Knex.Transaction;
  }

  override async acquireRawConnection(): Promise<unknown> {
    try {
      return await super.acquireRawConnection();
    } catch {
      // libsql gives this one error no code, and the path in its message.
      throw unavailable('SQLITE_CANTOPEN');
    }
  }

  override async _query(connection: SqliteConnection, query: SqliteQuery): Promise<unknown> {
    assertScalarBindings(query.bindings);
    if (connection.inTransaction || !WRITING.test(query.sql)) return this.prepareAndRun(connection, query);
    begin(connection);
    try {
      const result = await this.prepareAndRun(connection, query);
      connection.exec('COMMIT');
      return result;
    } catch (error) {
      // SQLite has already ended the transaction after some errors, such as a full disk.
      if (connection.inTransaction) connection.exec('ROLLBACK');
      throw error;
    }
  }

  /** Not `#private`: knex makes the clients of transactions by `Object.create`. */
  async prepareAndRun(connection: SqliteConnection, query: SqliteQuery): Promise<unknown> {
    try {
      return await super._query(connection, query);
    } catch (error) {
      // Outside of BEGIN that is rare: while another process mends or empties the write-ahead log.
      if (isBusyFile(error)) connection.__knex__disposed = error;
      throw error;
    }
  }
}

/**
 * Settings of a new connection; the busy timeout first, because the switch to WAL may have to wait for another process.
 *
 * @param busyMs how long a statement waits for another process. The driver is synchronous, so all else waits too.
 */
export function prepareSqliteConnection(connection: SqliteConnection, busyMs: number): void {
  connection.pragma(`busy_timeout = ${busyMs}`);
  connection.pragma('journal_mode = WAL');
  // With NORMAL a power cut may undo the last commits, and a spent refresh token would be good again.
  connection.pragma('synchronous = FULL');
  connection.pragma('foreign_keys = ON');
}
