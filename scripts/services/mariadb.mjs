/** A private MariaDB (or MySQL): made, started and emptied in about a second. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import mysql from 'mysql2/promise';
import { findBinary, freePorts, LOOPBACK, makeFolder, onFreePorts, startServer } from './guarded-process.mjs';

export function findMariadb() {
  const server = findBinary('mariadbd', 'mysqld');
  const install = findBinary('mariadb-install-db', 'mysql_install_db');
  return server && install ? { server, install } : null;
}

/** The user may make databases, so that each suite has its own. */
const FIRST_SQL = `CREATE DATABASE IF NOT EXISTS keyturn;
CREATE USER IF NOT EXISTS keyturn@'%' IDENTIFIED BY 'keyturn';
GRANT ALL ON *.* TO keyturn@'%' WITH GRANT OPTION;
`;

export function mariadbUrl(port) {
  return `mysql://keyturn:keyturn@${LOOPBACK}:${port}/keyturn`;
}

export async function mariadbVersion(url) {
  const connection = await mysql.createConnection({ uri: url, connectTimeout: 2000 });
  try {
    const [rows] = await connection.query('SELECT VERSION() AS version');
    return rows[0].version.split('-')[0];
  } finally {
    connection.destroy();
  }
}

export function startMariadb() {
  return onFreePorts(startMariadbOnce);
}

async function startMariadbOnce() {
  const { server, install } = findMariadb();
  const [port] = await freePorts(1);
  const folder = makeFolder('mariadb');
  const [data, firstSql] = [path.join(folder, 'data'), path.join(folder, 'first.sql')];
  writeFileSync(firstSql, FIRST_SQL);
  const asUser = process.getuid?.() === 0 ? ['--user=root'] : [];
  const installing = [
    install,
    '--no-defaults',
    `--datadir=${data}`,
    '--skip-test-db',
    '--skip-name-resolve',
    ...asUser,
  ];
  const serving = [
    server,
    '--no-defaults',
    `--datadir=${data}`,
    `--socket=${path.join(folder, 's')}`, // sun_path holds 107 bytes: a short name
    `--pid-file=${path.join(folder, 'pid')}`,
    `--init-file=${firstSql}`,
    `--port=${port}`,
    `--bind-address=${LOOPBACK}`,
    '--skip-name-resolve',
    '--innodb-flush-log-at-trx-commit=2', // survives a kill of the process, which is all that a test can do
    '--innodb-buffer-pool-size=32M',
    '--innodb-log-file-size=16M',
    '--max-connections=500',
    '--sync-binlog=0',
    '--character-set-server=utf8mb4',
    '--collation-server=utf8mb4_unicode_ci',
    ...asUser,
  ];
  // One command, so that the guard holds the folder from the first moment; exec keeps the pid.
  const script = `[ -d "$0/mysql" ] || ${quoted(installing)} >/dev/null; exec ${quoted(serving)}`;
  const url = mariadbUrl(port);
  const running = await startServer({
    name: 'mariadb',
    command: ['sh', '-c', script, data],
    folder,
    isReady: () => mariadbVersion(url),
  });
  return Object.assign(running, { port, url });
}

function quoted(words) {
  return words.map((word) => `'${word}'`).join(' ');
}
