import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SqlApiKeyStore } from '../../db/sql/sql-api-key-store.ts';
import { SqlChangeStore } from '../../db/sql/sql-change-store.ts';
import { SqlProjectStore } from '../../db/sql/sql-project-store.ts';
import { UnknownAssignment } from '../../server/access-control/role-store.ts';
import type { ApiKey } from '../../server/api-keys/api-key.ts';
import { ApiKeyNameTaken, type DecideEdit } from '../../server/api-keys/api-key-store.ts';
import { permissionSetDigest } from '../../server/api-keys/permission-set.ts';
import { newId } from '../../server/random.ts';
import { type OpenSqlDatabase, sqlDatabases } from '../support/sql-databases.ts';
import { anApiKey, anEvent, anInstallation, aTrail, changing, deleting } from './api-key-store-records.ts';

describe.each(sqlDatabases)('writes of ApiKeyStore on $name', ({ open }) => {
  let sql: OpenSqlDatabase;
  let store: SqlApiKeyStore;
  let changes: SqlChangeStore;
  let projectId: string;

  beforeAll(async () => {
    sql = await open();
    store = new SqlApiKeyStore(sql.database, aTrail());
    changes = new SqlChangeStore(sql.database);
    const installation = anInstallation();
    await new SqlProjectStore(sql.database, aTrail()).bootstrap(installation);
    projectId = installation.project.id;
  });
  afterAll(() => sql.close());

  const insert = async (fields: Partial<ApiKey> = {}) => {
    const key = anApiKey({ projectId, ...fields });
    await store.insert(key, anEvent(key));
    return key;
  };
  const versioned = { project_id: '', version: 1, created_at_ms: 1, updated_at_ms: 1 };
  const addRole = async (permissions: readonly string[]) => {
    const id = newId('rol');
    const role = { ...versioned, id, project_id: projectId, slug: id, name: id, is_built_in: 0 };
    await sql.database.run((knex) => knex('roles').insert({ ...role, permissions: JSON.stringify(permissions) }));
    return id;
  };
  const addWorkspace = async (slug: string) => {
    const id = newId('wsp');
    await sql.database.run((knex) =>
      knex('workspaces').insert({ ...versioned, id, project_id: projectId, slug, name: slug }),
    );
    return id;
  };
  const eventTypes = (id: string) =>
    sql.database.run((knex) => knex('audit_events').where({ object_id: id }).orderBy('sequence').pluck('type'));

  it('writes every field that can be edited, counts versions, and numbers each edit', async () => {
    const key = await insert();
    const before = await changes.latest();
    const edit: Partial<ApiKey> = {
      name: 'renamed ünïcode',
      description: 'another',
      ownerId: 'usr_other',
      permissions: ['read:z', 'read:a'],
      effectivePermissions: ['read:z', 'read:a'],
      ipAllowlist: ['203.0.113.0/24'],
      expiresAtMs: 4_102_444_800_123,
      isValid: false,
      refreshTokens: false,
      refreshRequiresClientAuth: true,
      secretHash: 'sha256:other',
      hint: 'abcd',
      secretVersion: 2,
      secretLastUsedAtMs: 7,
      previousSecret: { hash: key.secretHash, hint: key.hint, createdAtMs: 1, expiresAtMs: 9, lastUsedAtMs: 8 },
      updatedAtMs: key.updatedAtMs + 5,
    };
    const edited = { ...key, ...edit, version: 2 };
    expect(await store.update(projectId, key.id, changing(edit))).toEqual(edited);
    expect(await store.findInProject(projectId, key.id)).toEqual(edited);
    const ended = await store.update(projectId, key.id, changing({ previousSecret: null }));
    expect(ended).toEqual({ ...edited, previousSecret: null, version: 3 });
    expect(await store.findInProject(projectId, key.id)).toEqual(ended);
    expect(await changes.changedObjects(before, before + 2)).toEqual([key.id, key.id]);
    expect(await eventTypes(key.id)).toEqual(['api_key.created', 'api_key.updated', 'api_key.updated']);
  });

  it('is found by the words of its new name alone', async () => {
    const key = await insert({ name: 'nightly export' });
    await store.update(projectId, key.id, changing({ name: 'hourly import' }));
    const words = await sql.database.run((knex) => knex('api_key_words').where({ key_id: key.id }).pluck('word'));
    expect(words.sort()).toEqual([key.clientId.slice(-25), 'hourly', 'import'].sort());
  });

  it('keeps the permission set that an edit has put in force', async () => {
    const key = await insert();
    const permissions = ['edited:set'];
    await store.update(projectId, key.id, changing({ permissions, effectivePermissions: permissions }));
    expect(await store.findPermissionSet(permissionSetDigest(permissions))).toEqual(permissions);
  });

  it('writes nothing where nothing has changed, the decision fails, or there is no such key', async () => {
    const key = await insert();
    const before = await changes.latest();
    const unchanged: DecideEdit = (current) => ({ object: { ...current, name: 'not written' }, event: null });
    expect(await store.update(projectId, key.id, unchanged)).toEqual(key);
    const refusal = new Error('refused');
    const refusing = () => {
      throw refusal;
    };
    await expect(store.update(projectId, key.id, refusing)).rejects.toBe(refusal);
    await expect(store.delete(projectId, [key.id], refusing)).rejects.toBe(refusal);
    expect(await store.update(projectId, 'key_gone', changing({ isValid: false }))).toBeNull();
    expect(await store.findInProject(projectId, key.id)).toEqual(key);
    expect(await changes.latest()).toBe(before);
    expect(await eventTypes(key.id)).toEqual(['api_key.created']);
  });

  it('refuses a name that another key has, and undoes the rest of the edit', async () => {
    const [taken, key] = [await insert({ name: 'taken by one' }), await insert()];
    const renaming = store.update(projectId, key.id, changing({ name: taken.name, isValid: false }));
    await expect(renaming).rejects.toThrow(ApiKeyNameTaken);
    expect(await store.findInProject(projectId, key.id)).toEqual(key);
    expect(await eventTypes(key.id)).toEqual(['api_key.created']);
  });

  it('loses none of 20 edits of one key at once', async () => {
    const key = await insert({ permissions: [] });
    const adding =
      (permission: string): DecideEdit =>
      (current) => {
        const permissions = [...current.permissions, permission];
        return changing({ permissions, effectivePermissions: permissions })(current, []);
      };
    const edits = Array.from({ length: 20 }, (_, index) => `read:${index}`);
    await Promise.all(edits.map((permission) => store.update(projectId, key.id, adding(permission))));
    const after = await store.findInProject(projectId, key.id);
    expect(after?.version).toBe(21);
    expect([...(after?.permissions ?? [])].sort()).toEqual([...edits].sort());
  });

  describe('of roles', () => {
    it('gives what the role gives, in its workspace alone, and what it gives after an edit of the role', async () => {
      const [reader, writer] = [await addRole(['read:defect', 'read:*']), await addRole(['write:defect'])];
      const workspaceId = await addWorkspace('1002');
      const roles = [
        { roleId: reader, workspaceId: null },
        { roleId: writer, workspaceId },
      ].sort((a, b) => (a.roleId < b.roleId ? -1 : 1));
      const key = await insert({ permissions: ['own:one'], roles });
      const found = await store.findById(key.id);
      expect(found?.roles).toEqual(roles);
      const expected = ['own:one', 'read:*', 'read:defect', 'write:workspace/1002/defect'];
      expect([...(found?.effectivePermissions ?? [])].sort()).toEqual(expected);

      const [edited, updatedAtMs] = [JSON.stringify(['write:feature']), key.updatedAtMs + 50];
      await sql.database.run((knex) =>
        knex('roles').where({ id: writer }).update({ permissions: edited, updated_at_ms: updatedAtMs }),
      );
      const afterwards = await store.findByClientId(key.clientId);
      expect(afterwards?.effectivePermissions).toContain('write:workspace/1002/feature');
      expect(afterwards?.effectivePermissions).not.toContain('write:workspace/1002/defect');
      expect(afterwards?.rightsChangedAtMs).toBe(updatedAtMs);
      const inForce = afterwards?.effectivePermissions ?? [];
      expect(await store.findPermissionSet(permissionSetDigest(inForce))).toEqual(inForce);
    });

    it('tells the decision what they give, and replaces them', async () => {
      const roleId = await addRole(['read:defect']);
      const workspaceId = await addWorkspace('of-decision');
      const key = await insert({ roles: [{ roleId, workspaceId }] });
      const seen: unknown[] = [];
      const withdrawing: DecideEdit = (current, assigned) => {
        seen.push(current.effectivePermissions, assigned);
        return changing({ roles: [], effectivePermissions: current.permissions })(current, assigned);
      };
      await store.update(projectId, key.id, withdrawing);
      expect(seen).toEqual([
        ['read:credential', 'read:workspace/of-decision/defect'],
        [{ roleId, workspaceId, permissions: ['read:defect'], workspaceSlug: 'of-decision' }],
      ]);
      expect(await store.findInProject(projectId, key.id)).toMatchObject({
        roles: [],
        effectivePermissions: ['read:credential'],
      });
    });

    it('refuses one that has been deleted meanwhile, or whose workspace has, and writes no key', async () => {
      const roleId = await addRole(['read:defect']);
      const key = anApiKey({ projectId, roles: [{ roleId: 'rol_gone', workspaceId: null }] });
      await expect(store.insert(key, anEvent(key))).rejects.toThrow(UnknownAssignment);
      expect(await store.findById(key.id)).toBeNull();
      const other = await insert();
      const giving = changing({ roles: [{ roleId, workspaceId: 'wsp_gone' }] });
      await expect(store.update(projectId, other.id, giving)).rejects.toMatchObject({ what: 'workspace', index: 0 });
      expect(await store.findInProject(projectId, other.id)).toEqual(other);
    });

    it('gives nothing, rather than everywhere, where the workspace is gone', async () => {
      const roleId = await addRole(['read:defect']);
      const workspaceId = await addWorkspace('short-lived');
      const key = await insert({ roles: [{ roleId, workspaceId }] });
      await sql.database.run((knex) => knex('workspaces').where({ id: workspaceId }).delete());
      expect((await store.findById(key.id))?.effectivePermissions).toEqual(['read:credential']);
    });
  });

  it('inserts many keys together, or none', async () => {
    const name = 'one of many';
    const keys = [anApiKey({ projectId }), anApiKey({ projectId, name }), anApiKey({ projectId, name })];
    const events = keys.map((key) => anEvent(key));
    await expect(store.insertAll(keys, events)).rejects.toMatchObject({ apiKeyName: name });
    for (const { id } of keys) expect(await store.findById(id)).toBeNull();
    await store.insertAll(keys.slice(0, 2), events.slice(0, 2));
    for (const { id } of keys.slice(0, 2)) expect(await store.findById(id)).toMatchObject({ id });
  });

  it('deletes 500 keys with their roles and words, tells which there were, and numbers each', async () => {
    const roleId = await addRole(['read:defect']);
    const keys = Array.from({ length: 500 }, () => anApiKey({ projectId, roles: [{ roleId, workspaceId: null }] }));
    const batches = Array.from({ length: 10 }, (_, index) => keys.slice(50 * index, 50 * (index + 1)));
    for (const batch of batches)
      await store.insertAll(
        batch,
        batch.map((key) => anEvent(key)),
      );
    const survivor = await insert({ roles: [{ roleId, workspaceId: null }] });
    const ids = keys.map(({ id }) => id);
    const before = await changes.latest();

    expect(await store.delete('prj_other', ids, deleting)).toEqual(new Set());
    expect(await store.delete(projectId, ['key_gone', ...ids], deleting)).toEqual(new Set(ids));
    expect(await store.delete(projectId, ids, deleting)).toEqual(new Set());

    expect([...((await changes.changedObjects(before, before + 500)) ?? [])].sort()).toEqual([...ids].sort());
    expect(await changes.latest()).toBe(before + 500);
    const left = await sql.database.run(async (knex) => ({
      keys: await knex('api_keys').whereIn('id', ids).pluck('id'),
      words: await knex('api_key_words').whereIn('key_id', ids).pluck('key_id'),
      roles: await knex('api_key_roles').where({ role_id: roleId }).pluck('key_id'),
      events: await knex('audit_events')
        .whereIn('object_id', ids)
        .where({ type: 'api_key.deleted' })
        .pluck('object_id'),
    }));
    expect(left).toMatchObject({ keys: [], words: [], roles: [survivor.id] });
    expect(left.events.sort()).toEqual([...ids].sort());
  });
});
