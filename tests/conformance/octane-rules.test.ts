/** What ALM Octane's page says beside its examples, and Keyturn's own rules, which hold there too. */
import { describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/expect-problem.ts';
import { keyturnFor, type Reply } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';
import { sendRaw } from '../support/raw-http.ts';

const SPACE = '/api/shared_spaces/default';
const EVENTS_OF_CREATION = '/v1/projects/default/audit-events?type=api_key.created&limit=200';
const ABSENT = 'key_00000000000000000000000000';
const SECRET = '9011@83sd!f1042ds+f19fg86M';
const OTHER_SECRET = 'kj@s$dfS124GDd35';
const viewerRole = { data: [{ type: 'workspace_role', id: 'viewer' }] };

describe.each(keyturnStorages)('ALM Octane, its rules on $name', (kind) => {
  const keyturn = keyturnFor(kind);
  const create = (fields: object, accessToken?: string): Promise<Reply> =>
    keyturn().api('POST', `${SPACE}/api_accesses`, { data: [{ client_secret: SECRET, ...fields }] }, accessToken);
  const put = (id: string, json: object, accessToken?: string): Promise<Reply> =>
    keyturn().api('PUT', `${SPACE}/api_accesses/${id}`, json, accessToken);
  const exchange = (clientId: string, secret: string) =>
    keyturn().token({ grant_type: 'client_credentials', client_id: clientId, client_secret: secret });

  it('takes the chosen secret at the token endpoint until the key is revoked, and another after it is regenerated', async () => {
    const { body } = await create({ name: 'life', workspace_roles: viewerRole });
    const [{ id, client_id: clientId }] = body.data;
    const exchanged = await exchange(clientId, SECRET);
    expect([exchanged.status, exchanged.body.scope]).toEqual([200, 'read:* read:keyturn']);
    expect(await put(id, { is_valid: false })).toMatchObject({ status: 200, body: { id, is_valid: false } });
    expect((await exchange(clientId, SECRET)).body.error).toBe('invalid_client');
    const regenerated = await put(id, { is_valid: true, client_secret: OTHER_SECRET });
    expect(regenerated).toMatchObject({ status: 200, body: { id, client_id: clientId, is_valid: true } });
    expect((await exchange(clientId, SECRET)).body.error).toBe('invalid_client');
    expect((await exchange(clientId, OTHER_SECRET)).status).toBe(200);
    const { body: events } = await keyturn().api('GET', `/v1/projects/default/audit-events?object_id=${id}`);
    const types: string[] = events.data.map(({ type }: { type: string }) => type).toReversed();
    // The denial in between is written in its own time.
    expect(types.filter((type) => type !== 'api_key.denied')).toEqual([
      'api_key.created',
      'api_key.revoked',
      'api_key.regenerated',
      'api_key.restored',
    ]);
  });

  it('restores a revoked key by is_valid alone, its secret as it was', async () => {
    const { body } = await create({ name: 'restored' });
    const [{ id, client_id: clientId }] = body.data;
    await put(id, { is_valid: false });
    expect((await put(id, { is_valid: true })).body.is_valid).toBe(true);
    expect((await exchange(clientId, SECRET)).status).toBe(200);
  });

  it.each([
    ['9 characters', 'Abcdef12!', /at least 10 characters/],
    ['31 characters', 'Abcdefghijklmnopqrstuvwxyz1234!', /at most 30 characters/],
    ['two categories', 'abcdefghij1234', /at least 3 of upper case, lower case, digits and special characters/],
    ['no text', 12345678901, /must be a string/],
    ['nothing', undefined, /is missing/],
  ])('refuses a secret with %s, naming the rule', async (_, secret, rule) => {
    const reply = await create({ name: 'weak', client_secret: secret });
    expectProblem(reply, { status: 400, code: 'validation_failed' });
    expect(reply.body.errors).toEqual([{ field: 'data.0.client_secret', message: expect.stringMatching(rule) }]);
    if (secret === undefined) return;
    const regenerated = await put(ABSENT, { is_valid: true, client_secret: secret });
    expect(regenerated).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'client_secret', message: expect.stringMatching(rule) }] },
    });
  });

  it('creates all of several or none, and says which role there is not', async () => {
    const several = (...fields: object[]) =>
      keyturn().api('POST', `${SPACE}/api_accesses`, {
        data: fields.map((each) => ({ client_secret: SECRET, ...each })),
      });
    const both = await several({ name: 'first' }, { name: 'second', expiration: '2099-01-31T00:00:00Z' });
    expect(both).toMatchObject({ status: 201, body: { total_count: 2, exceeds_total_count: false } });
    expect(both.body.data.map(({ name }: { name: string }) => name)).toEqual(['first', 'second']);
    expectProblem(await several({ name: 'third' }, { name: 'first' }), { status: 409, code: 'name_taken' });
    const unknown = await several(
      { name: 'third' },
      { name: 'fourth', workspace_roles: { data: [{ type: 'workspace_role', id: 'viewer.nowhere' }] } },
    );
    expectProblem(unknown, { status: 400, code: 'validation_failed' });
    expect(unknown.body.errors).toEqual([
      { field: 'data.1.workspace_roles.data.0.id', message: 'names no workspace of this shared space' },
    ]);
    const nowhere = { name: 'tenth', workspace_roles: { data: [{ type: 'workspace_role', id: 'nobody' }] } };
    const tenth = await several(...Array.from({ length: 9 }, (_, index) => ({ name: `of ten ${index}` })), nowhere);
    expect(tenth.body.errors).toMatchObject([{ field: 'data.9.workspace_roles.data.0.id' }]);
    const { body } = await keyturn().api('GET', `${SPACE}/api_accesses?fields=name`);
    const names = body.data.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(['first', 'second']));
    expect(names).not.toContain('third');
    expect(body.total_count).toBe(names.length);
    const { body: created } = await keyturn().api('GET', EVENTS_OF_CREATION);
    expect(JSON.stringify(created.data)).toContain('"second"');
    expect(JSON.stringify(created.data)).not.toContain('"third"');
  });

  it.each([[[]], [Array.from({ length: 11 }, (_, index) => ({ name: `n${index}`, client_secret: SECRET }))]])(
    'refuses fewer than 1 and more than 10 at once',
    async (data) => {
      const reply = await keyturn().api('POST', `${SPACE}/api_accesses`, { data });
      expectProblem(reply, { status: 400, code: 'validation_failed' });
      expect(reply.body.errors).toEqual([{ field: 'data', message: 'must have 1 to 10 entries' }]);
    },
  );

  it('shows type, id and is_valid whatever fields asks for, and refuses what it does not know', async () => {
    const { body } = await create({ name: 'fields', workspace_roles: viewerRole });
    const path = `${SPACE}/api_accesses/${body.data[0].id}`;
    const named = await keyturn().api('GET', `${path}?fields=name,workspace_roles`);
    expect(named.body).toEqual({
      type: 'api_access',
      id: body.data[0].id,
      is_valid: true,
      name: 'fields',
      workspace_roles: { data: [{ type: 'workspace_role', id: expect.stringMatching(/^rol_[0-9a-z]{26}$/) }] },
    });
    expect((await keyturn().api('GET', path)).body).toEqual(body.data[0]);
    const unwanted = { client_secret: SECRET, name: 'unwanted' };
    const refused = await keyturn().api('POST', `${SPACE}/api_accesses?fields=secret_hash`, { data: [unwanted] });
    expectProblem(refused, { status: 400, code: 'validation_failed' });
    expect((await keyturn().api('GET', `${SPACE}/api_accesses`)).text).not.toContain('unwanted');
    for (const target of [`${path}?fields=secret_hash`, `${SPACE}/roles?fields=x`, `${SPACE}/workspace_roles?fields=`])
      expectProblem(await keyturn().api('GET', target), { status: 400, code: 'validation_failed' });
    const role = (await keyturn().api('GET', `${SPACE}/roles?fields=is_system`)).body.data[0];
    expect(Object.keys(role).sort()).toEqual(['id', 'is_system', 'type']);
  });

  it('takes the query as it stands on the page, quotes and braces unencoded, and encoded', async () => {
    const { body: tokens } = await keyturn().exchange();
    const query = '"(role={id=viewer})"';
    for (const text of [query, encodeURIComponent(query)]) {
      const head = [
        `GET ${SPACE}/workspace_roles?query=${text} HTTP/1.1`,
        `Authorization: Bearer ${tokens.access_token}`,
      ];
      const { status, text: answer } = await sendRaw(keyturn().url, head);
      expect([status, /"total_count":1\b.*"name":"Viewer"/.test(answer)]).toEqual([200, true]);
    }
  });

  it.each([
    '(role={id=viewer})',
    '"role={id=viewer}"',
    '"(role={id=})"',
    '"(role={name=viewer})"',
    '"(owner={id=viewer})"',
    '"(role={id=viewer};role={id=viewer})"',
    '"(role={id=viewer},workspace={id=a})"',
    '"(role={id=viewer};)"',
    '"(constructor={id=viewer})"',
    '',
  ])('refuses the query %j and says what it understands', async (query) => {
    const reply = await keyturn().api('GET', `${SPACE}/workspace_roles?query=${encodeURIComponent(query)}`);
    expectProblem(reply, { status: 400, code: 'validation_failed' });
    expect(reply.body.errors[0].message).toContain('"(role={id=VALUE};workspace={id=VALUE})"');
  });

  it.each(['"(role={id=nobody})"', '"(workspace={id=nowhere})"', '"(role={id=viewer};workspace={id=nowhere})"'])(
    'finds nothing by %s',
    async (query) => {
      const { status, body } = await keyturn().api('GET', `${SPACE}/workspace_roles?query=${query}`);
      expect([status, body]).toEqual([200, { total_count: 0, data: [], exceeds_total_count: false }]);
    },
  );

  it('lists every role everywhere without a query', async () => {
    await keyturn().api('POST', '/v1/projects', { name: 'small', slug: 'small' });
    await keyturn().api('POST', '/v1/projects/small/workspaces', { name: 'one', slug: 'one' });
    const { body: roles } = await keyturn().api('GET', '/api/shared_spaces/small/roles');
    const { body } = await keyturn().api('GET', '/api/shared_spaces/small/workspace_roles');
    const places = body.data.map(({ workspace }: { workspace: { name: string } | null }) => workspace?.name ?? null);
    const each = (place: string | null) => Array(roles.total_count).fill(place);
    expect(places).toEqual([...each(null), ...each('one')]);
  });

  it('ends such a list after 1,000 and says that there are more', async () => {
    await keyturn().api('POST', '/v1/projects', { name: 'large', slug: 'large' });
    for (let index = 0; index < 32; index += 1) {
      const name = `n${index}`;
      await keyturn().api('POST', '/v1/projects/large/workspaces', { name, slug: name });
      await keyturn().api('POST', '/v1/projects/large/roles', { name, slug: name, permissions: [] });
    }
    const { body } = await keyturn().api('GET', '/api/shared_spaces/large/workspace_roles?fields=role');
    expect([body.total_count, body.data.length, body.exceeds_total_count]).toEqual([1000, 1000, true]);
    expect(new Set(body.data.map(({ id }: { id: string }) => id)).size).toBe(1000);
  });

  it('keeps to the grantor rule when a key is created, restored and regenerated', async () => {
    const { clientSecret } = await keyturn().createKey({ permissions: ['*:keyturn/api-key'] });
    const { access_token: token } = (await keyturn().exchange(clientSecret)).body;
    const denied = { status: 403, code: 'permission_exceeds_grantor' };
    const { body } = await create({ name: 'stronger', workspace_roles: viewerRole });
    const [{ id }] = body.data;
    expectProblem(await create({ name: 'taken over', workspace_roles: viewerRole }, token), denied);
    expectProblem(await put(id, { is_valid: true, client_secret: OTHER_SECRET }, token), denied);
    expect((await put(id, { is_valid: false }, token)).status).toBe(200);
    expectProblem(await put(id, { is_valid: true }, token), denied);
    expect((await keyturn().api('GET', `${SPACE}/api_accesses/${id}`)).body.is_valid).toBe(false);
  });

  it('answers another shared space as an absent one, and another’s key too', async () => {
    const { body: other } = await keyturn().api('POST', '/v1/projects', { name: 'theirs', slug: 'theirs' });
    const { body } = await keyturn().api('POST', `/v1/projects/${other.id}/keys`, { name: 'their key' });
    const { clientSecret } = await keyturn().createKey({ permissions: ['*:*', '*:keyturn'] });
    const { access_token: token } = (await keyturn().exchange(clientSecret)).body;
    const answers = async (spaces: readonly string[], keys: readonly string[]) => {
      const replies = await Promise.all(
        spaces
          .flatMap((space) => [
            ...['roles', 'workspace_roles', 'api_accesses'].map((path) => ['GET', `${space}/${path}`] as const),
            ['POST', `${space}/api_accesses`, { data: [{ name: 'mine', client_secret: SECRET }] }] as const,
            ...keys.flatMap((key) => [
              ['GET', `${space}/api_accesses/${key}`] as const,
              ['PUT', `${space}/api_accesses/${key}`, { is_valid: false }] as const,
            ]),
          ])
          .map(([method, path, json]) => keyturn().api(method, `/api/shared_spaces/${path}`, json, token)),
      );
      return new Set(replies.map(({ status, text }) => status + text.replace(/"request_id":"[^"]*"/, '')));
    };
    const keys = [body.id, ABSENT];
    expect((await answers([other.id, other.slug, 'prj_00000000000000000000000000'], keys)).size).toBe(1);
    const ofKeys = await Promise.all(
      keys.flatMap((key) => [
        keyturn().api('GET', `${SPACE}/api_accesses/${key}`, undefined, token),
        put(key, { is_valid: false }, token),
        put(key, { is_valid: true, client_secret: SECRET }, token),
      ]),
    );
    expect(new Set(ofKeys.map(({ status, text }) => status + text.replace(/"request_id":"[^"]*"/, ''))).size).toBe(1);
    expect((await keyturn().api('GET', `/v1/projects/theirs/keys/${body.id}`)).body.is_valid).toBe(true);
  });
});
