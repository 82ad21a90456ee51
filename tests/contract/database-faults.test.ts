import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Knex } from 'knex';
import { SqlSessionStore } from '../../db/sql/sql-session-store.ts';
import { DependencyUnavailable } from '../../server/dependency-unavailable.ts';
import { describeOn } from '../support/services.ts';
import { type OpenSqlDatabase, sqlDatabases } from '../support/sql-databases.ts';
import { newSession } from './session-store.ts';

const project = { id: 'sentinel', slug: 'sentinel', name: 'sentinel', audiences: '[]', created_at_ms: 0 };

async function faultOf(answer: Promise<unknown>): Promise<unknown> {
  return answer.then(
    () => 'no fault',
    (error: unknown) => error,
  );
}

/** A fault of ours: not to be tried again by a client, told by its code, without statement or value. */
function expectRefusal(error: unknown, code: string): void {
  expect(error).toBeInstanceOf(Error);
  expect(error).not.toBeInstanceOf(DependencyUnavailable);
  expect((error as Error).message).toBe(`the database driver refused a statement: ${code}`);
  expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/sentinel|insert into|select [^i]/i);
}

describe.each(sqlDatabases)('A statement that $name refuses', ({ name, open }) => {
  let sql: OpenSqlDatabase;

  beforeAll(async () => {
    sql = await open();
    await sql.database.run((knex) => knex('projects').insert(project));
  });
  afterAll(() => sql.close());

  const twice = { ...project, slug: 'other' };
  const orphan = { token_hash: 'a', user_id: 'sentinel', expires_at_ms: 1 };

  it.each<[string, { SQLite: string; MariaDB: string }, (knex: Knex) => Promise<unknown>]>([
    [
      'for a column that is not there',
      { SQLite: 'SQLITE_ERROR', MariaDB: 'ER_BAD_FIELD_ERROR' },
      async (knex) => knex('projects').where({ sentinel_column: 'sentinel' }),
    ],
    [
      'for a table that is not there',
      { SQLite: 'SQLITE_ERROR', MariaDB: 'ER_NO_SUCH_TABLE' },
      async (knex) => knex('sentinel_table').where({ id: 'sentinel' }),
    ],
    [
      'for its grammar',
      { SQLite: 'SQLITE_ERROR', MariaDB: 'ER_PARSE_ERROR' },
      async (knex) => knex.raw("SELEC 'sentinel'"),
    ],
    [
      'for a row that is there already',
      { SQLite: 'SQLITE_CONSTRAINT_PRIMARYKEY', MariaDB: 'ER_DUP_ENTRY' },
      async (knex) => knex('projects').insert(twice),
    ],
    [
      'for a row that is not there',
      { SQLite: 'SQLITE_CONSTRAINT_FOREIGNKEY', MariaDB: 'ER_NO_REFERENCED_ROW_2' },
      async (knex) => knex('setup_links').insert(orphan),
    ],
    [
      'for a value that is missing',
      { SQLite: 'SQLITE_CONSTRAINT_NOTNULL', MariaDB: 'ER_BAD_NULL_ERROR' },
      async (knex) => knex('projects').insert({ ...project, id: 'sentinel-2', slug: null }),
    ],
  ])('%s is a fault of ours, by its code alone', async (_, codes, statement) => {
    expectRefusal(await faultOf(sql.database.run(statement)), codes[name]);
    expectRefusal(await faultOf(sql.database.transaction(statement)), codes[name]);
  });

  it('leaves errors of our own as they are', async () => {
    const own = new RangeError('own');
    await expect(sql.database.transaction(async () => Promise.reject(own))).rejects.toBe(own);
  });
});

describeOn('mariadb', 'A value longer than its column on MariaDB', () => {
  it('is a fault of ours, not an outage', async () => {
    const sql = await sqlDatabases.find(({ name }) => name === 'MariaDB')?.open();
    if (!sql) throw new Error('no MariaDB in this run');
    const unwritable = newSession({ keyId: 'sentinel-value'.repeat(100) });
    expectRefusal(await faultOf(new SqlSessionStore(sql.database).begin(unwritable)), 'ER_DATA_TOO_LONG');
    await sql.close();
  });
});
