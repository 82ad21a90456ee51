import { describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/expect-problem.ts';
import { keyturnFor } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';
import { addProject } from '../support/other-project.ts';

const KEYS = '/v1/projects/default/keys';

describe.each(keyturnStorages)('access to the management API on $name', (kind) => {
  const keyturn = keyturnFor(kind);

  const tokenWith = async (permissions: readonly string[]): Promise<string> => {
    const { clientSecret } = await keyturn().createKey({ permissions });
    return (await keyturn().exchange(clientSecret)).body.access_token;
  };

  describe('who may hand out what', () => {
    const held = ['*:keyturn', 'read:a/*', '*:b'];

    it.each(['read:a/x', 'read:a/*', 'delete:b/c', '*:b', 'create:keyturn/api-key', '*:keyturn'])(
      '%s is covered by what the grantor holds',
      async (permission) => {
        const token = await tokenWith(held);
        const name = `covered ${permission}`;
        expect((await keyturn().api('POST', KEYS, { name, permissions: [permission] }, token)).status).toBe(201);
      },
    );

    it.each([
      'read:a',
      '*:a/x',
      'read:*',
      '*:*',
      'read:c',
      '*:keyturn-installation',
      'create:keyturn-installation/project',
    ])('%s is not', async (permission) => {
      const token = await tokenWith(held);
      const reply = await keyturn().api('POST', KEYS, { name: 'x', permissions: ['read:a/x', permission] }, token);
      expectProblem(reply, { status: 403, code: 'permission_exceeds_grantor' });
      expect(reply.body.detail).toContain(permission);
    });

    it('a token that was narrowed hands out no more than it says', async () => {
      const { clientSecret } = await keyturn().createKey({ permissions: held });
      const { body } = await keyturn().exchange(clientSecret, { scope: 'create:keyturn/api-key' });
      const reply = await keyturn().api('POST', KEYS, { name: 'x', permissions: ['*:b'] }, body.access_token);
      expectProblem(reply, { status: 403, code: 'permission_exceeds_grantor' });
    });

    it('a revoked key with more is not restored by whoever holds less', async () => {
      const { id } = await keyturn().createKey({ permissions: ['read:secret'] });
      const token = await tokenWith(held);
      expect((await keyturn().api('PATCH', `${KEYS}/${id}`, { is_valid: false }, token)).status).toBe(200);
      const reply = await keyturn().api('PATCH', `${KEYS}/${id}`, { is_valid: true }, token);
      expectProblem(reply, { status: 403, code: 'permission_exceeds_grantor' });
      expect((await keyturn().api('GET', `${KEYS}/${id}`)).body.is_valid).toBe(false);
    });
  });

  describe('what a token must hold', () => {
    it.each([
      ['GET', '', 'read:keyturn/api-key'],
      ['POST', '', 'create:keyturn/api-key'],
      ['GET', '/key', 'read:keyturn/api-key'],
      ['PATCH', '/key', 'update:keyturn/api-key'],
      ['DELETE', '/key', 'delete:keyturn/api-key'],
    ])('%s %s takes %s and nothing less', async (method, path, permission) => {
      const { id } = await keyturn().createKey();
      const json = { POST: { name: `by ${permission}` }, PATCH: { is_valid: true } }[method];
      const ask = (token: string) => keyturn().api(method, KEYS + path.replace('key', id), json, token);
      const others = ['read', 'create', 'update', 'delete'].map((action) => `${action}:keyturn/api-key`);
      const insufficient = await ask(await tokenWith(['*:*', ...others.filter((other) => other !== permission)]));
      expectProblem(insufficient, { status: 403, code: 'permission_missing' });
      expect(insufficient.body.required_permission).toBe(permission);
      expect((await ask(await tokenWith([permission]))).status).toBeLessThan(300);
    });
  });

  it.each([
    ['none', undefined],
    ['an empty one', 'Bearer '],
    ['one that is no JWT', 'Bearer abc'],
    ['one of another scheme', 'Basic YTpi'],
    ['an API key', 'Bearer ktk_abc'],
  ])('refuses a token that is %s with a challenge', async (_, authorization) => {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    const response = await fetch(`${keyturn().url}/v1/me`, { headers });
    const body = await response.json();
    expect([400, 401]).toContain(response.status);
    expect(body).toMatchObject({ status: response.status, request_id: expect.any(String) });
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer realm="keyturn"/);
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it('refuses a token in the query, and a refresh token', async () => {
    const { body } = await keyturn().exchange();
    const inQuery = await fetch(`${keyturn().url}/v1/me?access_token=${body.access_token}`);
    expect([400, 401]).toContain(inQuery.status);
    expect((await keyturn().api('GET', '/v1/me', undefined, body.refresh_token)).status).toBe(401);
  });

  it('refuses a token from an address outside its allowlist, and one for another audience', async () => {
    const trusting = await keyturn().createKey({ ip_allowlist: ['127.0.0.1'] });
    const { body } = await keyturn().exchange(trusting.clientSecret);
    expect((await keyturn().api('GET', '/v1/me', undefined, body.access_token)).status).toBe(200);
    const { id } = await addProject(keyturn(), ['https://elsewhere.example']);
    const { body: key } = await keyturn().api('POST', `/v1/projects/${id}/keys`, { name: 'x' });
    const elsewhere = await keyturn().exchange(key.client_secret);
    expect((await keyturn().api('GET', '/v1/me', undefined, elsewhere.body.access_token)).status).toBe(401);
  });
});
