import Mysql2Client from 'knex/lib/dialects/mysql2/index.js';
import type { Connection, ConnectionOptions } from 'mysql2';
import { assertScalarBindings } from './scalar-bindings.ts';

interface MysqlQuery {
  bindings?: unknown[];
  options?: Record<string, unknown>;
}

/** What knex's client keeps on a connection: set, the pool throws the connection away. */
type PooledConnection = Connection & { __knex__disposed?: unknown; stream: { destroy(): void } };

/**
 * Strict mode, or MySQL cuts what doesn't fit; no NO_BACKSLASH_ESCAPES, which would open mysql2's escaping to injection;
 * UTC, in which `UNIX_TIMESTAMP(NOW(3))` has no hour that comes twice a year; row locks waited for no longer than a call
 * lasts.
 */
const PREPARE_SESSION = `SET SESSION
  sql_mode = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ZERO_DATE,NO_ZERO_IN_DATE,NO_ENGINE_SUBSTITUTION',
  time_zone = '+00:00',
  innodb_lock_wait_timeout = 1`;

/** For {@link PREPARE_SESSION}, after the time that the connection itself took. */
const SESSION_MS = 400;

/** Ends a connection whose server may be hung: mysql2's own destroy() waits for the other side to close. */
function drop(connection: PooledConnection, reason: unknown): void {
  connection.__knex__disposed = reason;
  connection.destroy();
  connection.stream.destroy();
}

/** knex's mysql2 client with time limits that hold on a hung server. `config.queryTimeoutMs` 0: no limit. */
export class MysqlClient extends Mysql2Client {
  override async acquireRawConnection(): Promise<PooledConnection> {
    const settings: ConnectionOptions = this.connectionSettings;
    const connection: PooledConnection = this.driver.createConnection(settings);
    // For the life of the connection: an 'error' without a listener ends the process.
    connection.on('error', (error) => {
      connection.__knex__disposed = error;
    });
    try {
      await new Promise<void>((resolve, reject) => connection.connect((error) => (error ? reject(error) : resolve())));
      const prepare = { sql: PREPARE_SESSION, timeout: SESSION_MS };
      await new Promise<void>((resolve, reject) =>
        connection.query(prepare, (error) => (error ? reject(error) : resolve())),
      );
      return connection;
    } catch (error) {
      drop(connection, error);
      throw error;
    }
  }

  override async destroyRawConnection(connection: PooledConnection): Promise<void> {
    connection.end(() => setImmediate(() => drop(connection, 'closed')));
  }

  override async _query(connection: PooledConnection, query: MysqlQuery): Promise<unknown> {
    assertScalarBindings(query.bindings);
    query.options = { ...query.options, timeout: (this.config as { queryTimeoutMs?: number }).queryTimeoutMs };
    try {
      return await super._query(connection, query);
    } catch (error) {
      // The answer may still come: a connection that timed out must never give it to the next statement.
      if ((error as { code?: string }).code === 'PROTOCOL_SEQUENCE_TIMEOUT') drop(connection, error);
      throw error;
    }
  }
}
