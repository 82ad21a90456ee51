import { describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/expect-problem.ts';
import { keyturnFor, type Reply } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';
import { addProject } from '../support/other-project.ts';

const KEYS = '/v1/projects/default/keys';
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

describe.each(keyturnStorages)('management of keys on $name', (kind) => {
  const keyturn = keyturnFor(kind);

  const tokenWith = async (permissions: readonly string[]): Promise<string> => {
    const { clientSecret } = await keyturn().createKey({ permissions });
    return (await keyturn().exchange(clientSecret)).body.access_token;
  };

  it('says who I am', async () => {
    const { id, clientId, clientSecret } = await keyturn().createKey({ permissions: ['read:a'] });
    const { body: tokens } = await keyturn().exchange(clientSecret);
    const { status, headers, body } = await keyturn().api('GET', '/v1/me', undefined, tokens.access_token);
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toMatchObject({ key_id: id, client_id: clientId, permissions: ['read:a'], ip: '127.0.0.1' });
    expect(body).toMatchObject({ project_id: keyturn().administrator.projectId, token_expires_at: TIME });
  });

  it('creates a key and shows its secret that once', async () => {
    const name = 'CI runner (eu)';
    const created = await keyturn().api('POST', KEYS, { name });
    const { client_secret: secret, ...key } = created.body;
    expect(created.status).toBe(201);
    expect(created.headers.get('location')).toBe(`/v1/projects/${key.project_id}/keys/${key.id}`);
    expect(secret).toMatch(/^ktk_[0-9a-z]{25}_[0-9A-Za-z]{49}$/);
    expect(key).toEqual({
      id: expect.stringMatching(/^key_[0-9a-z]{26}$/),
      project_id: keyturn().administrator.projectId,
      client_id: expect.stringMatching(/^CI-runner-eu_[0-9a-z]{25}$/),
      name,
      description: null,
      owner_id: expect.stringMatching(/^usr_[0-9a-z]{26}$/),
      permissions: [],
      roles: [],
      effective_permissions: [],
      ip_allowlist: [],
      expires_at: null,
      is_valid: true,
      hint: secret.slice(-4),
      secret_last_used_at: null,
      previous_secret: null,
      refresh_tokens: true,
      refresh_requires_client_auth: false,
      last_used_at: null,
      last_used_ip: null,
      last_denied_at: null,
      last_denied_reason: null,
      created_at: TIME,
      created_by: expect.stringMatching(/^key_[0-9a-z]{26}$/),
      updated_at: TIME,
    });
    const read = await keyturn().api('GET', `${KEYS}/${key.id}`);
    expect(read.body).toEqual(key);
    for (const { headers } of [created, read]) expect(headers.get('etag')).toBe('"v1"');
  });

  it('keeps what it was given, in canonical form', async () => {
    const fields = {
      name: '  Schlüssel 日本 😀  ',
      description: 'line 1\nline 2 <b>"\'\\',
      permissions: ['read:b', 'read:a', 'read:a'],
      ip_allowlist: ['203.0.113.9/24', '2001:DB8::1'],
      expires_at: '2099-01-31T18:00:00+01:00',
      refresh_tokens: false,
      refresh_requires_client_auth: true,
    };
    const { status, body } = await keyturn().api('POST', KEYS, fields);
    expect(status).toBe(201);
    expect(body).toMatchObject({
      ...fields,
      name: 'Schlüssel 日本 😀',
      permissions: expect.arrayContaining(['read:a', 'read:b']),
      ip_allowlist: ['203.0.113.0/24', '2001:db8::1'],
      expires_at: '2099-01-31T17:00:00.000Z',
    });
    expect(body.permissions).toHaveLength(2);
  });

  it('lists a page at a time, each key once, while others are being added', async () => {
    const { id: project } = await addProject(keyturn());
    const path = `/v1/projects/${project}/keys`;
    const add = async (name: string) => (await keyturn().api('POST', path, { name })).body.id as string;
    const before = [];
    for (let index = 0; index < 7; index += 1) before.push(await add(`key ${index}`));
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { status, body }: Reply = await keyturn().api('GET', `${path}?limit=3${cursor && `&cursor=${cursor}`}`);
      expect(status).toBe(200);
      expect(body.data.length).toBeLessThanOrEqual(3);
      expect(body.total_count).toBeGreaterThanOrEqual(7);
      seen.push(...body.data.map(({ id }: { id: string }) => id));
      cursor = body.next_cursor;
      if (seen.length < 7) await add(`added ${seen.length}`);
    }
    expect(seen.slice(0, 7)).toEqual(before);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('ends the list on a page that is exactly full', async () => {
    const { slug } = await addProject(keyturn());
    for (const name of ['a', 'b']) await keyturn().api('POST', `/v1/projects/${slug}/keys`, { name });
    const { body } = await keyturn().api('GET', `/v1/projects/${slug}/keys?limit=2`);
    expect(body).toMatchObject({ next_cursor: null, total_count: 2 });
    const none = await keyturn().api('GET', `/v1/projects/${(await addProject(keyturn())).id}/keys`);
    expect(none.body).toEqual({ data: [], next_cursor: null, total_count: 0, exceeds_total_count: false });
  });

  it.each(['limit=0', 'limit=201', 'limit=-1', 'limit=1.5', 'limit=x', 'limit=', 'limit=1&limit=2', 'limit[]=1'])(
    'refuses the list with %s',
    async (query) => {
      expectProblem(await keyturn().api('GET', `${KEYS}?${query}`), { status: 400, code: 'validation_failed' });
    },
  );

  it.each(['cursor=x', 'cursor=', 'cursor=a2V5Xw', 'cursor[a]=b', 'unknown=1', 'q=%00'])(
    'refuses the list with %s',
    async (query) => {
      expectProblem(await keyturn().api('GET', `${KEYS}?${query}`), { status: 400, code: 'validation_failed' });
    },
  );

  it('revokes, restores and deletes', async () => {
    const { id } = await keyturn().createKey();
    const path = `${KEYS}/${id}`;
    const revoked = await keyturn().api('PATCH', path, { is_valid: false });
    expect(revoked).toMatchObject({ status: 200, body: { id, is_valid: false } });
    expect(await keyturn().api('PATCH', path, { is_valid: true })).toMatchObject({
      status: 200,
      body: { is_valid: true },
    });
    expect(await keyturn().api('DELETE', path)).toMatchObject({ status: 204, text: '' });
    for (const [method, json] of [['GET'], ['PATCH', { is_valid: true }], ['DELETE']] as const)
      expectProblem(await keyturn().api(method, path, json), { status: 404, code: 'not_found' });
  });

  it('tells a taken name, in this project only, and gives it free when the key is deleted', async () => {
    const name = 'taken';
    const { body } = await keyturn().api('POST', KEYS, { name });
    expectProblem(await keyturn().api('POST', KEYS, { name }), { status: 409, code: 'name_taken' });
    const { id } = await addProject(keyturn());
    expect((await keyturn().api('POST', `/v1/projects/${id}/keys`, { name })).status).toBe(201);
    expect((await keyturn().api('POST', KEYS, { name: 'TAKEN' })).status).toBe(201);
    await keyturn().api('DELETE', `${KEYS}/${body.id}`);
    expect((await keyturn().api('POST', KEYS, { name })).status).toBe(201);
  });

  it('gives one of twenty creations with one name at once the name, and the others 409', async () => {
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => keyturn().api('POST', KEYS, { name: 'contested' })),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)]);
  });

  it('answers another project’s objects as absent ones, whatever the method', async () => {
    const other = await addProject(keyturn());
    const { body: foreign } = await keyturn().api('POST', `/v1/projects/${other.id}/keys`, { name: 'theirs' });
    const token = await tokenWith(['*:*', '*:keyturn']);
    const absentKey = 'key_00000000000000000000000000';
    const routes: [string, string, unknown?][] = [];
    for (const project of [other.id, other.slug, 'prj_00000000000000000000000000', 'nobody'])
      for (const key of [foreign.id, absentKey])
        routes.push(
          ['GET', `${project}/keys`],
          ['POST', `${project}/keys`, { name: 'mine' }],
          ['GET', `${project}/keys/${key}`],
          ['PATCH', `${project}/keys/${key}`, { is_valid: false }],
          ['DELETE', `${project}/keys/${key}`],
        );
    const ofProjects = await Promise.all(
      routes.map(([method, path, json]) => keyturn().api(method, `/v1/projects/${path}`, json, token)),
    );
    const ofKeys = await Promise.all(
      [foreign.id, absentKey].flatMap((key) => [
        keyturn().api('GET', `${KEYS}/${key}`, undefined, token),
        keyturn().api('PATCH', `${KEYS}/${key}`, { is_valid: false }, token),
        keyturn().api('PATCH', `${KEYS}/${key}`, { is_valid: true }, token),
        keyturn().api('DELETE', `${KEYS}/${key}`, undefined, token),
      ]),
    );
    for (const replies of [ofProjects, ofKeys]) {
      const bodies = replies.map(({ text }) => text.replace(/"request_id":"[^"]*"/, ''));
      expect(new Set(bodies).size).toBe(1);
      for (const reply of replies) expectProblem(reply, { status: 404, code: 'not_found' });
    }
    expect((await keyturn().api('GET', `/v1/projects/${other.id}/keys/${foreign.id}`)).body.is_valid).toBe(true);
  });

  it('answers other methods with 405 and Allow, unknown paths with 404', async () => {
    for (const [path, allow] of [
      ['/v1/me', 'GET, HEAD'],
      [KEYS, 'GET, HEAD, POST'],
      [`${KEYS}/key_x`, 'GET, HEAD, PATCH, DELETE'],
      [`${KEYS}/key_x/regenerate`, 'POST'],
      [`${KEYS}/bulk-delete`, 'POST'],
    ] as const) {
      const reply = await keyturn().api('PUT', path);
      expectProblem(reply, { status: 405, code: 'method_not_allowed' });
      expect(reply.headers.get('allow')).toBe(allow);
    }
    for (const path of [
      '/v1',
      '/v1/nothing',
      '/nothing',
      '/v1/projects/default/nothing',
      '/oauth/other',
      '/oauth/token/x',
    ])
      expectProblem(await keyturn().api('GET', path), { status: 404, code: 'not_found' });
  });

  it('writes down who did it, and no secret', async () => {
    const { id, clientSecret } = await keyturn().createKey();
    await keyturn().api('DELETE', `${KEYS}/${id}`);
    const events = await keyturn().service.storage.database.run((knex) =>
      knex('audit_events').where({ object_id: id }),
    );
    expect(events.map(({ type }: { type: string }) => type).sort()).toEqual(['api_key.created', 'api_key.deleted']);
    expect(JSON.stringify(events)).not.toContain(clientSecret);
  });
});
