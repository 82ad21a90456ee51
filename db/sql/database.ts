/** One SQL database, SQLite or MySQL/MariaDB: how it is reached, how long a call may take, what its faults become. */
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import knexModule, { type Knex } from 'knex';
import { migrationSource } from '../migrations/index.ts';
import { isBusyFile, isContention, toDatabaseFault, unavailable } from './database-error.ts';
import { MysqlClient } from './mysql-client.ts';
import { type DatabaseAddress, parseDatabaseUrl } from './parse-database-url.ts';
import { prepareSqliteConnection, SqliteClient } from './sqlite-client.ts';

const { knex: createKnex } = knexModule; // knex is CommonJS

/** A call ends at {@link CALL_MS}; the steps within end earlier, so that they give back what they hold. */
const CALL_MS = 1350;
const QUERY_MS = 1100;
const ACQUIRE_MS = 1200;
const CONNECT_MS = 800;
/** Of a deadlock or a lock wait. A busy file is tried until the call ends, because nothing else waits for it. */
const MAX_RETRIES = 3;
/** Enough for another process's commit. The driver blocks the event loop meanwhile: longer waits are timers between tries. */
const SQLITE_BUSY_MS = 10;
/** Migrations run before anything is served, and another instance's may take a while. */
const SQLITE_MIGRATION_BUSY_MS = 30_000;

export interface DatabaseOptions {
  /** Most connections at once to MySQL. Default 10. SQLite has one. */
  readonly poolMax?: number;
}

export type SqlDialect = 'sqlite' | 'mysql';

type Operation<T, K extends Knex = Knex> = (knex: K) => Promise<T>;

export class Database {
  readonly dialect: SqlDialect;
  readonly #knex: Knex;
  readonly #unlimitedConfig: Knex.Config | null;

  /** Use {@link openDatabase}. */
  constructor(dialect: SqlDialect, knex: Knex, unlimitedConfig: Knex.Config | null) {
    this.dialect = dialect;
    this.#knex = knex;
    this.#unlimitedConfig = unlimitedConfig;
  }

  /** SQL expression: milliseconds since the epoch by the database's own clock, one value throughout a statement. */
  get nowMsSql(): string {
    return this.dialect === 'sqlite'
      ? "CAST(ROUND(unixepoch('subsec') * 1000) AS INTEGER)"
      : 'CAST(ROUND(UNIX_TIMESTAMP(NOW(3)) * 1000) AS SIGNED)';
  }

  /** {@link nowMsSql} as a value to compare with or to write. */
  get nowMs(): Knex.Raw {
    return this.#knex.raw(this.nowMsSql);
  }

  /**
   * Runs statements, each its own transaction. Ends within 1.4 seconds whatever the server does. Repeated after a
   * deadlock or a lock wait, three times at most, and while the SQLite file is busy: what comes before its last writing
   * statement must bear that.
   *
   * @throws DependencyUnavailable when the database is out of reach or can't serve now
   * @throws Error with the driver's code alone when it refuses a statement, which is a fault of ours
   */
  run<T>(operation: Operation<T>): Promise<T> {
    return this.#limited(() => operation(this.#knex));
  }

  /**
   * As {@link run}, on one connection, so that a call which has begun also ends. With a connection for each statement
   * 200 parallel rotations of one session all read before the first of them wrote: 640 ms on MariaDB instead of 80.
   */
  runOnOneConnection<T>(operation: (table: (name: string) => Knex.QueryBuilder) => Promise<T>): Promise<T> {
    return this.#limited(async (isOver) => {
      const connection = await this.#knex.client.acquireConnection();
      try {
        // Begun now it would take effect after the caller was told that it had failed.
        if (isOver()) throw unavailable('CALL_TIMEOUT');
        return await operation((name) => this.#knex(name).connection(connection));
      } finally {
        await this.#knex.client.releaseConnection(connection);
      }
    });
  }

  /** As {@link run}, all in one transaction. */
  transaction<T>(operation: Operation<T, Knex.Transaction>): Promise<T> {
    return this.#limited(() => this.#knex.transaction(operation));
  }

  /**
   * One connection, in one transaction and without time limits, for migrations. MySQL ends the transaction with the
   * first DDL statement, but the connection stays the same to the end.
   */
  async transactionWithoutLimits<T>(operation: Operation<T, Knex.Transaction>): Promise<T> {
    const knex = this.#unlimitedConfig ? createKnex(this.#unlimitedConfig) : this.#knex;
    try {
      return await knex.transaction(operation);
    } catch (error) {
      throw toDatabaseFault(error);
    } finally {
      if (knex !== this.#knex) await knex.destroy();
    }
  }

  async ping(): Promise<void> {
    await this.run((knex) => knex.raw('SELECT 1'));
  }

  async close(): Promise<void> {
    // libsql leaves all in the write-ahead log when it closes; a copy of the file alone would be empty.
    if (this.dialect === 'sqlite')
      await this.run((knex) => knex.raw('PRAGMA wal_checkpoint(TRUNCATE)')).catch(() => {});
    await this.#knex.destroy();
  }

  async #limited<T>(attempt: (isOver: () => boolean) => Promise<T>): Promise<T> {
    let isOver = false;
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        isOver = true;
        reject(unavailable('CALL_TIMEOUT'));
      }, CALL_MS);
    });
    try {
      return await Promise.race([
        limit,
        retryContention(
          () => attempt(() => isOver),
          () => isOver,
        ),
      ]);
    } catch (error) {
      throw toDatabaseFault(error);
    } finally {
      clearTimeout(timer);
    }
  }
}

async function retryContention<T>(attempt: () => Promise<T>, isOver: () => boolean): Promise<T> {
  for (let retries = 0; ; retries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isContention(error) || (retries >= MAX_RETRIES && !isBusyFile(error))) throw error;
      // Jitter: two instances that met in a deadlock don't read the same microsecond.
      await delay(10 * Math.min(retries, MAX_RETRIES) + ((performance.now() * 1000) % 20));
      // The caller has its answer: what it was told has failed must not be written after all.
      if (isOver()) throw error;
    }
  }
}

/**
 * Opens lazily: no connection is made before the first call.
 *
 * @param url `sqlite:PATH`, `sqlite::memory:` or `mysql://user:password@host:port/database`
 * @throws Error for another form of url, without quoting it ({@link parseDatabaseUrl})
 */
export function openDatabase(url: string, options: DatabaseOptions = {}): Database {
  const address = parseDatabaseUrl(url);
  const config = knexConfig(url, options);
  if (address.kind === 'sqlite')
    return new Database('sqlite', createKnex(config), unlimitedSqlite(address.file, config));
  const unlimited = { ...config, queryTimeoutMs: 0, pool: { ...config.pool, max: 1 } };
  return new Database('mysql', createKnex(config), unlimited);
}

/** Null for a database in memory, which is its connection's own. */
function unlimitedSqlite(file: string, config: Knex.Config): Knex.Config | null {
  return file === ':memory:' ? null : { ...config, ...sqliteConfig(file, SQLITE_MIGRATION_BUSY_MS) };
}

/** What knex needs for a url, also for its command line (`knexfile.ts`). Makes the folder and file of SQLite. */
export function knexConfig(url: string, options: DatabaseOptions = {}): Knex.Config {
  const address = parseDatabaseUrl(url);
  const own =
    address.kind === 'sqlite'
      ? sqliteConfig(address.file, SQLITE_BUSY_MS)
      : mysqlConfig(address, options.poolMax ?? 10);
  return {
    migrations: { migrationSource },
    // Values stay out of knex's messages from the start, though no message of a driver is passed on.
    compileSqlOnError: false,
    log: { warn() {}, error() {}, debug() {}, deprecate() {} },
    ...own,
  };
}

function sqliteConfig(filename: string, busyMs: number): Knex.Config {
  const isMemory = filename === ':memory:';
  const file = isMemory ? filename : path.resolve(filename);
  if (!isMemory) {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    // SQLite gives its -wal and -shm files the mode of this one. Not opened when it is there: closing a file drops all POSIX
    // locks that this process has on it (fcntl(2)), those of open connections too; another process that closes the database
    // then takes itself for the last, deletes the write-ahead log, and what is written here afterwards is lost.
    if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
  }
  return {
    client: SqliteClient,
    connection: { filename: file },
    useNullAsDefault: true,
    pool: {
      min: 1,
      max: 1,
      acquireTimeoutMillis: ACQUIRE_MS,
      propagateCreateError: true,
      afterCreate(connection: Parameters<typeof prepareSqliteConnection>[0], done: (error: unknown) => void) {
        try {
          prepareSqliteConnection(connection, busyMs);
          done(null);
        } catch (error) {
          done(error);
        }
      },
    },
  };
}

function mysqlConfig(address: Extract<DatabaseAddress, { kind: 'mysql' }>, poolMax: number): Knex.Config {
  const { kind: _, ...server } = address;
  return {
    client: MysqlClient,
    version: 'latest', // or knex asks each new connection, without a time limit
    connection: {
      ...server,
      charset: 'utf8mb4',
      connectTimeout: CONNECT_MS,
      enableKeepAlive: true,
      keepAliveInitialDelay: 10_000,
      stringifyObjects: true,
    },
    pool: { min: 0, max: poolMax, acquireTimeoutMillis: ACQUIRE_MS, propagateCreateError: true },
    queryTimeoutMs: QUERY_MS,
  } as Knex.Config;
}
