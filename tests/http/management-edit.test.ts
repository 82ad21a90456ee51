import { describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/expect-problem.ts';
import { keyturnFor, type Reply } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';

const PROJECT = '/v1/projects/default';
const KEYS = `${PROJECT}/keys`;

describe.each(keyturnStorages)('edits of an API key on $name', (kind) => {
  const keyturn = keyturnFor(kind);

  const post = async (path: string, json: unknown) => {
    const { status, body, text } = await keyturn().api('POST', path, json);
    expect({ status, text }).toMatchObject({ status: 201 });
    return body;
  };
  const edit = (id: string, json: unknown, token?: string) => keyturn().api('PATCH', `${KEYS}/${id}`, json, token);
  const ifMatch = async (method: string, path: string, etag: string, json?: unknown): Promise<Reply> => {
    const authorization = `Bearer ${(await keyturn().exchange()).body.access_token}`;
    const headers = { authorization, 'if-match': etag, 'content-type': 'application/json' };
    const body = json === undefined ? null : JSON.stringify(json);
    const response = await fetch(keyturn().url + path, { method, headers, body });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: text === '' ? null : JSON.parse(text) };
  };
  const tokenWith = async (permissions: readonly string[]): Promise<string> => {
    const { clientSecret } = await keyturn().createKey({ permissions });
    return (await keyturn().exchange(clientSecret)).body.access_token;
  };
  const eventsOf = (id: string) =>
    keyturn().service.storage.database.run(async (knex) => {
      const rows = await knex('audit_events').where({ object_id: id }).orderBy('sequence');
      return rows.map(({ type, detail }: { type: string; detail: string }) => ({ type, ...JSON.parse(detail) }));
    });
  const scopeOf = async (secret: string): Promise<string[]> => {
    const { body } = await keyturn().exchange(secret);
    return JSON.parse(Buffer.from(body.access_token.split('.')[1], 'base64url').toString())
      .scope.split(' ')
      .sort();
  };

  it('changes what was sent and nothing else; the next exchange has it, with the same secret', async () => {
    const key = await post(KEYS, { name: 'edited', permissions: ['read:a'], description: 'first' });
    const changes = {
      name: 'edited twice',
      description: null,
      permissions: ['read:b/*', 'write:c'],
      ip_allowlist: ['127.0.0.0/8'],
      expires_at: '2099-01-31T17:00:00.000Z',
      refresh_tokens: false,
      refresh_requires_client_auth: true,
    };
    const { status, headers, body } = await edit(key.id, changes);
    const { client_secret: secret, ...shown } = key;
    expect(status).toBe(200);
    expect(headers.get('etag')).toBe('"v2"');
    expect(body).toEqual({
      ...shown,
      ...changes,
      effective_permissions: changes.permissions,
      updated_at: expect.any(String),
    });
    const { body: read } = await keyturn().api('GET', `${KEYS}/${key.id}`);
    expect(read).toEqual(body);
    expect(await scopeOf(secret)).toEqual(['read:b/*', 'write:c']);
  });

  it('answers an edit that changes nothing with the same version, and tells of none', async () => {
    const key = await post(KEYS, { name: 'unchanged', permissions: ['read:a', 'read:b'] });
    const { status, headers, body } = await edit(key.id, { name: 'unchanged', permissions: ['read:a', 'read:b'] });
    expect(status).toBe(200);
    expect(headers.get('etag')).toBe('"v1"');
    expect(body.updated_at).toBe(key.updated_at);
    expect((await eventsOf(key.id)).map(({ type }) => type)).toEqual(['api_key.created']);
  });

  it('tells what changed, before and after, and no secret', async () => {
    const key = await post(KEYS, { name: 'audited', permissions: ['read:a'] });
    await edit(key.id, { permissions: ['read:b'], refresh_tokens: true });
    await edit(key.id, { is_valid: false });
    await edit(key.id, { is_valid: true });
    await keyturn().api('DELETE', `${KEYS}/${key.id}`);
    const events = await eventsOf(key.id);
    expect(events).toEqual([
      { type: 'api_key.created', after: expect.objectContaining({ name: 'audited', permissions: ['read:a'] }) },
      { type: 'api_key.updated', before: { permissions: ['read:a'] }, after: { permissions: ['read:b'] } },
      { type: 'api_key.revoked', before: { is_valid: true }, after: { is_valid: false } },
      { type: 'api_key.restored', before: { is_valid: false }, after: { is_valid: true } },
      { type: 'api_key.deleted', client_id: key.client_id, name: 'audited' },
    ]);
    expect(JSON.stringify(events)).not.toContain(key.client_secret);
  });

  it('refuses a body without a field, a taken name, and a time that is past', async () => {
    const { id } = await keyturn().createKey();
    const { name } = await post(KEYS, { name: 'taken by another' });
    expectProblem(await edit(id, {}), { status: 400, code: 'validation_failed' });
    expectProblem(await edit(id, { name }), { status: 409, code: 'name_taken' });
    const past = await edit(id, { expires_at: '2020-01-01T00:00:00Z' });
    expectProblem(past, { status: 400, code: 'validation_failed' });
    expect(past.body.errors[0].field).toBe('expires_at');
    expect((await edit(id, { expires_at: null })).status).toBe(200);
  });

  it('writes only the version that was meant', async () => {
    const { id } = await keyturn().createKey();
    const path = `${KEYS}/${id}`;
    expect((await ifMatch('PATCH', path, '"v1"', { description: 'one' })).status).toBe(200);
    for (const [method, json, at] of [
      ['PATCH', { description: 'two' }, path],
      ['DELETE', undefined, path],
      ['POST', {}, `${path}/regenerate`],
    ] as const)
      expectProblem(await ifMatch(method, at, '"v1"', json), { status: 412, code: 'version_mismatch' });
    expect((await keyturn().api('GET', path)).body.description).toBe('one');
    expect((await ifMatch('PATCH', path, '"v7", "v2"', { description: 'two' })).status).toBe(200);
    expect((await ifMatch('DELETE', path, '*')).status).toBe(204);
  });

  it('shows the fields that were asked for', async () => {
    const { id, clientId } = await keyturn().createKey();
    const { headers, body } = await keyturn().api('GET', `${KEYS}/${id}?fields=client_id,is_valid`);
    expect(body).toEqual({ client_id: clientId, is_valid: true });
    expect(headers.get('etag')).toBe('"v1"');
    const unknown = await keyturn().api('GET', `${KEYS}/${id}?fields=client_secret`);
    expectProblem(unknown, { status: 400, code: 'validation_failed' });
  });

  it('gives roles by id or slug, in workspaces too, once each, and takes them', async () => {
    const role = await post(`${PROJECT}/roles`, { name: 'Tester', slug: 'tester', permissions: ['read:defect'] });
    const workspace = await post(`${PROJECT}/workspaces`, { name: 'Mobile', slug: 'mobile' });
    const inWorkspace = { role_id: role.id, workspace_id: workspace.id };
    const key = await post(KEYS, {
      name: 'with roles',
      permissions: ['write:own'],
      roles: [{ role_id: 'tester', workspace_id: 'mobile' }, inWorkspace],
    });
    expect(key.roles).toEqual([inWorkspace]);
    expect(key.effective_permissions).toEqual(['write:own', 'read:workspace/mobile/defect']);
    expect(await scopeOf(key.client_secret)).toEqual(['read:workspace/mobile/defect', 'write:own']);

    const everywhere = await edit(key.id, { roles: [{ role_id: 'tester' }] });
    expect(everywhere.body.effective_permissions).toEqual(['write:own', 'read:defect']);
    expect(await scopeOf(key.client_secret)).toEqual(['read:defect', 'write:own']);
    const none = await edit(key.id, { roles: [] });
    expect(none.body).toMatchObject({ roles: [], effective_permissions: ['write:own'] });
    expect((await eventsOf(key.id)).at(-1)).toMatchObject({
      before: { roles: [{ role_id: role.id, workspace_id: null }] },
      after: { roles: [] },
    });
  });

  it('names the role, workspace or owner that the project does not have', async () => {
    const { id } = await keyturn().createKey();
    for (const [json, field] of [
      [{ roles: [{ role_id: 'viewer' }, { role_id: 'nobody' }] }, 'roles.1.role_id'],
      [{ roles: [{ role_id: 'viewer', workspace_id: 'nowhere' }] }, 'roles.0.workspace_id'],
      [{ owner_id: 'usr_00000000000000000000000000' }, 'owner_id'],
    ] as const)
      for (const reply of [
        await edit(id, json),
        await keyturn().api('POST', KEYS, { name: `bad ${field}`, ...json }),
      ]) {
        expectProblem(reply, { status: 400, code: 'validation_failed' });
        expect(reply.body.errors[0].field).toBe(field);
      }
  });

  it('hands a key over to another member', async () => {
    const user = await post('/v1/users', { email: 'owner@example.com', name: 'Owner' });
    const { id } = await keyturn().createKey();
    expectProblem(await edit(id, { owner_id: user.id }), { status: 400, code: 'validation_failed' });
    await post(`${PROJECT}/members`, { user_id: user.id, roles: [] });
    expect((await edit(id, { owner_id: user.id })).body.owner_id).toBe(user.id);
    const created = await post(KEYS, { name: 'owned from the beginning', owner_id: user.id });
    expect(created.owner_id).toBe(user.id);
  });

  it('names a role whose permissions are too deep for the workspace', async () => {
    const deep = 'read:a/b/c/d/e/f/g';
    const role = await post(`${PROJECT}/roles`, { name: 'Deep', slug: 'deep', permissions: [deep] });
    await post(`${PROJECT}/workspaces`, { name: 'Shallow', slug: 'shallow' });
    const { id } = await keyturn().createKey();
    expect((await edit(id, { roles: [{ role_id: 'deep' }] })).status).toBe(200);
    const reply = await edit(id, { roles: [{ role_id: 'deep', workspace_id: 'shallow' }] });
    expectProblem(reply, { status: 400, code: 'validation_failed' });
    expect(reply.body.errors[0]).toMatchObject({ field: 'roles', message: expect.stringContaining(role.id) });
  });

  it('refuses an edit that makes tokens over 8 KiB, saying the size, and never a revocation', async () => {
    const { id } = await keyturn().createKey();
    const permissions = Array.from({ length: 100 }, (_, index) => `read:${'a'.repeat(90)}${index}`);
    const reply = await edit(id, { permissions });
    expectProblem(reply, { status: 422, code: 'token_too_large' });
    expect(reply.body.length).toBeGreaterThan(8192);
    expect((await edit(id, { is_valid: false })).status).toBe(200);
  });

  describe('by whoever holds less than the key', () => {
    const HELD = ['*:keyturn/api-key', 'read:a'];

    it.each([
      ['restoring', { is_valid: true }],
      ['widening the allowlist', { ip_allowlist: [] }],
      ['putting off the expiry', { expires_at: null }],
      ['renaming', { name: 'renamed by less' }],
      ['revoking and renaming', { is_valid: false, name: 'renamed by less' }],
      ['giving a role', { roles: [{ role_id: 'administrator' }] }],
    ])('%s is refused', async (what, json) => {
      const path = { name: `held by more, ${what}`, permissions: ['read:a', 'read:secret'] };
      const { id } = await post(KEYS, path);
      const { body: before } = await edit(id, { is_valid: what !== 'restoring', ip_allowlist: ['127.0.0.1'] });
      const reply = await edit(id, json, await tokenWith(HELD));
      expectProblem(reply, { status: 403, code: 'permission_exceeds_grantor' });
      expect(reply.body.permissions).toContain('read:secret');
      expect((await keyturn().api('GET', `${KEYS}/${id}`)).body).toEqual(before);
    });

    it('a role gives no more than its giver holds', async () => {
      const { id } = await post(KEYS, { name: 'given a role', permissions: ['read:a'] });
      const reply = await edit(id, { roles: [{ role_id: 'viewer' }] }, await tokenWith(HELD));
      expectProblem(reply, { status: 403, code: 'permission_exceeds_grantor' });
      expect(reply.body.permissions).toEqual(['read:*', 'read:keyturn']);
    });

    it('taking away what they do not hold is allowed, and so is revoking', async () => {
      const { id } = await post(KEYS, { name: 'loses the rest', permissions: ['read:a', 'read:secret'] });
      const token = await tokenWith(HELD);
      expect((await edit(id, { permissions: ['read:a'] }, token)).body.permissions).toEqual(['read:a']);
      await edit(id, { permissions: ['read:secret'] });
      expect((await edit(id, { is_valid: false }, token)).status).toBe(200);
    });
  });
});
