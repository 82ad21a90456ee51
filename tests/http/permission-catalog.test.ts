import { describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/expect-problem.ts';
import { keyturnFor } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';
import { addProject } from '../support/other-project.ts';
import { requestIfMatch } from '../support/request-if-match.ts';

const CATALOG = {
  actions: [
    { name: 'read', description: 'See it' },
    { name: 'run', description: '' },
  ],
  resources: [
    { path: 'credential', description: 'Secrets', actions: ['read'], entities_url: 'https://a.example/credentials' },
    { path: 'cluster/pipeline', description: '' },
  ],
};

describe.each(keyturnStorages)('/v1/projects/{project}/permission-catalog on $name', (kind) => {
  const keyturn = keyturnFor(kind);
  const aProject = async () => `/v1/projects/${(await addProject(keyturn())).slug}`;

  it('is empty at first, written whole, and only on the version that was read', async () => {
    const path = `${await aProject()}/permission-catalog`;
    const empty = await keyturn().api('GET', path);
    expect(empty.body).toMatchObject({ actions: [], resources: [], updated_at: null });
    expect(empty.headers.get('etag')).toBe('"v0"');
    const written = await requestIfMatch(keyturn(), '"v0"', ['PUT', path, CATALOG]);
    expect(written.body).toMatchObject(CATALOG);
    expect(written.headers.get('etag')).toBe('"v1"');
    expect((await keyturn().api('GET', path)).body).toEqual(written.body);
    const late = await requestIfMatch(keyturn(), '"v0"', ['PUT', path, { actions: [], resources: [] }]);
    expectProblem(late, { status: 412, code: 'version_mismatch' });
    const same = await keyturn().api('PUT', path, CATALOG);
    expect(same.headers.get('etag')).toBe('"v1"');
    const credential = { path: 'credential', description: 'More' };
    await keyturn().api('PUT', path, { ...CATALOG, resources: [credential, CATALOG.resources[1]] });
    const events = await keyturn().service.storage.database.run((knex) =>
      knex('audit_events')
        .where({ type: 'permission_catalog.replaced', object_id: written.body.project_id })
        .orderBy('sequence'),
    );
    expect(events.map(({ detail }) => JSON.parse(detail))).toEqual([
      { before: { actions: [], resources: [] }, after: CATALOG },
      { before: { actions: [], resources: [CATALOG.resources[0]] }, after: { actions: [], resources: [credential] } },
    ]);
  });

  it('names what keys and roles are given that it does not have, from then on', async () => {
    const project = await aProject();
    const { body: key } = await keyturn().api('POST', `${project}/keys`, { name: 'old', permissions: ['read:old'] });
    const { body: role } = await keyturn().api('POST', `${project}/roles`, { name: 'old', permissions: ['read:old'] });
    await keyturn().api('PUT', `${project}/permission-catalog`, CATALOG);
    const permissions = ['read:credential/prod-*', 'read:creds', 'run:credential', '*:*', 'read:keyturn/api-key'];
    for (const [method, path, json] of [
      ['POST', 'keys', { name: 'x', permissions }],
      ['PATCH', `keys/${key.id}`, { permissions }],
      ['POST', 'roles', { name: 'x', permissions }],
      ['PATCH', `roles/${role.id}`, { permissions }],
    ] as const) {
      const refused = await keyturn().api(method, `${project}/${path}`, json);
      expectProblem(refused, { status: 400, code: 'validation_failed' });
      expect(refused.body.errors).toMatchObject([{ field: 'permissions' }]);
      expect(refused.body.detail).toMatch(/: read:creds, run:credential$/);
    }
    const fitting = permissions.filter((permission) => !/creds|run/.test(permission));
    const made = await keyturn().api('POST', `${project}/roles`, { name: 'x', permissions: fitting });
    expect(made.status).toBe(201);
    // What is held already stays, and does not keep anybody from another edit.
    expect((await keyturn().api('PATCH', `${project}/roles/${role.id}`, { name: 'y' })).body.permissions).toEqual([
      'read:old',
    ]);
  });

  it.each([
    [{ actions: [] }, 'resources'],
    [{ actions: [{ name: '*' }], resources: [] }, 'actions.0.name'],
    [{ actions: [{ name: 'Read' }], resources: [] }, 'actions.0.name'],
    [{ ...CATALOG, actions: [{ name: 'read' }, { name: 'read' }] }, 'actions'],
    [{ ...CATALOG, resources: [{ path: 'a*' }] }, 'resources.0.path'],
    [{ ...CATALOG, resources: [{ path: 'a' }, { path: 'a' }] }, 'resources'],
    [{ ...CATALOG, resources: [{ path: 'a', entities_url: 'ftp://a.example' }] }, 'resources.0.entities_url'],
    [{ ...CATALOG, resources: [{ path: 'a', entities_url: 'https://u:p@a.example' }] }, 'resources.0.entities_url'],
    [{ ...CATALOG, resources: [{ path: 'a', actions: ['delete'] }] }, 'resources.0.actions'],
    [{ ...CATALOG, more: [] }, 'more'],
  ])('refuses %j', async (json, field) => {
    const reply = await keyturn().api('PUT', '/v1/projects/default/permission-catalog', json);
    expectProblem(reply, { status: 400, code: 'validation_failed' });
    expect(reply.body.errors).toMatchObject([{ field }]);
  });
});
