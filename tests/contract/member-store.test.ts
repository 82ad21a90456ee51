import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SqlMemberStore } from '../../db/sql/sql-member-store.ts';
import { SqlProjectStore } from '../../db/sql/sql-project-store.ts';
import { SqlRoleStore } from '../../db/sql/sql-role-store.ts';
import { SqlWorkspaceStore } from '../../db/sql/sql-workspace-store.ts';
import { LastAdministrator } from '../../server/access-control/last-administrator.ts';
import type { Role } from '../../server/access-control/role.ts';
import type { RoleAssignment } from '../../server/access-control/role-assignment.ts';
import { UnknownAssignment } from '../../server/access-control/role-store.ts';
import { newId } from '../../server/random.ts';
import { type OpenSqlDatabase, sqlDatabases } from '../support/sql-databases.ts';
import { aMember, anEventOf, aProjectBeginning, aRole, asPage, aWorkspace } from './access-control-records.ts';
import { anInstallation, aTrail } from './api-key-store-records.ts';

describe.each(sqlDatabases)('MemberStore on $name', ({ open }) => {
  let sql: OpenSqlDatabase;
  let store: SqlMemberStore;
  let installation: ReturnType<typeof anInstallation>;
  let projectId: string;
  let administrator: Role;

  beforeEach(async () => {
    sql = await open();
    store = new SqlMemberStore(sql.database, aTrail());
    installation = anInstallation();
    projectId = installation.project.id;
    administrator = installation.roles[0] as Role;
    await new SqlProjectStore(sql.database, aTrail()).bootstrap(installation);
  });
  afterEach(() => sql.close());

  async function aUser(): Promise<string> {
    const id = newId('usr');
    await sql.database.run((knex) => knex('users').insert({ id, email: null, name: id, created_at_ms: 1 }));
    return id;
  }
  async function add(userId: string, ...roles: Role[]) {
    const member = aMember(projectId, userId, roles);
    expect(await store.insert(member, anEventOf('member.added', member))).toBe(true);
    return member;
  }
  const give = (userId: string, permissions: readonly string[], roles: readonly RoleAssignment[]) =>
    store.update(projectId, userId, (current) => ({
      object: { ...current, roles, permissions },
      event: anEventOf('member.updated', current),
    }));
  const remove = (userId: string) => store.delete(projectId, userId, (current) => anEventOf('member.removed', current));

  it('has a member once, with roles and what they give', async () => {
    const member = await add(await aUser(), administrator);
    expect(await store.find(projectId, member.userId)).toEqual(member);
    expect(await store.insert(member, anEventOf('member.added', member))).toBe(false);
    expect(await store.find('prj_other', member.userId)).toBeNull();
    const events = await sql.database.run((knex) => knex('audit_events').where({ type: 'member.added' }));
    expect(events).toHaveLength(1);
  });

  it('lists those of one project, with their names, page by page', async () => {
    const other = aProjectBeginning('other', installation.user.id);
    await new SqlProjectStore(sql.database, aTrail()).insert(other);
    const added = [await add(await aUser()), await add(await aUser(), administrator)];
    const first = await store.list(projectId, asPage('created_at', { limit: 2 }));
    const second = await store.list(projectId, asPage('created_at', { limit: 2, after: first.next }));
    const listed = [...first.items, ...second.items];
    expect(listed.map(({ userId }) => userId)).toEqual(
      [installation.user.id, ...added.map(({ userId }) => userId)].toSorted(),
    );
    expect(listed.find(({ userId }) => userId === installation.user.id)).toMatchObject({
      email: installation.user.email,
      name: installation.user.name,
    });
    expect(first.totalCount).toBe(3);
    expect(await store.projectIdsOf(installation.user.id)).toEqual([projectId, other.project.id].toSorted());
  });

  it('works workspaces into what a role gives there', async () => {
    const { userId } = await add(await aUser());
    const role = aRole(projectId, 'tester', ['read:defect', '*:keyturn']);
    await new SqlRoleStore(sql.database, aTrail()).insert(role, anEventOf('role.created', role));
    const workspace = aWorkspace(projectId, '1002');
    await new SqlWorkspaceStore(sql.database, aTrail()).insert(workspace, anEventOf('workspace.created', workspace));
    await give(userId, [], [{ roleId: role.id, workspaceId: workspace.id }]);
    expect(await store.find(projectId, userId)).toMatchObject({
      permissions: ['read:workspace/1002/defect', '*:workspace/1002/keyturn'],
      version: 2,
    });
    // In a workspace it administers nothing.
    await expect(remove(installation.user.id)).rejects.toThrow(LastAdministrator);
  });

  it('gives no role and no workspace that is not there, and nothing is written', async () => {
    const member = await add(await aUser());
    const roleId = administrator.id;
    for (const assignment of [
      { roleId: 'rol_absent', workspaceId: null },
      { roleId, workspaceId: 'wsp_absent' },
    ])
      await expect(give(member.userId, [], [assignment])).rejects.toThrow(UnknownAssignment);
    expect(await store.find(projectId, member.userId)).toEqual(member);
  });

  it('keeps the last administrator', async () => {
    const first = installation.user.id;
    await expect(remove(first)).rejects.toThrow(LastAdministrator);
    await expect(give(first, [], [])).rejects.toThrow(LastAdministrator);
    expect(await store.find(projectId, first)).toMatchObject({ permissions: ['*:*', '*:keyturn'], version: 1 });
    const { userId: second } = await add(await aUser(), administrator);
    expect(await remove(first)).toBe(true);
    expect(await remove(first)).toBe(false);
    await expect(remove(second)).rejects.toThrow(LastAdministrator);
  });

  it('of two administrators who each remove the other, one is told no', async () => {
    const { userId: second } = await add(await aUser(), administrator);
    const results = await Promise.allSettled([remove(installation.user.id), give(second, [], [])]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const { items } = await store.list(projectId, asPage('created_at'));
    expect(items.filter(({ permissions }) => permissions.includes('*:keyturn'))).toHaveLength(1);
  });
});
