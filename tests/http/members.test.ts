import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { newId } from '../../server/random.ts';
import { expectProblem } from '../support/expect-problem.ts';
import { keyturnFor } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';
import { addProject } from '../support/other-project.ts';
import { requestIfMatch } from '../support/request-if-match.ts';

describe.each(keyturnStorages)('/v1/projects/{project}/members on $name', (kind) => {
  const keyturn = keyturnFor(kind);

  async function aUser() {
    const id = newId('usr');
    const email = `${randomUUID()}@example.com`;
    const row = { id, email, name: 'Ada', permissions: '[]', created_at_ms: 1 };
    await keyturn().service.storage.database.run((knex) => knex('users').insert(row));
    return { id, email };
  }
  async function aProject() {
    const project = `/v1/projects/${(await addProject(keyturn())).slug}`;
    const { body } = await keyturn().api('GET', `${project}/members`);
    return { project, members: `${project}/members`, first: body.data[0].user_id as string };
  }
  async function tokenIn(project: string, permissions: readonly string[]): Promise<string> {
    const { body } = await keyturn().api('POST', `${project}/keys`, { name: `key ${randomUUID()}`, permissions });
    return (await keyturn().exchange(body.client_secret)).body.access_token;
  }

  it('adds a user by id or e-mail address, edits their roles and removes them', async () => {
    const { members } = await aProject();
    const [ada, bob] = [await aUser(), await aUser()];
    const added = await keyturn().api('POST', members, { user_id: ada.id, roles: [{ role_id: 'viewer' }] });
    expect(added.status).toBe(201);
    expect(added.body).toMatchObject({
      user_id: ada.id,
      email: ada.email,
      name: 'Ada',
      permissions: ['read:*', 'read:keyturn'],
      roles: [{ role_id: expect.stringMatching(/^rol_/), workspace_id: null }],
    });
    const byEmail = await keyturn().api('POST', members, { email: ` ${bob.email.toUpperCase()}` });
    expect(byEmail.body).toMatchObject({ user_id: bob.id, roles: [], permissions: [] });
    const path = `${members}/${ada.id}`;
    expect((await keyturn().api('GET', path)).body).toEqual(added.body);
    const edited = await requestIfMatch(keyturn(), '"v1"', ['PATCH', path, { roles: [{ role_id: 'key-manager' }] }]);
    expect(edited.body.permissions).toContain('*:keyturn/api-key');
    for (const late of [
      ['PATCH', path, { roles: [] }],
      ['DELETE', path],
    ] as const)
      expectProblem(await requestIfMatch(keyturn(), '"v1"', late), { status: 412, code: 'version_mismatch' });
    expect((await keyturn().api('GET', members)).body.total_count).toBe(3);
    expect((await keyturn().api('DELETE', path)).status).toBe(204);
    for (const [method, json] of [['GET'], ['PATCH', { roles: [] }], ['DELETE']] as const)
      expectProblem(await keyturn().api(method, path, json), { status: 404, code: 'not_found' });
  });

  it('refuses whom there is not, who is one already, and roles that there are not', async () => {
    const { members, first } = await aProject();
    const { id } = await aUser();
    const add = (json: unknown) => keyturn().api('POST', members, json);
    for (const [json, field] of [
      [{ user_id: 'usr_absent' }, 'user_id'],
      [{ email: 'nobody@example.com' }, 'email'],
      [{}, null],
      [{ user_id: id, email: 'nobody@example.com' }, null],
      [{ user_id: id, roles: [{ role_id: 'absent' }] }, 'roles.0.role_id'],
      [{ user_id: id, roles: [{ role_id: 'viewer', workspace_id: 'absent' }] }, 'roles.0.workspace_id'],
    ] as const) {
      const refused = await add(json);
      expectProblem(refused, { status: 400, code: 'validation_failed' });
      expect(refused.body.errors).toMatchObject([{ field }]);
    }
    expectProblem(await add({ user_id: first }), { status: 409, code: 'already_member' });
  });

  it('gives only what the giver holds', async () => {
    const { project, members } = await aProject();
    const { id } = await aUser();
    const token = await tokenIn(project, ['*:keyturn/member', 'read:*', 'read:keyturn']);
    const add = (role: string) => keyturn().api('POST', members, { user_id: id, roles: [{ role_id: role }] }, token);
    expectProblem(await add('administrator'), { status: 403, code: 'permission_exceeds_grantor' });
    expect((await add('viewer')).status).toBe(201);
    const edit = (...roles: string[]) =>
      keyturn().api('PATCH', `${members}/${id}`, { roles: roles.map((role) => ({ role_id: role })) }, token);
    expectProblem(await edit('viewer', 'key-manager'), { status: 403, code: 'permission_exceeds_grantor' });
    expect((await edit()).body.permissions).toEqual([]);
  });

  it('keeps the last administrator', async () => {
    const { members, first } = await aProject();
    const path = `${members}/${first}`;
    for (const [method, json] of [['DELETE'], ['PATCH', { roles: [{ role_id: 'viewer' }] }]] as const)
      expectProblem(await keyturn().api(method, path, json), { status: 409, code: 'last_administrator' });
    const { id } = await aUser();
    await keyturn().api('POST', members, { user_id: id, roles: [{ role_id: 'administrator' }] });
    expect((await keyturn().api('DELETE', path)).status).toBe(204);
  });

  it('counts those of a role', async () => {
    const { project } = await aProject();
    const { body } = await keyturn().api('GET', `${project}/roles/administrator`);
    expect(body).toMatchObject({ member_count: 1, key_count: 0 });
  });
});
