import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PermissionSet } from '@keyturn/lib/protocol';
import fc from 'fast-check';
import type { Knex } from 'knex';
import { insertApiKey } from '../../db/sql/api-key-row.ts';
import { SqlApiKeyStore } from '../../db/sql/sql-api-key-store.ts';
import { SqlProjectStore } from '../../db/sql/sql-project-store.ts';
import type { ApiKey } from '../../server/api-keys/api-key.ts';
import type { ApiKeyFilter, ApiKeySort } from '../../server/api-keys/api-key-store.ts';
import { wordsOf } from '../../server/api-keys/search-words.ts';
import type { Position } from '../../server/page.ts';
import { newId } from '../../server/random.ts';
import { type OpenSqlDatabase, sqlDatabases } from '../support/sql-databases.ts';
import { anApiKey, anInstallation, aTrail } from './api-key-store-records.ts';

const OWNERS = ['usr_a', 'usr_b', 'usr_c'];
const TIMES = [1_000, 2_000, 3_000, 4_000];
const ROLES = { rol_reader: ['read:credential'], rol_writer: ['write:credential/prod-*'] };
const WORKSPACES = ['wsp_one', 'wsp_two'];
const WORDS = ['ci', 'run', 'Runner', 'RUN', 'eu', 'Éclair', '日本', '𐐷𐐷', 'z'];
const PERMISSIONS = [
  'read:credential',
  'read:credential/prod-db',
  'write:credential/prod-db',
  'write:credential',
  '*:*',
];

/** Another project has the same, with other ids. */
const othersOf = (id: string) => `${id}_other`;

const maybe = <T>(values: readonly T[]) => fc.option(fc.constantFrom(...values), { nil: null });
const sometimes = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });

const keyFields = fc.record({
  words: fc.array(fc.constantFrom(...WORDS), { maxLength: 3 }),
  ownerId: fc.constantFrom(...OWNERS),
  isValid: fc.boolean(),
  expiresAtMs: maybe(TIMES),
  lastUsedAtMs: maybe(TIMES),
  createdAtMs: fc.constantFrom(...TIMES),
  permissions: fc.uniqueArray(fc.constantFrom(...PERMISSIONS), { maxLength: 2 }),
  roles: fc.uniqueArray(fc.record({ roleId: fc.constantFrom(...Object.keys(ROLES)), workspaceId: maybe(WORKSPACES) }), {
    maxLength: 2,
    selector: ({ roleId, workspaceId }) => `${roleId} ${workspaceId}`,
  }),
});

/** The same at every run, so that a failure is one of the query and not of the data. */
const SAMPLE = fc.sample(keyFields, { numRuns: 60, seed: 4 });

const filters = fc.record({
  words: sometimes(
    fc.array(fc.constantFrom('c', 'ci', 'ru', 'run', 'runner', 'é', '日', '𐐷', 'nobody'), { maxLength: 2 }),
  ),
  ownerId: sometimes(fc.constantFrom(...OWNERS, 'usr_nobody')),
  isValid: sometimes(fc.boolean()),
  expiresBeforeMs: sometimes(fc.constantFrom(1_000, 2_500, 9_000)),
  unusedSinceMs: sometimes(fc.constantFrom(1_000, 2_500, 4_000, 9_000)),
  permission: sometimes(fc.constantFrom(...PERMISSIONS, 'read:workspace/one/credential/x')),
  roleId: sometimes(fc.constantFrom(...Object.keys(ROLES), othersOf('rol_reader'), 'rol_nobody')),
  workspaceId: sometimes(fc.constantFrom(...WORKSPACES, othersOf('wsp_one'))),
});

const SORTS = ['created_at', 'name', 'last_used_at', 'expires_at'] as const satisfies readonly ApiKeySort[];

/** What belongs to the list, by the words of the contract. */
function isListed(key: ApiKey, filter: ApiKeyFilter): boolean {
  const { words = [], expiresBeforeMs, unusedSinceMs, permission } = filter;
  const ofKey = wordsOf(key);
  return (
    words.every((word) => ofKey.some((own) => own.startsWith(word))) &&
    (filter.id ?? key.id) === key.id &&
    (filter.ownerId ?? key.ownerId) === key.ownerId &&
    (filter.isValid ?? key.isValid) === key.isValid &&
    (expiresBeforeMs === undefined || (key.expiresAtMs ?? Number.POSITIVE_INFINITY) < expiresBeforeMs) &&
    (unusedSinceMs === undefined || (key.lastUsedAtMs ?? key.createdAtMs) < unusedSinceMs) &&
    (permission === undefined || PermissionSet.parse(key.effectivePermissions).can(permission)) &&
    ((filter.roleId ?? filter.workspaceId) === undefined ||
      key.roles.some(
        ({ roleId, workspaceId }) =>
          (filter.roleId ?? roleId) === roleId && (filter.workspaceId ?? workspaceId) === workspaceId,
      ))
  );
}

const VALUE_OF: Record<ApiKeySort, (key: ApiKey) => string | number | null> = {
  created_at: () => 0,
  name: ({ name }) => name,
  last_used_at: ({ lastUsedAtMs }) => lastUsedAtMs,
  expires_at: ({ expiresAtMs }) => expiresAtMs,
};

function compare(one: string | number | null, other: string | number | null): number {
  if (typeof one === 'string' && typeof other === 'string') return Buffer.compare(Buffer.from(one), Buffer.from(other));
  return Number(one ?? -1) - Number(other ?? -1);
}

function expectedIds(keys: readonly ApiKey[], filter: ApiKeyFilter, sort: ApiKeySort, isDescending: boolean): string[] {
  const listed = keys.filter((key) => isListed(key, filter));
  listed.sort((a, b) => compare(VALUE_OF[sort](a), VALUE_OF[sort](b)) || compare(a.id, b.id));
  return (isDescending ? listed.reverse() : listed).map(({ id }) => id);
}

async function insertRoles(knex: Knex, projectId: string, idOf: (id: string) => string): Promise<void> {
  const common = { project_id: projectId, version: 1, created_at_ms: 1, updated_at_ms: 1 };
  const roles = Object.entries(ROLES).map(([id, permissions]) => ({
    ...common,
    id: idOf(id),
    slug: id,
    name: id,
    permissions: JSON.stringify(permissions),
    is_built_in: 0,
  }));
  await knex('roles').insert(roles);
  await knex('workspaces').insert(WORKSPACES.map((id) => ({ ...common, id: idOf(id), slug: id.slice(4), name: id })));
}

describe.each(sqlDatabases)('ApiKeyStore.list on $name', ({ open }) => {
  let sql: OpenSqlDatabase;
  let projectId: string;
  let keys: ApiKey[];

  beforeAll(async () => {
    sql = await open();
    const installation = anInstallation();
    projectId = installation.project.id;
    await new SqlProjectStore(sql.database, aTrail()).bootstrap(installation);
    await sql.database.run(async (knex) => {
      await insertRoles(knex, projectId, (id) => id);
      const { id, ...others } = await knex('projects').where({ id: projectId }).first();
      await knex('projects').insert({ ...others, id: 'prj_other', slug: 'other' });
      await insertRoles(knex, 'prj_other', othersOf);
    });
    const insert = async (ofProject: string, idOf: (id: string) => string) => {
      const inserted: string[] = [];
      for (const [index, { words, ...fields }] of SAMPLE.entries()) {
        const roles = fields.roles.map(({ roleId, workspaceId }) => ({
          roleId: idOf(roleId),
          workspaceId: workspaceId && idOf(workspaceId),
        }));
        const key = anApiKey({ ...fields, roles, projectId: ofProject, name: `${words.join('-')} ${index}` });
        await sql.database.transaction((trx) => insertApiKey(trx, key));
        inserted.push(key.id);
      }
      return inserted;
    };
    const ids = await insert(projectId, (id) => id);
    await insert('prj_other', othersOf);
    const store = new SqlApiKeyStore(sql.database, aTrail());
    const found = await Promise.all([...ids, installation.apiKey.id].map((id) => store.findInProject(projectId, id)));
    keys = found.flatMap((key) => key ?? []);
    expect(keys).toHaveLength(SAMPLE.length + 1);
  }, 30_000);
  afterAll(() => sql.close());

  async function readAll(
    store: SqlApiKeyStore,
    filter: ApiKeyFilter,
    sort: ApiKeySort,
    isDescending: boolean,
    limit: number,
  ) {
    const ids: string[] = [];
    const counts: { readonly totalCount: number; readonly exceedsTotalCount: boolean }[] = [];
    let after: Position | null = null;
    for (let pages = 0; pages < 2 * keys.length; pages += 1) {
      const page = await store.list(projectId, filter, { limit, sort, isDescending, after });
      expect(page.items.length).toBeLessThanOrEqual(limit);
      ids.push(...page.items.map(({ id }) => id));
      counts.push({ totalCount: page.totalCount, exceedsTotalCount: page.exceedsTotalCount });
      if (page.next === null) return { ids, counts };
      after = page.next;
    }
    throw new Error('the list never ends');
  }

  // As far as is counted and looked at: with 5 nearly every list is walked through, with 30 some are, with 1,000 none is
  // but those by permission alone.
  it.each([5, 30, 1_000])(
    'gives each key once, in order, whatever the filters, looking at %i',
    async (maxCounted) => {
      const store = new SqlApiKeyStore(sql.database, aTrail(), { maxCounted });
      await fc.assert(
        fc.asyncProperty(
          filters,
          fc.constantFrom(...SORTS),
          fc.boolean(),
          fc.integer({ min: 1, max: 20 }),
          async (filter, sort, isDescending, limit) => {
            const expected = expectedIds(keys, filter, sort, isDescending);
            const { ids, counts } = await readAll(store, filter, sort, isDescending, limit);
            expect(ids).toEqual(expected);
            for (const { totalCount, exceedsTotalCount } of counts) {
              expect(totalCount).toBeLessThanOrEqual(expected.length);
              if (maxCounted === 1_000 && filter.permission === undefined)
                expect([totalCount, exceedsTotalCount]).toEqual([expected.length, false]);
            }
          },
        ),
        { numRuns: 150 },
      );
    },
    60_000,
  );

  it('finds one key by its id, and by the end of its client_id', async () => {
    const store = new SqlApiKeyStore(sql.database, aTrail());
    const request = { limit: 5, sort: 'name', isDescending: false, after: null } as const;
    const [key] = keys as [ApiKey];
    for (const filter of [{ id: key.id }, { words: [key.clientId.slice(-25)] }]) {
      const { items, totalCount } = await store.list(projectId, filter, request);
      expect([items.map(({ id }) => id), totalCount]).toEqual([[key.id], 1]);
      expect((await store.list('prj_other', filter, request)).items).toEqual([]);
    }
    expect((await store.list(projectId, { id: newId('key') }, request)).items).toEqual([]);
  });
});
