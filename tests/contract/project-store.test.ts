import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SqlApiKeyStore } from '../../db/sql/sql-api-key-store.ts';
import { SqlChangeStore } from '../../db/sql/sql-change-store.ts';
import { SqlMemberStore } from '../../db/sql/sql-member-store.ts';
import { SqlProjectStore } from '../../db/sql/sql-project-store.ts';
import { SqlRoleStore } from '../../db/sql/sql-role-store.ts';
import type { Project } from '../../server/access-control/project.ts';
import { LastProject } from '../../server/access-control/project-store.ts';
import { ObjectInUse, SlugTaken } from '../../server/access-control/role-store.ts';
import { permissionSetDigest } from '../../server/api-keys/permission-set.ts';
import { inProcesses, type OpenSqlDatabase, sqlDatabases } from '../support/sql-databases.ts';
import { anEventOf, aProjectBeginning, asPage } from './access-control-records.ts';
import { anInstallation, aTrail } from './api-key-store-records.ts';

const TABLES = ['projects', 'users', 'setup_links', 'api_keys', 'permission_sets', 'roles', 'members', 'member_roles'];
const ONE_PROJECT = [1, 1, 1, 1, 1, 3, 1, 1];

describe.each(sqlDatabases)('ProjectStore on $name', ({ open }) => {
  let sql: OpenSqlDatabase;
  let store: SqlProjectStore;

  beforeEach(async () => {
    sql = await open();
    store = new SqlProjectStore(sql.database, aTrail());
  });
  afterEach(() => sql.close());

  const rowCounts = () =>
    sql.database.run(async (knex) => {
      const counts: number[] = [];
      for (const table of TABLES) counts.push((await knex(table)).length);
      return counts;
    });
  const eventTypes = () => sql.database.run((knex) => knex('audit_events').orderBy('sequence').pluck('type'));

  describe('bootstrap', () => {
    it('writes project, roles, user, member, key and set-up link into an empty store', async () => {
      const installation = anInstallation({ audiences: ['https://api.example'] });
      const { project, user, apiKey, setupLink, administrator } = installation;
      expect(await store.isEmpty()).toBe(true);
      expect(await store.bootstrap(installation)).toBe(true);

      expect(await store.isEmpty()).toBe(false);
      expect(await store.find(project.id)).toEqual(project);
      expect(await store.find('default')).toEqual(project);
      const apiKeys = new SqlApiKeyStore(sql.database, aTrail());
      expect(await apiKeys.findById(apiKey.id)).toMatchObject({ ...apiKey, projectAudiences: ['https://api.example'] });
      expect(await apiKeys.findPermissionSet(permissionSetDigest(apiKey.permissions))).toEqual(apiKey.permissions);
      const member = await new SqlMemberStore(sql.database, aTrail()).find(project.id, user.id);
      expect(member).toMatchObject({
        roles: [{ roleId: administrator.roleId, workspaceId: null }],
        permissions: ['*:*', '*:keyturn'],
      });
      const [link] = await sql.database.run((knex) => knex('setup_links'));
      expect(link).toMatchObject({
        token_hash: setupLink.tokenHash,
        user_id: user.id,
        expires_at_ms: setupLink.expiresAtMs,
        used_at_ms: null,
      });
      expect(await eventTypes()).toEqual(installation.events.map(({ type }) => type));
    });

    it('changes nothing when a project exists', async () => {
      const first = anInstallation({ slug: 'first' });
      await store.bootstrap(first);
      expect(await store.bootstrap(anInstallation())).toBe(false);
      expect(await rowCounts()).toEqual(ONE_PROJECT);
      expect(await store.find('default')).toBeNull();
    });

    it('writes nothing when a part of it can not be written', async () => {
      const installation = anInstallation();
      const broken = { ...installation, apiKey: { ...installation.apiKey, projectId: 'prj_absent' } };
      await expect(store.bootstrap(broken)).rejects.toThrow('the database driver refused a statement');
      // A set of permissions stays, whatever becomes of the write: its content is its name.
      expect(await rowCounts()).toEqual(TABLES.map((table) => Number(table === 'permission_sets')));
      expect(await store.bootstrap(installation)).toBe(true);
    });

    it('is done by exactly one of four processes', async () => {
      const results = await inProcesses<boolean>(
        4,
        sql.url,
        {
          'db/sql/database.ts': 'openDatabase',
          'db/sql/sql-project-store.ts': 'SqlProjectStore',
          'tests/contract/api-key-store-records.ts': 'anInstallation, aTrail',
        },
        `const database = openDatabase(url);
      report(await new SqlProjectStore(database, aTrail()).bootstrap(anInstallation()));
      await database.close();`,
      );
      expect(results.toSorted()).toEqual([false, false, false, true]);
      expect(await rowCounts()).toEqual(ONE_PROJECT);
    });
  });

  describe('with a project', () => {
    let project: Project;
    let userId: string;

    beforeEach(async () => {
      const installation = anInstallation();
      await store.bootstrap(installation);
      project = installation.project;
      userId = installation.user.id;
    });

    it('finds no other, in no other case', async () => {
      for (const other of ['Default', 'default ', 'prj_other', '%', '']) expect(await store.find(other)).toBeNull();
    });

    it('inserts one with its roles and its first member, and lists those asked for', async () => {
      const other = aProjectBeginning('other', userId);
      await store.insert(other);
      expect(await store.find('other')).toEqual(other.project);
      expect(await new SqlMemberStore(sql.database, aTrail()).projectIdsOf(userId)).toEqual([
        project.id,
        other.project.id,
      ]);
      const ids = async (wanted: readonly string[] | null) =>
        (await store.list(wanted, asPage('created_at'))).items.map(({ id }) => id);
      expect(await ids(null)).toEqual([project.id, other.project.id]);
      expect(await ids([other.project.id])).toEqual([other.project.id]);
      expect(await ids([])).toEqual([]);
    });

    it('inserts one for a user that is no more, without members', async () => {
      const other = aProjectBeginning('other', 'usr_gone');
      await store.insert(other);
      expect(
        (await new SqlMemberStore(sql.database, aTrail()).list(other.project.id, asPage('created_at'))).items,
      ).toEqual([]);
    });

    it('has each slug once, and nothing is left of a second', async () => {
      await expect(store.insert(aProjectBeginning('default', userId))).rejects.toThrow(SlugTaken);
      expect(await rowCounts()).toEqual(ONE_PROJECT);
      expect(await eventTypes()).not.toContain('project.updated');
    });

    it('numbers a change of its audiences, and of nothing else', async () => {
      const changes = new SqlChangeStore(sql.database);
      const before = await changes.latest();
      const edit = (fields: Partial<Project>) =>
        store.update(project.id, (current) => ({
          object: { ...current, ...fields },
          event: anEventOf('project.updated', current),
        }));
      expect(await edit({ name: 'Renamed' })).toMatchObject({ name: 'Renamed', version: 2 });
      expect(await changes.latest()).toBe(before);
      const audiences = ['https://api.example'];
      expect(await edit({ audiences })).toEqual(await store.find('default'));
      expect(await changes.changedObjects(before, before + 1)).toEqual([project.id]);
      expect(await store.find('default')).toMatchObject({ audiences, version: 3 });
    });

    it('is deleted with all that is its own, once it has no keys and is not the last', async () => {
      const remove = (id: string) => store.delete(id, (current) => anEventOf('project.deleted', current));
      await expect(remove(project.id)).rejects.toThrow(LastProject);
      const other = aProjectBeginning('other', userId);
      await store.insert(other);
      await expect(remove(project.id)).rejects.toThrow(ObjectInUse);
      expect(await remove(other.project.id)).toBe(true);
      expect(await remove(other.project.id)).toBe(false);
      expect(await rowCounts()).toEqual(ONE_PROJECT);
      expect(await new SqlRoleStore(sql.database, aTrail()).find(other.project.id, 'viewer')).toBeNull();
      expect((await eventTypes()).at(-1)).toBe('project.deleted');
    });

    it('of two that delete the last two projects one is told no', async () => {
      await store.insert(aProjectBeginning('third', userId));
      const second = aProjectBeginning('second', userId);
      await store.insert(second);
      const third = await store.find('third');
      // The first has keys.
      await sql.database.run((knex) => knex('api_keys').delete());
      await store.delete(project.id, (current) => anEventOf('project.deleted', current));
      const results = await Promise.allSettled(
        [second.project.id, third?.id ?? ''].map((id) =>
          store.delete(id, (current) => anEventOf('project.deleted', current)),
        ),
      );
      expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
      expect((await store.list(null, asPage('name'))).items).toHaveLength(1);
    });
  });
});
