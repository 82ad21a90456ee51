import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Database, openDatabase } from '../../db/sql/database.ts';
import { migrateToHead, migrationStatus } from '../../db/sql/migrate.ts';
import { SqlSessionStore } from '../../db/sql/sql-session-store.ts';
import { DependencyUnavailable } from '../../server/dependency-unavailable.ts';
import { runKeyturn } from '../cli/run-keyturn.ts';
import { inProcesses } from '../support/sql-databases.ts';

const MODULES = { 'db/sql/database.ts': 'openDatabase', 'db/sql/sql-session-store.ts': 'SqlSessionStore' };

describe('A SQLite file', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'keyturn-file-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('and its folder are for their owner alone, its companions too', async () => {
    const inner = path.join(folder, 'data', 'deep');
    const database = openDatabase(`sqlite:${path.join(inner, 'keyturn.db')}`);
    await migrateToHead(database);
    const modes = readdirSync(inner).map((name) => [name, (statSync(path.join(inner, name)).mode & 0o777).toString(8)]);
    expect(Object.fromEntries(modes)).toEqual({
      'keyturn.db': '600',
      'keyturn.db-shm': '600',
      'keyturn.db-wal': '600',
    });
    expect(statSync(inner).mode & 0o777).toBe(0o700);
    expect(statSync(path.dirname(inner)).mode & 0o777).toBe(0o700);
    await database.close();
  });

  it('alone is a whole backup once the service has ended', async () => {
    const file = path.join(folder, 'keyturn.db');
    const database = openDatabase(`sqlite:${file}`);
    const { applied } = await migrateToHead(database);
    await database.close();
    const copy = path.join(folder, 'backup', 'keyturn.db');
    mkdirSync(path.dirname(copy));
    copyFileSync(file, copy);
    const restored = openDatabase(`sqlite:${copy}`);
    expect((await migrationStatus(restored)).applied).toEqual(applied);
    await restored.close();
  });

  it('is written through to the disk at every commit', async () => {
    const database = openDatabase(`sqlite:${path.join(folder, 'keyturn.db')}`);
    const pragma = (name: string) => database.run((knex) => knex.raw(`PRAGMA ${name}`));
    expect(await pragma('journal_mode')).toEqual([{ journal_mode: 'wal' }]);
    expect(await pragma('synchronous')).toEqual([{ synchronous: 2 }]);
    expect(await pragma('foreign_keys')).toEqual([{ foreign_keys: 1 }]);
    await database.close();
  });

  it('keeps its write-ahead log when another process ends, after this one has opened it twice', async () => {
    const url = `sqlite:${path.join(folder, 'keyturn.db')}`;
    const first = openDatabase(url);
    await migrateToHead(first);
    // Opening and closing the file here, by hand, would drop the locks by which others know that the database is in use.
    const second = openDatabase(url);
    await second.ping();
    const names = () => readdirSync(folder).sort();
    const before = names();
    // A command that ends by itself, and so closes the database as SQLite wants it to be closed.
    const visit = await runKeyturn(['migrate', '--status'], { cwd: folder, env: { DATABASE_URL: url } });
    expect(visit).toMatchObject({ exitCode: 0 });
    expect(names()).toEqual(before);
    await second.run((knex) => knex('counters').where({ name: 'changes' }).update({ value: 7 }));
    const READ = `const database = openDatabase(url);
      report(await database.run((knex) => knex('counters').where({ name: 'changes' }).pluck('value')));`;
    expect(await inProcesses(1, url, { 'db/sql/database.ts': 'openDatabase' }, READ)).toEqual([[7]]);
    await first.close();
    await second.close();
  });

  it('keeps every acknowledged rotation of a killed process', async () => {
    const url = `sqlite:${path.join(folder, 'keyturn.db')}`;
    const database = openDatabase(url);
    await migrateToHead(database);
    const grant = { permissions: ['read:a'], permissionSet: null, resource: null };
    const session = {
      id: 'ses_1',
      keyId: 'key_1',
      secretVersion: 1,
      attemptId: 'a',
      ip: null,
      grant,
      sessionMaxSeconds: null,
    };
    await new SqlSessionStore(database).begin({ ...session, refreshTokenSeconds: 1000 });
    // It reports in the middle of its work and is killed there and then.
    const [acknowledged] = await inProcesses<number>(
      1,
      url,
      MODULES,
      `const store = new SqlSessionStore(openDatabase(url));
      for (let generation = 1; ; generation++) {
        const attempt = { sessionId: 'ses_1', generation, attemptId: 'a' + generation, ip: null };
        await store.rotate({ ...attempt, refreshTokenSeconds: 1000, retrySeconds: 0 });
        if (generation === 50) report(generation + 1);
      }`,
    );
    expect((await new SqlSessionStore(database).find('ses_1'))?.generation).toBeGreaterThanOrEqual(
      Number(acknowledged),
    );
    expect(await database.run((knex) => knex.raw('PRAGMA integrity_check'))).toEqual([{ integrity_check: 'ok' }]);
    await database.close();
  });

  it('that is gone with its folder is unavailable, and its path is not told', async () => {
    const inner = path.join(folder, 'sentinel');
    const database = openDatabase(`sqlite:${path.join(inner, 'keyturn.db')}`);
    rmSync(inner, { recursive: true });
    const error = await database.ping().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DependencyUnavailable);
    expect((error as Error).cause).toMatchObject({ message: 'SQLITE_CANTOPEN' });
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('sentinel');
    await database.close();
  });

  it('that is none is unavailable, with the reason', async () => {
    const file = path.join(folder, 'keyturn.db');
    writeFileSync(file, 'this is not a database, it is a letter to a friend'.repeat(100));
    const database = openDatabase(`sqlite:${file}`);
    const error = await database.ping().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DependencyUnavailable);
    expect((error as Error).cause).toMatchObject({ message: 'SQLITE_NOTADB' });
    await database.close();
  });
});

describe('A SQLite file that another process writes to', () => {
  let folder: string;
  let writer: Database;
  let database: Database;
  const row = (id: string) => ({ id, slug: id, name: id, audiences: '[]', created_at_ms: 0 });

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'keyturn-busy-'));
    const url = `sqlite:${path.join(folder, 'keyturn.db')}`;
    [writer, database] = [openDatabase(url), openDatabase(url)];
    await migrateToHead(database);
  });
  afterEach(async () => {
    await Promise.all([writer.close(), database.close()]);
    rmSync(folder, { recursive: true, force: true });
  });

  it('never blocks the event loop for long', async () => {
    const [{ timeout }] = await database.run((knex) => knex.raw('PRAGMA busy_timeout'));
    expect(timeout).toBeLessThanOrEqual(20);
  });

  /** Holds the file from when this resolves until `release` is called; `ended` is then to be awaited. */
  const hold = async () => {
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let ended: Promise<void> = Promise.resolve();
    await new Promise<void>((resolve) => {
      ended = writer.transactionWithoutLimits(async (trx) => {
        await trx('projects').insert(row('theirs'));
        resolve();
        await released;
      });
    });
    return { release, ended };
  };

  it('is written to once it is free, however many tries that takes', async () => {
    const { release, ended } = await hold();
    let attempts = 0;
    await database.run(async (knex) => {
      if (++attempts === 6) {
        release();
        await ended;
      }
      await knex('projects').insert(row('ours'));
    });
    expect(attempts).toBe(6);
    expect(await database.run((knex) => knex('projects').orderBy('id').pluck('id'))).toEqual(['ours', 'theirs']);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['statement', () => database.run((knex) => knex('projects').insert(row('ours')))],
    ['transaction', () => database.transaction((trx) => trx('projects').insert(row('ours')))],
  ])('is unavailable to a %s in time, and what is read and written after that is not of the past', async (_, write) => {
    const ids = () => database.run((knex) => knex('projects').orderBy('id').pluck('id'));
    const { release, ended } = await hold();
    const start = performance.now();
    await expect(write()).rejects.toThrow(DependencyUnavailable);
    expect(performance.now() - start).toBeLessThan(1500);
    expect(await ids()).toEqual([]);
    release();
    await ended;
    expect(await ids()).toEqual(['theirs']);
    await write();
    expect(await ids()).toEqual(['ours', 'theirs']);
  });
});

describe('openDatabase', () => {
  it('keeps a database in memory across calls', async () => {
    const database = openDatabase('sqlite::memory:');
    expect((await migrateToHead(database)).applied).not.toEqual([]);
    expect((await migrateToHead(database)).applied).toEqual([]);
    await database.close();
  });
});
