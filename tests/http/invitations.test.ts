import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { BEHIND_PROXY, openBrowser } from '../support/console.ts';
import { expectProblem } from '../support/expect-problem.ts';
import { keyturnFor } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';

const INVITATIONS = '/v1/projects/default/invitations';
const newEmail = () => `${randomUUID()}@example.com`;

describe.each(keyturnStorages)('invitations to a project on $name', (kind) => {
  const keyturn = keyturnFor(kind, { environment: BEHIND_PROXY });
  const api: ReturnType<typeof keyturn>['api'] = (...request) => keyturn().api(...request);
  const invite = (fields: object, token?: string) =>
    api('POST', INVITATIONS, { email: newEmail(), name: 'Ada', ...fields }, token);
  const usersOf = async (email: string) => (await api('GET', `/v1/users?q=${email}`)).body.data;

  it('let somebody new in', async () => {
    const email = newEmail();
    const { status, headers, body } = await invite({ email, roles: [{ role_id: 'viewer' }] });
    expect(status).toBe(201);
    expect(headers.get('location')).toMatch(new RegExp(`^/v1/projects/prj_\\w+/members/${body.user_id}$`));
    expect(body).toMatchObject({ email, name: 'Ada', roles: [{ workspace_id: null }] });
    const browser = openBrowser(keyturn());
    const opened = await browser.setUp(body.invitation_url, { password: 'meadow-Trombone-41-lantern', name: 'Grace' });
    expect(opened.body.user).toMatchObject({ email, name: 'Grace', permissions: [] });
    expect((await browser.request('GET', '/v1/projects/default/keys')).status).toBe(200);
    const again = await invite({ email });
    expectProblem(again, { status: 409, code: 'already_member' });
  });

  it('give no link to whom somebody else has given something', async () => {
    const { body: powerful } = await api('POST', '/v1/users', {
      email: newEmail(),
      name: 'Ada',
      permissions: ['*:keyturn-installation'],
    });
    const invited = await invite({ email: powerful.email });
    expect(invited.status).toBe(201);
    expect(invited.body).toMatchObject({ user_id: powerful.id, invitation_url: null });
    const unused = openBrowser(keyturn());
    expect((await unused.setUp(powerful.invitation_url, { password: 'meadow-Trombone-41-lantern' })).status).toBe(201);
  });

  it('give one to whom nobody has given anything, and the earlier one ends', async () => {
    const { body: idle } = await api('POST', '/v1/users', { email: newEmail(), name: 'Ada' });
    const { body } = await invite({ email: idle.email.toUpperCase() });
    expect(body.user_id).toBe(idle.id);
    const open = (url: string) => openBrowser(keyturn()).setUp(url, { password: 'meadow-Trombone-41-lantern' });
    expect((await open(idle.invitation_url)).status).toBe(410);
    expect((await open(body.invitation_url)).status).toBe(201);
  });

  it('leave no user behind where the roles can not be given', async () => {
    const { clientSecret } = await keyturn().createKey({ permissions: ['create:keyturn/member'] });
    const token = (await keyturn().exchange(clientSecret)).body.access_token;
    const email = newEmail();
    const roles = [{ role_id: 'administrator' }];
    expectProblem(await invite({ email, roles }, token), { status: 403, code: 'permission_exceeds_grantor' });
    expectProblem(await invite({ email, roles: [{ role_id: 'rol_absent' }] }, token), {
      status: 400,
      code: 'validation_failed',
    });
    expect(await usersOf(email)).toEqual([]);
    expect((await invite({ email }, token)).status).toBe(201);
    expect(await usersOf(email)).toHaveLength(1);
  });
});
