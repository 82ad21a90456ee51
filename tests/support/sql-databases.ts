import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import mysql from 'mysql2/promise';
import { type Database, openDatabase } from '../../db/sql/database.ts';
import { migrateToHead } from '../../db/sql/migrate.ts';
import { serviceUrl } from './services.ts';

export interface OpenSqlDatabase {
  readonly database: Database;
  /** For another instance on the same store. */
  readonly url: string;
  /** Closes and removes it. */
  close(): Promise<void>;
}

export interface SqlDatabase {
  readonly name: 'SQLite' | 'MariaDB';
  /** A store of its own, at head. */
  open(): Promise<OpenSqlDatabase>;
  /** The same, empty and without a schema. */
  openEmpty(): Promise<OpenSqlDatabase>;
}

let madeCount = 0;

/** Runs SQL as the user of the shared server, outside of any store. */
export async function onMariadb(serverUrl: string, ...statements: readonly string[]): Promise<void> {
  const connection = await mysql.createConnection(serverUrl);
  try {
    for (const statement of statements) await connection.query(statement);
  } finally {
    connection.destroy();
  }
}

const openEmpty = {
  async SQLite(): Promise<OpenSqlDatabase> {
    const folder = mkdtempSync(path.join(tmpdir(), 'keyturn-sql-'));
    const url = `sqlite:${path.join(folder, 'keyturn.db')}`;
    const database = openDatabase(url);
    const close = async () => {
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    };
    return { database, url, close };
  },
  async MariaDB(): Promise<OpenSqlDatabase> {
    const serverUrl = serviceUrl('mariadb');
    if (serverUrl === null) throw new Error('no MariaDB in this run');
    // The process and a count name it, so that parallel suites never meet.
    const name = `t_${process.pid}_${++madeCount}`;
    const url = Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href;
    await onMariadb(serverUrl, `DROP DATABASE IF EXISTS ${name}`, `CREATE DATABASE ${name}`);
    const database = openDatabase(url);
    const close = async () => {
      await database.close();
      await onMariadb(serverUrl, `DROP DATABASE ${name}`);
    };
    return { database, url, close };
  },
};

function sqlDatabase(name: SqlDatabase['name']): SqlDatabase {
  const open = async () => {
    const store = await openEmpty[name]();
    await migrateToHead(store.database);
    return store;
  };
  return { name, open, openEmpty: openEmpty[name] };
}

/** Every SQL suite runs on each of these. Without a MariaDB server, which the run says loudly, on SQLite alone. */
export const sqlDatabases: readonly SqlDatabase[] =
  serviceUrl('mariadb') === null ? [sqlDatabase('SQLite')] : [sqlDatabase('SQLite'), sqlDatabase('MariaDB')];

const LOADER = ['--conditions=keyturn-source', '--import', 'tsx', '--input-type=module'];

/**
 * Runs `body` in processes of their own, which start it in the same moment. It finds the store's url in `url`, a number
 * of its own in `index`, and what it gives to `report` comes back, by process.
 *
 * @param imports module path from the root of the repository -> names
 */
export async function inProcesses<T>(
  count: number,
  url: string,
  imports: Readonly<Record<string, string>>,
  body: string,
): Promise<T[]> {
  const root = new URL('../../', import.meta.url);
  const importing = Object.entries(imports).map(
    ([file, names]) => `import { ${names} } from '${new URL(file, root)}';`,
  );
  const script = `${importing.join('\n')}
    const url = process.env.STORE_URL;
    const index = Number(process.env.INDEX);
    const report = (result) => process.stdout.write(JSON.stringify(result) + '\\n');
    process.stdout.write('ready\\n');
    await new Promise((resolve) => process.stdin.once('data', resolve));
    process.stdin.destroy();
    ${body}`;
  const children = Array.from({ length: count }, (_, index) => {
    // Not the whole of our environment: NODE_OPTIONS there is meant for Jest.
    const env = { PATH: process.env['PATH'], STORE_URL: url, INDEX: String(index) };
    return spawn(process.execPath, [...LOADER, '-e', script], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  });
  const lines = children.map((child) => createInterface(child.stdout)[Symbol.asyncIterator]());
  const nextLines = () => Promise.all(lines.map(async (line) => (await line.next()).value));
  try {
    await nextLines();
    for (const child of children) child.stdin.end('go');
    return (await nextLines()).map((line) => JSON.parse(line ?? 'null'));
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
}
