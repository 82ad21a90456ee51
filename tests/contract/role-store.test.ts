import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SqlApiKeyStore } from '../../db/sql/sql-api-key-store.ts';
import { SqlChangeStore } from '../../db/sql/sql-change-store.ts';
import { SqlProjectStore } from '../../db/sql/sql-project-store.ts';
import { SqlRoleStore } from '../../db/sql/sql-role-store.ts';
import { SqlWorkspaceStore } from '../../db/sql/sql-workspace-store.ts';
import { BUILT_IN_ROLES } from '../../server/access-control/built-in-roles.ts';
import { LastAdministrator } from '../../server/access-control/last-administrator.ts';
import type { Role } from '../../server/access-control/role.ts';
import {
  ObjectInUse,
  PermissionNotPlaceable,
  SlugTaken,
  UnknownAssignment,
} from '../../server/access-control/role-store.ts';
import type { Workspace } from '../../server/access-control/workspace.ts';
import { type OpenSqlDatabase, sqlDatabases } from '../support/sql-databases.ts';
import { anEventOf, aProjectBeginning, aRole, asPage, aWorkspace } from './access-control-records.ts';
import { anApiKey, anEvent, anInstallation, aTrail } from './api-key-store-records.ts';

describe.each(sqlDatabases)('RoleStore on $name', ({ open }) => {
  let sql: OpenSqlDatabase;
  let store: SqlRoleStore;
  let installation: ReturnType<typeof anInstallation>;
  let projectId: string;
  let workspace: Workspace;

  beforeEach(async () => {
    sql = await open();
    store = new SqlRoleStore(sql.database, aTrail());
    installation = anInstallation();
    projectId = installation.project.id;
    await new SqlProjectStore(sql.database, aTrail()).bootstrap(installation);
    workspace = aWorkspace(projectId, '1002');
    const event = anEventOf('workspace.created', workspace);
    await new SqlWorkspaceStore(sql.database, aTrail()).insert(workspace, event);
  });
  afterEach(() => sql.close());

  async function insert(slug: string, permissions?: readonly string[], inProject = projectId): Promise<Role> {
    const role = aRole(inProject, slug, permissions);
    await store.insert(role, anEventOf('role.created', role));
    return role;
  }
  async function keyWith(role: Role, workspaceId: string | null = null) {
    const key = anApiKey({ projectId, roles: [{ roleId: role.id, workspaceId }] });
    await new SqlApiKeyStore(sql.database, aTrail()).insert(key, anEvent(key));
    return key;
  }
  const grant = (idOrSlug: string, permissions: readonly string[]) =>
    store.update(projectId, idOrSlug, (current) => ({
      object: { ...current, permissions },
      event: anEventOf('role.updated', current),
    }));

  it('has the built-in roles of a project from its beginning', async () => {
    const { items } = await store.list(projectId, asPage('created_at'));
    expect(items.map(({ slug, permissions, isBuiltIn }) => ({ slug, permissions, isBuiltIn }))).toEqual(
      BUILT_IN_ROLES.map(({ slug, permissions }) => ({ slug, permissions: [...permissions], isBuiltIn: true })),
    );
    expect(await store.find(projectId, 'administrator')).toMatchObject({ id: installation.administrator.roleId });
  });

  it('finds one by id and by slug, in its own project alone', async () => {
    const beginning = aProjectBeginning('other', installation.user.id);
    await new SqlProjectStore(sql.database, aTrail()).insert(beginning);
    const own = await insert('tester');
    const foreign = await insert('other-tester', [], beginning.project.id);
    for (const name of [own.id, 'tester']) expect(await store.find(projectId, name)).toEqual(own);
    for (const name of [foreign.id, 'other-tester', '']) expect(await store.find(projectId, name)).toBeNull();
    expect(await store.delete(projectId, foreign.id, (current) => anEventOf('role.deleted', current))).toBe(false);
    expect(await grant(foreign.id, ['read:a'])).toBeNull();
    await expect(insert('tester')).rejects.toThrow(SlugTaken);
  });

  it('numbers a change of its permissions, of all keys of the project, and of nothing else', async () => {
    const changes = new SqlChangeStore(sql.database);
    const role = await insert('tester');
    const before = await changes.latest();
    await store.update(projectId, role.id, (current) => ({
      object: { ...current, name: 'Renamed' },
      event: anEventOf('role.updated', current),
    }));
    expect(await changes.latest()).toBe(before);
    expect(await grant('tester', ['read:b'])).toMatchObject({ permissions: ['read:b'], version: 3 });
    expect(await changes.changedObjects(before, before + 1)).toEqual([projectId]);
  });

  it('tells who has it, page by page, and is not deleted meanwhile', async () => {
    const [role, other] = [await insert('tester'), await insert('other', ['read:c'])];
    const keys = [await keyWith(role), await keyWith(role, workspace.id), await keyWith(role)];
    await keyWith(other);
    expect(await store.countHolders(role.id)).toEqual({ keyCount: 3, memberCount: 0 });
    expect(await store.countHolders(installation.administrator.roleId)).toEqual({ keyCount: 0, memberCount: 1 });
    const first = await store.listHolders(role.id, { afterKeyId: '', limit: 2 });
    const second = await store.listHolders(role.id, { afterKeyId: first.at(-1)?.key.id ?? '', limit: 2 });
    expect([...first, ...second].map(({ key }) => key.id)).toEqual(keys.map(({ id }) => id).toSorted());
    const placed = [...first, ...second].find(({ key }) => key.id === keys[1]?.id);
    expect(placed?.assigned).toEqual([
      { roleId: role.id, workspaceId: workspace.id, permissions: ['read:a'], workspaceSlug: '1002' },
    ]);
    const remove = () => store.delete(projectId, role.id, (current) => anEventOf('role.deleted', current));
    await expect(remove()).rejects.toThrow(ObjectInUse);
    await sql.database.run((knex) => knex('api_key_roles').delete());
    expect(await remove()).toBe(true);
    expect(await store.find(projectId, role.id)).toBeNull();
  });

  it('resolves ids and slugs, each once, and says which are unknown', async () => {
    const role = await insert('tester');
    const inProject = { roleId: role.id, workspaceId: null, permissions: ['read:a'], workspaceSlug: null };
    const inWorkspace = { ...inProject, workspaceId: workspace.id, workspaceSlug: '1002' };
    const resolved = await store.resolve(projectId, [
      { role: 'tester', workspace: '1002' },
      { role: role.id, workspace: null },
      { role: role.id, workspace: workspace.id },
    ]);
    expect(resolved).toEqual([inWorkspace, inProject]);
    expect(await store.resolve(projectId, [])).toEqual([]);
    const unknown = (what: object) => store.resolve(projectId, [{ role: 'tester', workspace: null, ...what }]);
    await expect(unknown({ role: 'absent' })).rejects.toMatchObject({ index: 0, what: 'role' });
    await expect(unknown({ workspace: 'absent' })).rejects.toThrow(UnknownAssignment);
  });

  it('takes no permission that has no place in a workspace where it is given', async () => {
    const role = await insert('deep');
    const deep = `read:${Array(8).fill('x').join('/')}`;
    expect(await grant('deep', [deep])).toMatchObject({ permissions: [deep] });
    await grant('deep', ['read:a']);
    await keyWith(role, workspace.id);
    await expect(grant('deep', [deep])).rejects.toThrow(PermissionNotPlaceable);
    expect(await store.find(projectId, 'deep')).toMatchObject({ permissions: ['read:a'] });
    expect(await grant('deep', ['read:a/b/c/d/e/f'])).not.toBeNull();
  });

  it('keeps somebody who administers the project', async () => {
    const role = await insert('boss', ['*:keyturn']);
    await expect(grant('boss', [])).resolves.toMatchObject({ permissions: [] });
    await grant('boss', ['*:keyturn']);
    await sql.database.run((knex) => knex('member_roles').update({ role_id: role.id }));
    await expect(grant('boss', ['*:Keyturn', 'read:keyturn'])).rejects.toThrow(LastAdministrator);
    expect(await store.find(projectId, 'boss')).toMatchObject({ permissions: ['*:keyturn'] });
  });
});
