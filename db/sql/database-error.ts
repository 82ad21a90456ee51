import { DependencyUnavailable } from '../../server/dependency-unavailable.ts';

interface DriverError {
  readonly code?: unknown;
  readonly errno?: unknown;
  readonly name?: unknown;
  readonly message?: unknown;
  readonly fatal?: unknown;
}

/** ER_CHECKREAD: what a deadlock is to MariaDB's snapshot isolation, its default from 11.6. */
const DEADLOCKS = new Set(['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT', 'ER_CHECKREAD']);

/** Deadlock (1213), lock wait (1205) or a busy SQLite file: nothing was changed, and a second try may pass. */
export function isContention(error: unknown): boolean {
  return DEADLOCKS.has(codeOf(error)) || isBusyFile(error);
}

/** Another process writes to the SQLite file. */
export function isBusyFile(error: unknown): boolean {
  return /^SQLITE_BUSY(_|$)/.test(codeOf(error));
}

const UNIQUE = new Set(['ER_DUP_ENTRY', 'SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_PRIMARYKEY']);

export function isUniqueViolation(error: unknown): boolean {
  return UNIQUE.has(codeOf(error));
}

/**
 * True when the error is of this unique constraint. MySQL names the constraint at the very end of its message, SQLite
 * the columns; what the caller sent stands before, and can't pass for it.
 */
export function violatesUnique(error: unknown, constraint: string, columns: readonly string[]): boolean {
  if (!isUniqueViolation(error)) return false;
  const message = String((error as DriverError).message);
  const endings = [`'${constraint}'`, `.${constraint}'`, `UNIQUE constraint failed: ${columns.join(', ')}`];
  return endings.some((ending) => message.endsWith(ending));
}

/**
 * Codes by which a database is out of reach or can't serve now, whatever the statement. All others speak of the
 * statement or the schema: those are bugs, and a client told to come back (503) would do so for ever.
 */
const UNAVAILABLE: readonly RegExp[] = [
  // The network, and too few sockets or ports of our own.
  /^(ECONN[A-Z]+|EPIPE|ETIMEDOUT|EHOST[A-Z]+|ENET[A-Z]+|ENOTFOUND|EAI_[A-Z]+|EADDRNOTAVAIL|EMFILE|ENFILE)$/,
  // mysql2, about the connection and not the statement.
  /^(PROTOCOL|HANDSHAKE)_[A-Z_]+$/,
  // SQLite: the file is held, damaged, gone, full or on a disk that fails.
  /^SQLITE_(BUSY|LOCKED|PROTOCOL|IOERR|FULL|NOMEM|READONLY|PERM|CANTOPEN|CORRUPT|NOTADB)(_[A-Z0-9_]+)?$/,
  // Locks, and commits that other nodes of a cluster refuse.
  /^ER_(LOCK_(DEADLOCK|WAIT_TIMEOUT|TABLE_FULL|ABORTED|NOWAIT)|CHECKREAD|CANT_LOCK)$/,
  /^ER_(ERROR_DURING_COMMIT|TRANSACTION_ROLLBACK_DURING_COMMIT)$/,
  // Too many at once, or too long.
  /^ER_(CON_COUNT_ERROR|TOO_MANY_USER_CONNECTIONS|USER_LIMIT_REACHED|CANT_CREATE_THREAD|QUERY_INTERRUPTED|QUERY_TIMEOUT)$/,
  // The server or the connection is ending; UNKNOWN_COM is a Galera node that has not joined yet.
  /^ER_(SERVER_SHUTDOWN|NORMAL_SHUTDOWN|SERVER_ISNT_AVAILABLE|SERVER_OFFLINE_MODE|SERVER_IS_[A-Z_]+|UNKNOWN_COM_ERROR)$/,
  /^ER_((NEW_)?ABORTING_CONNECTION|SESSION_WAS_KILLED|CLIENT_INTERACTION_TIMEOUT|NET_(?!PACKET_TOO_LARGE)[A-Z_]+)$/,
  // It lets nobody in, or not us: a password or a grant that changed, a database being restored.
  /^ER_(ACCESS_DENIED[A-Z_]*|DBACCESS_DENIED_ERROR|BAD_DB_ERROR|HOST_IS_BLOCKED|HOST_NOT_PRIVILEGED|ACCOUNT_HAS_BEEN_LOCKED)$/,
  // It reads but doesn't write, as after a failover.
  /^ER_(OPTION_PREVENTS_STATEMENT|READ_ONLY_MODE|INNODB_READ_ONLY|OPEN_AS_READONLY|SCHEMA_READ_ONLY)$/,
  /^ER_(CANT_EXECUTE_IN_READ_ONLY_TRANSACTION|CANT_UPDATE_WITH_READLOCK)$/,
  // Disk or memory is full; GET_ERRNO is any fault of the storage engine.
  /^ER_(DISK_FULL(_NOWAIT)?|RECORD_FILE_FULL|INNODB_UNDO_LOG_FULL|GET_ERRNO|ERROR_ON_(READ|WRITE))$/,
  /^ER_(OUTOFMEMORY|OUT_OF_SORTMEMORY|OUT_OF_RESOURCES|ENGINE_OUT_OF_MEMORY)$/,
  // MariaDB's own, which mysql2 has no name for: connection killed, statement too slow.
  /^ERRNO_(1927|1969)$/,
];

/**
 * What a caller of the store gets: {@link DependencyUnavailable} for a database that can't serve, an error with the code
 * alone for a statement it refuses, and a fault of our own code as it came. The driver's error is never passed on, not
 * as a cause either: its message and properties hold the statement, values and the user name.
 */
export function toDatabaseFault(error: unknown): unknown {
  if (error instanceof DependencyUnavailable) return error;
  const { name, fatal } = (error ?? {}) as DriverError;
  const code = codeOf(error);
  if (name === 'KnexTimeoutError') return unavailable('POOL_TIMEOUT');
  // mysql2 sets it where the connection is lost or was never made.
  if (fatal === true) return unavailable(code || 'CONNECTION_CLOSED');
  if (UNAVAILABLE.some((pattern) => pattern.test(code))) return unavailable(code);
  return code === '' ? error : new Error(`the database driver refused a statement: ${code}`);
}

/** The driver's name for the error, or its number; empty where it has neither and so is no driver's. */
function codeOf(error: unknown): string {
  const { code, errno } = (error ?? {}) as DriverError;
  if (typeof code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(code)) return code;
  return typeof errno === 'number' ? `ERRNO_${errno}` : '';
}

/** @param reason a code, never a driver's message */
export function unavailable(reason: string): DependencyUnavailable {
  return new DependencyUnavailable('database', new Error(reason));
}
