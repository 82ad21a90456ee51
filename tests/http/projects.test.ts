import { describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/expect-problem.ts';
import { claimsOf, keyturnFor, type Reply } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';
import { addProject } from '../support/other-project.ts';
import { requestIfMatch } from '../support/request-if-match.ts';

describe.each(keyturnStorages)('/v1/projects on $name', (kind) => {
  const keyturn = keyturnFor(kind);

  const tokenWith = async (permissions: readonly string[], project = 'default'): Promise<string> => {
    const body = { name: `key ${performance.now()}`, permissions };
    const { body: key } = await keyturn().api('POST', `/v1/projects/${project}/keys`, body);
    return (await keyturn().exchange(key.client_secret)).body.access_token;
  };
  const create = (body: unknown, token?: string): Promise<Reply> => keyturn().api('POST', '/v1/projects', body, token);
  const idsIn = ({ body }: Reply): string[] => body.data.map(({ id }: { id: string }) => id);

  it('creates one with built-in roles and its maker as administrator, and shows it by id and slug', async () => {
    const created = await create({ name: 'Billing & Co', description: 'Money', audiences: ['https://pay.example'] });
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({ slug: 'billing-co', name: 'Billing & Co', description: 'Money' });
    const path = created.headers.get('location') ?? '';
    for (const each of [path, '/v1/projects/billing-co']) {
      const shown = await keyturn().api('GET', each);
      expect(shown.body).toEqual(created.body);
      expect(shown.headers.get('etag')).toBe('"v1"');
    }
    const roles = await keyturn().api('GET', `${path}/roles?sort=name`);
    expect(roles.body.data.map(({ slug }: { slug: string }) => slug)).toEqual([
      'administrator',
      'key-manager',
      'viewer',
    ]);
    const members = await keyturn().api('GET', `${path}/members`);
    expect(members.body.data).toMatchObject([{ permissions: ['*:*', '*:keyturn'] }]);
    expectProblem(await create({ name: 'billing CO' }), { status: 409, code: 'slug_taken' });
  });

  it.each([
    [{ name: '测试' }, 'slug'],
    [{ name: 'x', slug: 'A' }, 'slug'],
    [{ name: 'x', slug: 'prj_x' }, 'slug'],
    [{ name: '' }, 'name'],
    [{ name: 'x', audiences: ['api.example'] }, 'audiences.0'],
    [{ name: 'x', audiences: ['https://a.example#b'] }, 'audiences.0'],
    [{ name: 'x', audiences: ['urn:a:b', 'urn:a:b'] }, 'audiences'],
    [{ name: 'x', audience: 'urn:a' }, 'audience'],
  ])('refuses %j', async (body, field) => {
    const reply = await create(body);
    expectProblem(reply, { status: 400, code: 'validation_failed' });
    expect(reply.body.errors).toMatchObject([{ field }]);
  });

  it('lists all for the installation, and its own alone for whoever is of one project', async () => {
    const other = await addProject(keyturn());
    expect(idsIn(await keyturn().api('GET', '/v1/projects?limit=200'))).toContain(other.id);
    const own = await keyturn().api(
      'GET',
      '/v1/projects',
      undefined,
      await tokenWith(['read:keyturn/project'], other.slug),
    );
    expect(idsIn(own)).toEqual([other.id]);
    expect(own.body.total_count).toBe(1);
    const none = await keyturn().api('GET', '/v1/projects', undefined, await tokenWith(['*:*', 'read:keyturn/role']));
    expect(none.body).toMatchObject({ data: [], total_count: 0, next_cursor: null });
  });

  it('answers another project as one that is not there, whatever is asked', async () => {
    const other = await addProject(keyturn());
    const token = await tokenWith(['*:*', '*:keyturn']);
    for (const [method, body] of [['GET'], ['PATCH', { name: 'x' }], ['DELETE']] as const) {
      const [foreign, absent] = await Promise.all(
        [other.slug, 'absent'].map((slug) => keyturn().api(method, `/v1/projects/${slug}`, body, token)),
      );
      expectProblem(foreign as Reply, { status: 404, code: 'not_found' });
      expect({ ...foreign?.body, request_id: '' }).toEqual({ ...absent?.body, request_id: '' });
    }
    expectProblem(await create({ name: 'x' }, token), { status: 403, code: 'permission_missing' });
  });

  it('edits what was sent, of the version that was meant; its slug stays', async () => {
    const { id } = await addProject(keyturn());
    const path = `/v1/projects/${id}`;
    const edited = await requestIfMatch(keyturn(), '"v1"', ['PATCH', path, { description: 'Edited' }]);
    expect(edited.headers.get('etag')).toBe('"v2"');
    expect(edited.body).toMatchObject({ description: 'Edited' });
    for (const late of [
      ['PATCH', path, { description: 'Late' }],
      ['DELETE', path],
    ] as const)
      expectProblem(await requestIfMatch(keyturn(), '"v1"', late), { status: 412, code: 'version_mismatch' });
    const unchanged = await keyturn().api('PATCH', path, { description: 'Edited' });
    expect(unchanged.headers.get('etag')).toBe('"v2"');
    const slug = await keyturn().api('PATCH', path, { slug: 'other' });
    expectProblem(slug, { status: 400, code: 'validation_failed' });
    expectProblem(await keyturn().api('PATCH', path, {}), { status: 400, code: 'validation_failed' });
  });

  it('puts its new audiences into the next token', async () => {
    const { id } = await addProject(keyturn(), ['https://old.example']);
    const { body: key } = await keyturn().api('POST', `/v1/projects/${id}/keys`, {
      name: 'x',
      permissions: ['read:a'],
    });
    const audience = async () => claimsOf((await keyturn().exchange(key.client_secret)).body.access_token).aud;
    expect(await audience()).toBe('https://old.example');
    await keyturn().api('PATCH', `/v1/projects/${id}`, { audiences: ['https://new.example'] });
    expect(await audience()).toBe('https://new.example');
  });

  it('is deleted once it has no keys', async () => {
    const { id, slug } = await addProject(keyturn());
    const path = `/v1/projects/${slug}`;
    const { body: key } = await keyturn().api('POST', `${path}/keys`, { name: 'x' });
    const refused = await keyturn().api('DELETE', path);
    expectProblem(refused, { status: 409, code: 'object_in_use' });
    expect(refused.body).toMatchObject({ key_count: 1 });
    await keyturn().api('DELETE', `${path}/keys/${key.id}`);
    expect((await keyturn().api('DELETE', path)).status).toBe(204);
    expectProblem(await keyturn().api('GET', path), { status: 404, code: 'not_found' });
    expect((await create({ name: 'again', slug })).body.id).not.toBe(id);
  });
});
