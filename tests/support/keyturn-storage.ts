import { randomBytes } from 'node:crypto';
import { serviceUrl } from './services.ts';
import { sqlDatabases } from './sql-databases.ts';

/** A migrated, empty store, and the settings by which any number of instances run on it. */
export interface KeyturnStorage {
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export interface KeyturnStorageKind {
  /** What it is made of, for names of suites. */
  readonly name: string;
  open(): Promise<KeyturnStorage>;
}

export const newMasterKey = (): string => randomBytes(32).toString('base64');

function storageKind(database: (typeof sqlDatabases)[number], redisUrl: string | null): KeyturnStorageKind {
  return {
    name: redisUrl === null ? database.name : `${database.name} and Redis`,
    async open() {
      const { url, close } = await database.open();
      const redis = redisUrl === null ? {} : { REDIS_URL: redisUrl };
      return { environment: { DATABASE_URL: url, KEYTURN_MASTER_KEY: newMasterKey(), ...redis }, close };
    },
  };
}

const [sqlite, mariadb] = sqlDatabases;
if (sqlite === undefined) throw new Error('SQLite is always there');

/** Embedded: keys and sessions in one SQLite file. */
export const sqliteStorage = storageKind(sqlite, null);

/** Keys and sessions in one MariaDB; null where there is none. */
export const mariadbStorage = mariadb === undefined ? null : storageKind(mariadb, null);

const redisUrl = serviceUrl('redis');

/** Keys in MariaDB, sessions in Redis; null where either is missing, which the run says loudly. */
export const serverStorage = mariadb === undefined || redisUrl === null ? null : storageKind(mariadb, redisUrl);

/** What an HTTP suite runs on: the two set-ups that are documented. */
export const keyturnStorages: readonly KeyturnStorageKind[] = serverStorage
  ? [sqliteStorage, serverStorage]
  : [sqliteStorage];
