import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Knex } from 'knex';
import { type Database, openDatabase } from '../../db/sql/database.ts';
import { SqlApiKeyStore } from '../../db/sql/sql-api-key-store.ts';
import { SqlProjectStore } from '../../db/sql/sql-project-store.ts';
import type { ApiKeyFilter, ApiKeySort } from '../../server/api-keys/api-key-store.ts';
import type { PageRequest, Position } from '../../server/page.ts';
import { type OpenSqlDatabase, sqlDatabases } from '../support/sql-databases.ts';
import { anInstallation, aTrail } from './api-key-store-records.ts';
import { insertManyKeys, manyKeysTimes, numberedKey } from './many-api-keys.ts';

const COUNT = 30_000;
/**
 * What a list may read, whatever the project holds: it looks at a thousand keys, MariaDB counts a row that is asked for in
 * an index and then in its table, or that is sorted, more than once, and words and roles are rows, too.
 */
const MAX_ROWS_READ = 15_000;

const timeAt = (share: number) => manyKeysTimes.firstMs + manyKeysTimes.stepMs * COUNT * share;
const FILTERS: readonly ApiKeyFilter[] = [
  {},
  { words: ['runner'] },
  { words: ['c', 'eu'] },
  { words: ['us', 'runner'] },
  { words: ['rare'] },
  { ownerId: 'usr_b' },
  { isValid: true },
  { isValid: false },
  { ownerId: 'usr_b', isValid: false },
  { expiresBeforeMs: timeAt(0.9) },
  { unusedSinceMs: timeAt(0.5) },
  { unusedSinceMs: timeAt(0.1), isValid: true },
  { roleId: 'rol_many' },
  { roleId: 'rol_many', workspaceId: 'wsp_many', words: ['us'] },
  { permission: 'write:defect/1' },
  { permission: 'read:workspace/many/defect', isValid: true },
  { words: ['rare'], permission: 'read:credential/prod-db' },
];
const SORTS = ['created_at', 'name', 'last_used_at', 'expires_at'] as const satisfies readonly ApiKeySort[];

/** The beginning of the list, and far within it. */
function positions(projectId: string, sort: ApiKeySort): readonly (Position | null)[] {
  const { id, name, lastUsedAtMs, expiresAtMs } = numberedKey(projectId, 0.45 * COUNT, COUNT);
  const values = { created_at: null, name, last_used_at: lastUsedAtMs, expires_at: expiresAtMs };
  // The last is no position of ours, but anybody can write a cursor.
  return [null, { id, value: values[sort] }, { id, value: sort === 'name' ? 0 : '0' }];
}

function requests(projectId: string): PageRequest<ApiKeySort>[] {
  return SORTS.flatMap((sort) =>
    [false, true].flatMap((isDescending) =>
      positions(projectId, sort).map((after) => ({ limit: 50, sort, isDescending, after })),
    ),
  );
}

async function rowsReadSoFar(knex: Knex): Promise<number> {
  const [counters] = await knex.raw("SHOW SESSION STATUS LIKE 'Handler_read%'");
  return counters.reduce((sum: number, { Value: value }: { Value: string }) => sum + Number(value), 0);
}

/** By this one connection, without what the question itself reads. */
async function rowsReadBy(database: Database, act: () => Promise<unknown>): Promise<number> {
  const counts = [await database.run(rowsReadSoFar), await database.run(rowsReadSoFar)] as const;
  await act();
  return (await database.run(rowsReadSoFar)) - counts[1] - (counts[1] - counts[0]);
}

describe.each(sqlDatabases)(`a list of ${COUNT} keys on $name`, ({ name, open }) => {
  let sql: OpenSqlDatabase;
  /** Of one connection, whose counters and statements are those of the list. */
  let database: Database;
  let store: SqlApiKeyStore;
  let projectId: string;

  beforeAll(async () => {
    sql = await open();
    database = openDatabase(sql.url, { poolMax: 1 });
    store = new SqlApiKeyStore(database, aTrail());
    const installation = anInstallation();
    projectId = installation.project.id;
    await new SqlProjectStore(database, aTrail()).bootstrap(installation);
    await insertManyKeys(database, projectId, COUNT);
  }, 120_000);
  afterAll(async () => {
    await database?.close();
    await sql?.close();
  });

  const isGrowing = { MariaDB: readsMany, SQLite: readsByNoIndex }[name];

  it.each(FILTERS.map((filter) => [JSON.stringify(filter), filter] as const))(
    'does not grow with the project: %s',
    async (_name, filter) => {
      const growing: string[] = [];
      for (const request of requests(projectId)) {
        const found = await isGrowing(database, () => store.list(projectId, filter, request));
        growing.push(...found.map((what) => `${what}: ${JSON.stringify(request)}`));
      }
      expect(growing).toEqual([]);
    },
  );
});

type List = () => Promise<unknown>;

async function readsMany(database: Database, list: List): Promise<string[]> {
  const read = await rowsReadBy(database, list);
  return read > MAX_ROWS_READ ? [`${read} rows`] : [];
}

async function readsByNoIndex(database: Database, list: List): Promise<string[]> {
  const statements: Statement[] = [];
  await database.run(async (knex) => void knex.on('query', (query) => statements.push(query)));
  await list();
  await database.run(async (knex) => void knex.removeAllListeners('query'));
  if (statements.length === 0) return ['no statement was seen'];
  const steps = [];
  for (const statement of statements) steps.push(...(await growingSteps(database, statement)));
  return steps;
}

interface Statement {
  readonly sql: string;
  readonly bindings: readonly string[];
}

/** The steps of SQLite's plan that would take longer in a larger project. */
async function growingSteps(database: Database, { sql, bindings }: Statement): Promise<string[]> {
  const explain = async (knex: Knex) => knex.raw(`EXPLAIN QUERY PLAN ${sql}`, bindings);
  const steps: { readonly detail: string }[] = await database.run(explain);
  // A thousand keys that are known by their ids, or their roles, may be sorted; the count reads what another statement within it has found.
  const isOfKnownKeys = /`(api_keys`\.`id|api_key_roles`\.`key_id)` in \(/.test(sql);
  const isGrowingStep = ({ detail }: { readonly detail: string }) =>
    (/^SCAN /.test(detail) && detail !== 'SCAN some') || (/TEMP B-TREE/.test(detail) && !isOfKnownKeys);
  return steps.filter(isGrowingStep).map(({ detail }) => `${detail}: ${sql.slice(0, 300)}`);
}
