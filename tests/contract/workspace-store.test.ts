import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SqlMemberStore } from '../../db/sql/sql-member-store.ts';
import { SqlProjectStore } from '../../db/sql/sql-project-store.ts';
import { SqlWorkspaceStore } from '../../db/sql/sql-workspace-store.ts';
import { ObjectInUse, SlugTaken } from '../../server/access-control/role-store.ts';
import type { Workspace } from '../../server/access-control/workspace.ts';
import { VersionMismatch } from '../../server/object-version.ts';
import { type OpenSqlDatabase, sqlDatabases } from '../support/sql-databases.ts';
import { anEventOf, aProjectBeginning, asPage, aWorkspace } from './access-control-records.ts';
import { anInstallation, aTrail } from './api-key-store-records.ts';

describe.each(sqlDatabases)('WorkspaceStore on $name', ({ open }) => {
  let sql: OpenSqlDatabase;
  let store: SqlWorkspaceStore;
  let installation: ReturnType<typeof anInstallation>;
  let projectId: string;

  beforeEach(async () => {
    sql = await open();
    store = new SqlWorkspaceStore(sql.database, aTrail());
    installation = anInstallation();
    projectId = installation.project.id;
    await new SqlProjectStore(sql.database, aTrail()).bootstrap(installation);
  });
  afterEach(() => sql.close());

  async function insert(slug: string, inProject = projectId): Promise<Workspace> {
    const workspace = aWorkspace(inProject, slug);
    await store.insert(workspace, anEventOf('workspace.created', workspace));
    return workspace;
  }
  const remove = ({ id }: Workspace) =>
    store.delete(projectId, id, (current) => anEventOf('workspace.deleted', current));
  const eventTypes = () => sql.database.run((knex) => knex('audit_events').orderBy('sequence').pluck('type'));

  it('finds one by id and by slug, in its own project alone', async () => {
    const beginning = aProjectBeginning('other', installation.user.id);
    await new SqlProjectStore(sql.database, aTrail()).insert(beginning);
    const own = await insert('1002');
    const foreign = await insert('1002', beginning.project.id);
    for (const name of [own.id, '1002']) expect(await store.find(projectId, name)).toEqual(own);
    for (const name of [foreign.id, 'wsp_absent', '1003', '']) expect(await store.find(projectId, name)).toBeNull();
    expect((await store.list(projectId, asPage('created_at'))).items).toEqual([own]);
    await expect(insert('1002')).rejects.toThrow(SlugTaken);
  });

  it('lists by name or creation, either way, page after page', async () => {
    for (const slug of ['b', 'c', 'a']) await insert(slug);
    for (const [sort, isDescending, expected] of [
      ['created_at', false, 'b c a'],
      ['created_at', true, 'a c b'],
      ['name', false, 'a b c'],
      ['name', true, 'c b a'],
    ] as const) {
      const seen: string[] = [];
      for (let after = null; ; ) {
        const page = await store.list(projectId, asPage(sort, { limit: 1, isDescending, after }));
        seen.push(...page.items.map(({ slug }) => slug));
        expect(page.totalCount).toBe(3);
        if (page.next === null) break;
        after = page.next as never;
      }
      expect(seen.join(' ')).toBe(expected);
    }
  });

  it('writes what was decided on what it is now, with its event; nothing where nothing was', async () => {
    const { id } = await insert('a');
    const rename = (name: string) =>
      store.update(projectId, 'a', (current) => ({
        object: { ...current, name },
        event: current.name === name ? null : anEventOf('workspace.updated', current),
      }));
    expect(await rename('A')).toMatchObject({ name: 'A', version: 2 });
    expect(await rename('A')).toMatchObject({ name: 'A', version: 2 });
    expect(await store.find(projectId, id)).toMatchObject({ name: 'A', version: 2 });
    expect((await eventTypes()).filter((type) => type === 'workspace.updated')).toHaveLength(1);
    expect(await store.update(projectId, 'absent', (current) => ({ object: current, event: null }))).toBeNull();
    const refused = store.update(projectId, 'a', () => {
      throw new VersionMismatch();
    });
    await expect(refused).rejects.toThrow(VersionMismatch);
    expect(await store.find(projectId, id)).toMatchObject({ name: 'A', version: 2 });
  });

  it('loses none of many edits at once', async () => {
    const { id } = await insert('a');
    const append = (text: string) =>
      store.update(projectId, id, (current) => ({
        object: { ...current, description: `${current.description ?? ''}${text}` },
        event: anEventOf('workspace.updated', current),
      }));
    await Promise.all(['1', '2', '3', '4', '5'].map(append));
    const written = await store.find(projectId, id);
    expect([...(written?.description ?? '')].toSorted().join('')).toBe('12345');
    expect(written?.version).toBe(6);
  });

  it('deletes one in which no role is given', async () => {
    const [used, free] = [await insert('used'), await insert('free')];
    const members = new SqlMemberStore(sql.database, aTrail());
    const given = { roleId: installation.administrator.roleId, workspaceId: used.id };
    await members.update(projectId, installation.user.id, (current) => ({
      object: { ...current, roles: [...current.roles, given], permissions: ['*:keyturn'] },
      event: anEventOf('member.updated', current),
    }));
    await expect(remove(used)).rejects.toThrow(ObjectInUse);
    await expect(remove(used)).rejects.toMatchObject({ keyCount: 0, memberCount: 1 });
    expect(await remove(free)).toBe(true);
    expect(await remove(free)).toBe(false);
    expect((await eventTypes()).filter((type) => type === 'workspace.deleted')).toHaveLength(1);
    expect(await store.find(projectId, 'used')).toEqual(used);
  });
});
