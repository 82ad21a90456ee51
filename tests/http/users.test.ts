import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { BEHIND_PROXY, openBrowser } from '../support/console.ts';
import { expectProblem } from '../support/expect-problem.ts';
import { keyturnFor } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';
import { addProject } from '../support/other-project.ts';

const PASSWORD = 'meadow-Trombone-41-lantern';
const USERS = '/v1/users';

const newEmail = () => `${randomUUID()}@example.com`;

describe.each(keyturnStorages)('users on $name', (kind) => {
  const keyturn = keyturnFor(kind, { environment: BEHIND_PROXY });
  const api: ReturnType<typeof keyturn>['api'] = (...request) => keyturn().api(...request);

  async function create(fields: Readonly<Record<string, unknown>> = {}) {
    const { status, body } = await api('POST', USERS, { email: newEmail(), name: 'Ada', ...fields });
    expect(status).toBe(201);
    return body;
  }
  async function tokenOf(permissions: readonly string[]): Promise<string> {
    const { clientSecret } = await keyturn().createKey({ permissions });
    return (await keyturn().exchange(clientSecret)).body.access_token;
  }
  /** A role of the default project, and a user who has it there. */
  async function giveRole(userId: string, slug: string, project = 'default') {
    const reply = await api('POST', `/v1/projects/${project}/members`, { user_id: userId, roles: [{ role_id: slug }] });
    expect(reply.status).toBe(201);
  }
  async function signedIn(fields: Readonly<Record<string, unknown>> = {}, role: string | null = null) {
    const created = await create(fields);
    if (role !== null) await giveRole(created.id, role);
    const browser = openBrowser(keyturn());
    expect((await browser.setUp(created.invitation_url, { password: PASSWORD })).status).toBe(201);
    return { id: created.id as string, browser };
  }

  it('are created, shown, listed by e-mail address, edited and deleted', async () => {
    const mailbox = randomUUID();
    const created = await api('POST', USERS, { email: `${mailbox}@Example.com`, name: ' Ada ' });
    expect(created.headers.get('location')).toBe(`${USERS}/${created.body.id}`);
    expect(created.headers.get('etag')).toBe('"v1"');
    const { invitation_url, ...user } = created.body;
    expect(invitation_url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/console\/setup#kts_[A-Za-z0-9_-]{43}$/);
    expect(user).toMatchObject({ email: `${mailbox}@example.com`, name: 'Ada', permissions: [], has_password: false });
    const one = `${USERS}/${user.id}`;
    expect((await api('GET', one)).body).toEqual(user);
    expect((await api('GET', `${one}?fields=id,name`)).body).toEqual({ id: user.id, name: 'Ada' });
    const found = await api('GET', `${USERS}?q=${mailbox.toUpperCase()}&sort=-email`);
    expect(found.body).toMatchObject({ data: [user], total_count: 1, next_cursor: null });

    const edited = await api('PATCH', one, { name: 'Ada Lovelace' });
    expect(edited.body).toMatchObject({ name: 'Ada Lovelace', email: user.email });
    expect(edited.headers.get('etag')).toBe('"v2"');
    expect((await api('PATCH', one, { name: 'Ada Lovelace' })).headers.get('etag')).toBe('"v2"');
    expectProblem(await api('PATCH', one, {}), { status: 400, code: 'validation_failed' });
    expect((await api('DELETE', one)).status).toBe(204);
    for (const method of ['GET', 'DELETE']) expectProblem(await api(method, one), { status: 404, code: 'not_found' });
    const events = await keyturn().service.storage.database.run((knex) =>
      knex('audit_events').where({ object_id: user.id }).orderBy('sequence').pluck('type'),
    );
    expect(events).toEqual(['user.created', 'user.invited', 'user.updated', 'user.deleted']);
  });

  it('have an e-mail address each, whatever the capitals', async () => {
    const { email } = await create();
    const second = { email: email.toUpperCase(), name: 'Eve' };
    expectProblem(await api('POST', USERS, second), { status: 409, code: 'email_taken' });
    const { id } = await create();
    expectProblem(await api('PATCH', `${USERS}/${id}`, { email }), { status: 409, code: 'email_taken' });
  });

  it('are written for the version that was read', async () => {
    const { id } = await create();
    const token = (await keyturn().exchange()).body.access_token;
    const patch = (ifMatch: string) =>
      fetch(`${keyturn().url}${USERS}/${id}`, {
        method: 'PATCH',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'if-match': ifMatch },
        body: JSON.stringify({ name: `of ${ifMatch}` }),
      });
    expect([(await patch('"v1"')).status, (await patch('"v1"')).status, (await patch('"v2"')).status]).toEqual([
      200, 412, 200,
    ]);
  });

  it.each([
    [{ permissions: ['read:everything'] }, 'permissions'],
    [{ permissions: ['*:keyturn'] }, 'permissions'],
    [{ permissions: ['*:keyturn-installation-x'] }, 'permissions'],
    [{ email: 'nobody' }, 'email'],
    [{ name: '\u0000' }, 'name'],
    [{ password: PASSWORD }, 'password'],
  ])('can not be created with %j', async (fields, field) => {
    const reply = await api('POST', USERS, { email: newEmail(), name: 'Ada', ...fields });
    expectProblem(reply, { status: 400, code: 'validation_failed' });
    expect(reply.body.errors).toMatchObject([{ field }]);
  });

  it('get from nobody what they do not hold', async () => {
    const token = await tokenOf(['*:keyturn-installation/user', '*:keyturn']);
    const wide = { email: newEmail(), name: 'Eve', permissions: ['read:keyturn-installation/signing-key'] };
    expectProblem(await api('POST', USERS, wide, token), { status: 403, code: 'permission_exceeds_grantor' });
    const { id } = await create({ permissions: ['*:keyturn-installation'] });
    const edit = await api('PATCH', `${USERS}/${id}`, { email: newEmail() }, token);
    expectProblem(edit, { status: 403, code: 'permission_exceeds_grantor' });
    const narrow = { ...wide, permissions: ['read:keyturn-installation/user'] };
    expect((await api('POST', USERS, narrow, token)).status).toBe(201);
    expectProblem(await api('GET', USERS, undefined, await tokenOf(['*:keyturn'])), {
      status: 403,
      code: 'permission_missing',
    });
  });

  it('are invited anew only by whoever holds all that they hold, in every project', async () => {
    const { id } = await create();
    const token = await tokenOf(['*:keyturn-installation/user', '*:keyturn']);
    expect((await api('POST', `${USERS}/${id}/invitation`, undefined, token)).status).toBe(201);
    await giveRole(id, 'administrator');
    const takeover = await api('POST', `${USERS}/${id}/invitation`, undefined, token);
    expectProblem(takeover, { status: 403, code: 'permission_exceeds_grantor' });
    expect(takeover.body.permissions).toContain('*:*');
    expect((await api('POST', `${USERS}/${id}/invitation`)).status).toBe(201);
    expectProblem(await api('POST', `${USERS}/usr_absent/invitation`), { status: 404, code: 'not_found' });
  });

  describe('signed in', () => {
    it('are told who they are', async () => {
      const { id, browser } = await signedIn({ permissions: ['read:keyturn-installation/user'] }, 'viewer');
      const { body } = await browser.request('GET', '/v1/me');
      expect(body).toMatchObject({ user_id: id, name: 'Ada', permissions: ['read:keyturn-installation/user'] });
      expect(body.ip).toBe(browser.ip);
      expect(body.memberships).toMatchObject([{ project_slug: 'default', roles: [{ workspace_id: null }] }]);
    });

    it('do what their roles give, in their projects alone', async () => {
      const { id, browser } = await signedIn({}, 'key-manager');
      const create = (fields: object, project = 'default') =>
        browser.request('POST', `/v1/projects/${project}/keys`, { name: randomUUID(), ...fields });
      const made = await create({});
      expect(made.status).toBe(201);
      expect(made.body).toMatchObject({ owner_id: id, created_by: id });
      expectProblem(await create({ permissions: ['read:a'] }), { status: 403, code: 'permission_exceeds_grantor' });
      const { id: foreign } = await addProject(keyturn());
      const absent = await create({}, 'prj_absent');
      const other = await create({}, foreign);
      expectProblem(other, { status: 404, code: 'not_found' });
      expect({ ...other.body, request_id: null }).toEqual({ ...absent.body, request_id: null });
      expectProblem(await browser.request('GET', USERS), { status: 403, code: 'permission_missing' });
    });

    it('lose a role at once', async () => {
      const { id, browser } = await signedIn({}, 'viewer');
      const read = () => browser.request('GET', '/v1/projects/default/keys');
      expect((await read()).status).toBe(200);
      expect((await api('DELETE', `/v1/projects/default/members/${id}`)).status).toBe(204);
      expectProblem(await read(), { status: 404, code: 'not_found' });
    });

    it('are not deleted while they alone administer a project', async () => {
      const { id: project } = await addProject(keyturn());
      const { id } = await create();
      await giveRole(id, 'administrator', project);
      const [maker] = (await api('GET', `/v1/projects/${project}/members`)).body.data;
      expect((await api('DELETE', `/v1/projects/${project}/members/${maker.user_id}`)).status).toBe(204);
      expectProblem(await api('DELETE', `${USERS}/${id}`), { status: 409, code: 'last_administrator' });
      await giveRole((await create()).id, 'administrator', project);
      expect((await api('DELETE', `${USERS}/${id}`)).status).toBe(204);
    });

    it('are gone with their user, and nobody deletes their own', async () => {
      const { id, browser } = await signedIn({ permissions: ['*:keyturn-installation'] });
      expectProblem(await browser.request('DELETE', `${USERS}/${id}`), { status: 409, code: 'own_user' });
      expect((await api('DELETE', `${USERS}/${id}`)).status).toBe(204);
      expectProblem(await browser.request('GET', '/v1/me'), { status: 401, code: 'unauthenticated' });
    });
  });
});
