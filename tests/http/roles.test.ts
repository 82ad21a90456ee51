import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/expect-problem.ts';
import { claimsOf, keyturnFor } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';
import { requestIfMatch } from '../support/request-if-match.ts';

const ROLES = '/v1/projects/default/roles';

describe.each(keyturnStorages)('/v1/projects/{project}/roles on $name', (kind) => {
  const keyturn = keyturnFor(kind);

  async function create(permissions: readonly string[]) {
    const reply = await keyturn().api('POST', ROLES, { name: `role ${randomUUID()}`, permissions });
    expect(reply.status).toBe(201);
    return reply.body;
  }
  const keyWith = (roleId: string, fields: object = {}) =>
    keyturn().createKey({ roles: [{ role_id: roleId }], ...fields });
  const scopeOf = async (clientSecret: string) =>
    claimsOf((await keyturn().exchange(clientSecret)).body.access_token).scope;
  const tokenWith = async (permissions: readonly string[]): Promise<string> =>
    (await keyturn().exchange((await keyturn().createKey({ permissions })).clientSecret)).body.access_token;

  it('creates one, shows how many have it, and deletes it when nobody has', async () => {
    const { id, slug, ...created } = await create(['read:a', 'read:a']);
    expect(created).toMatchObject({ permissions: ['read:a'], is_built_in: false, description: null });
    const key = await keyWith(slug);
    const shown = await keyturn().api('GET', `${ROLES}/${slug}`);
    expect(shown.body).toEqual({ id, slug, ...created, key_count: 1, member_count: 0 });
    const refused = await keyturn().api('DELETE', `${ROLES}/${id}`);
    expectProblem(refused, { status: 409, code: 'object_in_use' });
    expect(refused.body).toMatchObject({ key_count: 1, member_count: 0 });
    await keyturn().api('DELETE', `/v1/projects/default/keys/${key.id}`);
    expect((await keyturn().api('DELETE', `${ROLES}/${id}`)).status).toBe(204);
    expectProblem(await keyturn().api('GET', `${ROLES}/${slug}`), { status: 404, code: 'not_found' });
  });

  it('gives the next token of every key that has it what it gives now', async () => {
    const role = await create(['read:a']);
    const key = await keyWith(role.id, { permissions: ['read:own'] });
    expect(await scopeOf(key.clientSecret)).toBe('read:own read:a');
    const path = `${ROLES}/${role.slug}`;
    const edited = await requestIfMatch(keyturn(), '"v1"', ['PATCH', path, { permissions: ['read:b'] }]);
    expect(edited.body.permissions).toEqual(['read:b']);
    expect(await scopeOf(key.clientSecret)).toBe('read:own read:b');
    for (const late of [
      ['PATCH', path, { name: 'x' }],
      ['DELETE', path],
    ] as const)
      expectProblem(await requestIfMatch(keyturn(), '"v1"', late), { status: 412, code: 'version_mismatch' });
  });

  it('takes at a refresh what it does not give any more', async () => {
    const role = await create(['read:a', 'read:b']);
    const { clientSecret } = await keyWith(role.id);
    const { refresh_token: refreshToken } = (await keyturn().exchange(clientSecret)).body;
    await keyturn().api('PATCH', `${ROLES}/${role.id}`, { permissions: ['read:b', 'read:c'] });
    expect(claimsOf((await keyturn().refresh(refreshToken)).body.access_token).scope).toBe('read:b');
  });

  it('is made and edited only by whoever holds all that it gives', async () => {
    const token = await tokenWith(['*:keyturn/role', 'read:a']);
    const post = (permissions: readonly string[]) =>
      keyturn().api('POST', ROLES, { name: `by ${randomUUID()}`, permissions }, token);
    expectProblem(await post(['read:a', 'read:b']), { status: 403, code: 'permission_exceeds_grantor' });
    const { body: own } = await post(['read:a']);
    const patch = (id: string, json: object) => keyturn().api('PATCH', `${ROLES}/${id}`, json, token);
    expectProblem(await patch(own.id, { permissions: ['read:b'] }), {
      status: 403,
      code: 'permission_exceeds_grantor',
    });
    expect((await patch(own.id, { permissions: [] })).status).toBe(200);
    const wider = await create(['read:a', 'read:b']);
    // It would still give read:b to whoever is given it next.
    expectProblem(await patch(wider.id, { name: 'x' }), { status: 403, code: 'permission_exceeds_grantor' });
    expect((await patch(wider.id, { permissions: ['read:a/x'] })).status).toBe(200);
  });

  it.each(['*:keyturn-installation', 'create:keyturn-installation/project'])('never holds %s', async (permission) => {
    const created = await keyturn().api('POST', ROLES, { name: 'x', permissions: [permission] });
    expectProblem(created, { status: 400, code: 'validation_failed' });
    expect(created.body.errors).toMatchObject([{ field: 'permissions' }]);
    const { id } = await create([]);
    const edited = await keyturn().api('PATCH', `${ROLES}/${id}`, { permissions: [permission] });
    expectProblem(edited, { status: 400, code: 'validation_failed' });
  });

  it.each(['administrator', 'viewer', 'key-manager'])('%s is neither edited nor deleted', async (slug) => {
    for (const [method, json] of [['PATCH', { permissions: [] }], ['DELETE']] as const)
      expectProblem(await keyturn().api(method, `${ROLES}/${slug}`, json), { status: 409, code: 'built_in_role' });
    expect((await keyturn().api('GET', `${ROLES}/${slug}?fields=is_built_in`)).body).toEqual({ is_built_in: true });
  });

  it('does not grow so that a token of a key that has it would be too long', async () => {
    const many = (name: string) => Array.from({ length: 99 }, (_, n) => `read:${name}-${n}/${'x'.repeat(40)}`);
    const role = await create(['read:a']);
    await keyWith(role.id);
    const full = await keyWith(role.id, { permissions: many('own') });
    const path = `${ROLES}/${role.id}`;
    const refused = await keyturn().api('PATCH', path, { permissions: many('role') });
    expectProblem(refused, { status: 422, code: 'token_too_large' });
    expect(refused.body).toMatchObject({ key_id: full.id, length: expect.any(Number) });
    expect(refused.body.length).toBeGreaterThan(8192);
    expect((await keyturn().api('GET', path)).body.permissions).toEqual(['read:a']);
    await keyturn().api('DELETE', `/v1/projects/default/keys/${full.id}`);
    expect((await keyturn().api('PATCH', path, { permissions: many('role') })).status).toBe(200);
  });

  it('refuses a permission too deep for a workspace where it is given, by its name', async () => {
    const { body: workspace } = await keyturn().api('POST', '/v1/projects/default/workspaces', {
      name: `deep ${randomUUID()}`,
    });
    const role = await create(['read:a']);
    await keyturn().createKey({ roles: [{ role_id: role.id, workspace_id: workspace.id }] });
    const permissions = ['read:a/b/c/d/e/f/g'];
    const refused = await keyturn().api('PATCH', `${ROLES}/${role.id}`, { permissions });
    expectProblem(refused, { status: 400, code: 'validation_failed' });
    expect(refused.body.detail).toContain(workspace.slug);
  });
});
