import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SqlApiKeyStore } from '../../db/sql/sql-api-key-store.ts';
import { SqlProjectStore } from '../../db/sql/sql-project-store.ts';
import type { ApiKey } from '../../server/api-keys/api-key.ts';
import { ApiKeyNameTaken } from '../../server/api-keys/api-key-store.ts';
import { permissionSetDigest } from '../../server/api-keys/permission-set.ts';
import type { Position } from '../../server/page.ts';
import { type OpenSqlDatabase, sqlDatabases } from '../support/sql-databases.ts';
import { anApiKey, anEvent, anInstallation, aTrail, changing, deleting } from './api-key-store-records.ts';

describe.each(sqlDatabases)('ApiKeyStore on $name', ({ open }) => {
  let sql: OpenSqlDatabase;
  let store: SqlApiKeyStore;
  let projectId: string;

  beforeAll(async () => {
    sql = await open();
    store = new SqlApiKeyStore(sql.database, aTrail());
    const installation = anInstallation({ audiences: ['https://a.example', 'https://b.example'] });
    await new SqlProjectStore(sql.database, aTrail()).bootstrap(installation);
    projectId = installation.project.id;
  });
  afterAll(() => sql.close());

  const insert = async (changes: Partial<ApiKey> = {}) => {
    const key = anApiKey({ projectId, ...changes });
    await store.insert(key, anEvent(key));
    return key;
  };

  it('gives back every field of what was written', async () => {
    const full = await insert({
      description: 'Строка "quoted" \\ with \' signs 🔑',
      permissions: ['read:a', 'write:b/*'],
      ipAllowlist: ['203.0.113.0/24', '2001:db8::/32'],
      expiresAtMs: 4_102_444_800_123,
      isValid: false,
      refreshTokens: false,
      refreshRequiresClientAuth: true,
      createdBy: 'key_maker',
      lastUsedAtMs: 1_763_652_000_001,
      lastUsedIp: '2001:db8::1',
      lastDeniedAtMs: 1_763_652_000_002,
      lastDeniedReason: 'ip_not_allowed',
    });
    const bare = await insert();
    expect(await store.findInProject(projectId, full.id)).toEqual(full);
    expect(await store.findInProject(projectId, bare.id)).toEqual(bare);
  });

  it('finds a key with the audiences of its project by client_id, its end and id', async () => {
    const key = await insert();
    const projectAudiences = ['https://a.example', 'https://b.example'];
    const expected = { ...key, projectAudiences, rightsChangedAtMs: key.createdAtMs };
    expect(await store.findByClientId(key.clientId)).toEqual(expected);
    expect(await store.findByClientIdSuffix(key.clientId.slice(-25))).toEqual(expected);
    expect(await store.findById(key.id)).toEqual(expected);
  });

  it('tells apart case, padding and wildcards of ids', async () => {
    const key = await insert();
    for (const other of [key.clientId.toUpperCase(), `${key.clientId} `, ` ${key.clientId}`, '%', '', '\u0000']) {
      expect(await store.findByClientId(other)).toBeNull();
      expect(await store.findById(other)).toBeNull();
    }
    await insert({ name: 'Name' });
    await insert({ name: 'name' });
    await insert({ name: 'name ' });
    await insert({ name: 'námé' });
  });

  it('holds the largest key that the product allows', async () => {
    const permissions = Array.from({ length: 100 }, (_, i) => `read:${String(i).padStart(250, 'x')}`);
    const ipAllowlist = Array.from({ length: 100 }, (_, i) => `2001:db8:1234:5678:9abc:def0:${i}:0/112`);
    const key = await insert({ permissions, ipAllowlist, name: '🔑'.repeat(100) });
    expect(await store.findInProject(projectId, key.id)).toEqual(key);
  });

  it('refuses a taken name and writes no second key', async () => {
    const first = await insert({ name: 'taken' });
    const second = anApiKey({ projectId, name: 'taken', permissions: ['only:second'] });
    await expect(store.insert(second, anEvent(second))).rejects.toThrow(ApiKeyNameTaken);
    expect(await store.findById(second.id)).toBeNull();
    expect(await store.findInProject(projectId, first.id)).toEqual(first);
  });

  it('refuses a client_id without the end that a generated secret names', async () => {
    const refused = insert({ clientId: 'ci-runner_short' });
    await expect(refused).rejects.toThrow(RangeError);
  });

  it('does not call a taken client_id a taken name, whatever the name says', async () => {
    const first = await insert();
    const second = anApiKey({ projectId, clientId: first.clientId, name: "x' for key 'api_keys_name'" });
    await expect(store.insert(second, anEvent(second))).rejects.not.toThrow(ApiKeyNameTaken);
  });

  it('lets one of ten parallel keys have a name', async () => {
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => insert({ name: 'contended' })));
    const refusals = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(refusals).toHaveLength(9);
    for (const refusal of refusals) expect(refusal).toBeInstanceOf(ApiKeyNameTaken);
  });

  it('keeps a permission set after its key is gone', async () => {
    const permissions = ['b:c', 'a:b'];
    const key = await insert({ permissions });
    await insert({ permissions });
    await store.delete(projectId, [key.id], deleting);
    expect(await store.findPermissionSet(permissionSetDigest(permissions))).toEqual(permissions);
    expect(await store.findPermissionSet('AAAAAAAAAAAAAAAAAAAAAA')).toBeNull();
  });

  it('keeps keys of another project out of reach', async () => {
    const key = await insert();
    expect(await store.findInProject('prj_other', key.id)).toBeNull();
    expect(await store.update('prj_other', key.id, changing({ isValid: false }))).toBeNull();
    expect(await store.delete('prj_other', [key.id], deleting)).toEqual(new Set());
    expect(await store.findInProject(projectId, key.id)).toEqual(key);
  });

  it('writes uses without touching what they leave out', async () => {
    const key = await insert({ lastUsedIp: '198.51.100.1' });
    const denied = {
      keyId: key.id,
      usedAtMs: null,
      usedIp: null,
      deniedAtMs: 20,
      deniedReason: 'expired',
      secretUses: [],
    };
    const gone = {
      keyId: 'key_gone',
      usedAtMs: 1,
      usedIp: '::1',
      deniedAtMs: null,
      deniedReason: null,
      secretUses: [],
    };
    const nothing = {
      keyId: key.id,
      usedAtMs: null,
      usedIp: null,
      deniedAtMs: null,
      deniedReason: null,
      secretUses: [],
    };
    await store.recordUses([gone, denied, nothing]);
    const afterDenial = { ...key, lastDeniedAtMs: 20, lastDeniedReason: 'expired' };
    expect(await store.findInProject(projectId, key.id)).toEqual(afterDenial);
    await store.recordUses([
      { keyId: key.id, usedAtMs: 30, usedIp: '::1', deniedAtMs: null, deniedReason: null, secretUses: [] },
    ]);
    const afterUse = { ...afterDenial, lastUsedAtMs: 30, lastUsedIp: '::1' };
    expect(await store.findInProject(projectId, key.id)).toEqual(afterUse);
    // An address belongs to its time: a use without one must not seem to come from the address before.
    await store.recordUses([
      { keyId: key.id, usedAtMs: 40, usedIp: null, deniedAtMs: null, deniedReason: null, secretUses: [] },
    ]);
    expect(await store.findInProject(projectId, key.id)).toEqual({ ...afterUse, lastUsedAtMs: 40, lastUsedIp: null });
    await store.recordUses([]);
  });

  it('never lets an object stand for an id', async () => {
    const key = await insert();
    const asObject = { id: 1 } as unknown as string;
    const asArray = [key.id] as unknown as string;
    for (const wrong of [asObject, asArray]) {
      await expect(store.findByClientId(wrong)).rejects.toThrow();
      await expect(store.findInProject(projectId, wrong)).rejects.toThrow();
      expect(await store.delete(projectId, [wrong], deleting)).toEqual(new Set());
    }
    expect(await store.findInProject(projectId, key.id)).toEqual(key);
    // knex refuses objects in a where by itself, but not here.
    const raw = sql.database.run((knex) => knex.raw('SELECT id FROM api_keys WHERE id = ?', [asObject]));
    await expect(raw).rejects.toThrow(/: OBJECT_AS_SQL_BINDING$/);
  });
});

const from = (after: Position | null, limit: number) =>
  ({ limit, sort: 'created_at', isDescending: false, after }) as const;

describe.each(sqlDatabases)('ApiKeyStore.list on $name', ({ open }) => {
  it('pages by id, stays right while keys come and go, and counts the project alone', async () => {
    const sql = await open();
    const store = new SqlApiKeyStore(sql.database, aTrail());
    const installation = anInstallation();
    const { project, apiKey } = installation;
    await new SqlProjectStore(sql.database, aTrail()).bootstrap(installation);
    const ids = [apiKey.id];
    for (let i = 0; i < 6; i++) {
      const key = anApiKey({ projectId: project.id });
      await store.insert(key, anEvent(key));
      ids.push(key.id);
    }
    ids.sort();
    const first = await store.list(project.id, {}, from(null, 3));
    expect(first.items.map((key) => key.id)).toEqual(ids.slice(0, 3));
    expect(first).toMatchObject({ next: { value: null, id: ids[2] }, totalCount: 7, exceedsTotalCount: false });
    for (const [maxCounted, exceedsTotalCount] of [
      [7, false],
      [6, true],
    ] as const) {
      const bounded = new SqlApiKeyStore(sql.database, aTrail(), { maxCounted });
      const counted = { totalCount: maxCounted, exceedsTotalCount };
      expect(await bounded.list(project.id, {}, from(null, 1))).toMatchObject(counted);
    }

    await store.delete(project.id, [String(ids[0])], deleting);
    const second = await store.list(project.id, {}, from(first.next, 3));
    expect(second.items.map((key) => key.id)).toEqual(ids.slice(3, 6));
    expect(second).toMatchObject({ next: { value: null, id: ids[5] }, totalCount: 6 });

    const last = await store.list(project.id, {}, from(second.next, 1));
    expect(last).toMatchObject({ items: [{ id: ids[6] }], next: null });
    expect(await store.list('prj_other', {}, from(null, 3))).toEqual({
      items: [],
      next: null,
      totalCount: 0,
      exceedsTotalCount: false,
    });
    await sql.close();
  });
});
