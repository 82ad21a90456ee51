import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/expect-problem.ts';
import { claimsOf, keyturnFor } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';
import { addProject } from '../support/other-project.ts';
import { requestIfMatch } from '../support/request-if-match.ts';

const WORKSPACES = '/v1/projects/default/workspaces';

describe.each(keyturnStorages)('/v1/projects/{project}/workspaces on $name', (kind) => {
  const keyturn = keyturnFor(kind);
  const slugs = ({ body }: { body: { data: { slug: string }[] } }) => body.data.map(({ slug }) => slug);

  async function create(fields: Readonly<Record<string, unknown>> = {}) {
    const reply = await keyturn().api('POST', WORKSPACES, { name: `workspace ${randomUUID()}`, ...fields });
    expect(reply.status).toBe(201);
    return reply;
  }

  it('creates, shows, edits and deletes one, by id and by slug', async () => {
    const created = await create({ name: 'Team Nord', description: null });
    const { id } = created.body;
    expect(created.headers.get('location')).toMatch(new RegExp(`/workspaces/${id}$`));
    expect(created.body).toMatchObject({ slug: 'team-nord', name: 'Team Nord', description: null });
    for (const name of [id, 'team-nord']) {
      const shown = await keyturn().api('GET', `${WORKSPACES}/${name}`);
      expect(shown.body).toEqual(created.body);
    }
    const some = await keyturn().api('GET', `${WORKSPACES}/${id}?fields=slug,name`);
    expect(some.body).toEqual({ slug: 'team-nord', name: 'Team Nord' });
    const path = `${WORKSPACES}/team-nord`;
    const edited = await requestIfMatch(keyturn(), '"v1"', ['PATCH', path, { name: 'Team Süd' }]);
    expect(edited.body).toMatchObject({ slug: 'team-nord', name: 'Team Süd' });
    expect(edited.headers.get('etag')).toBe('"v2"');
    for (const late of [
      ['PATCH', path, { name: 'x' }],
      ['DELETE', path],
    ] as const)
      expectProblem(await requestIfMatch(keyturn(), '"v1"', late), { status: 412, code: 'version_mismatch' });
    expect((await requestIfMatch(keyturn(), '"v2"', ['DELETE', path])).status).toBe(204);
    for (const [method, json] of [['GET'], ['PATCH', { name: 'x' }], ['DELETE']] as const)
      expectProblem(await keyturn().api(method, path, json), { status: 404, code: 'not_found' });
  });

  it('lists by name, page after page', async () => {
    const { slug: project } = await addProject(keyturn());
    const path = `/v1/projects/${project}/workspaces`;
    for (const name of ['b', 'c', 'a']) await keyturn().api('POST', path, { name });
    const first = await keyturn().api('GET', `${path}?sort=-name&limit=2`);
    expect(slugs(first)).toEqual(['c', 'b']);
    expect(first.body.total_count).toBe(3);
    const second = await keyturn().api('GET', `${path}?sort=-name&limit=2&cursor=${first.body.next_cursor}`);
    expect(slugs(second)).toEqual(['a']);
    expect(second.body.next_cursor).toBeNull();
    expect(slugs(await keyturn().api('GET', path))).toEqual(['b', 'c', 'a']);
  });

  it('has each slug once in a project, and refuses what can not be one', async () => {
    const { body } = await create();
    const again = await keyturn().api('POST', WORKSPACES, { name: 'x', slug: body.slug });
    expectProblem(again, { status: 409, code: 'slug_taken' });
    const { slug: project } = await addProject(keyturn());
    const elsewhere = await keyturn().api('POST', `/v1/projects/${project}/workspaces`, { name: 'x', slug: body.slug });
    expect(elsewhere.status).toBe(201);
    for (const json of [{ name: 'x', slug: '*' }, { name: 'x', project_id: 'y' }, { slug: 'x' }])
      expectProblem(await keyturn().api('POST', WORKSPACES, json), { status: 400, code: 'validation_failed' });
    expectProblem(await keyturn().api('PATCH', `${WORKSPACES}/${body.slug}`, { slug: 'x' }), {
      status: 400,
      code: 'validation_failed',
    });
  });

  it('stands in what a role gives there, and stays while it does', async () => {
    const { body: workspace } = await create();
    const role = await keyturn().api('POST', '/v1/projects/default/roles', {
      name: `role ${workspace.slug}`,
      permissions: ['read:defect', 'read:*'],
    });
    const key = await keyturn().createKey({ roles: [{ role_id: role.body.slug, workspace_id: workspace.slug }] });
    const { access_token: token } = (await keyturn().exchange(key.clientSecret)).body;
    expect(claimsOf(token).scope).toBe(`read:workspace/${workspace.slug}/defect read:workspace/${workspace.slug}`);
    const path = `${WORKSPACES}/${workspace.id}`;
    const refused = await keyturn().api('DELETE', path);
    expectProblem(refused, { status: 409, code: 'object_in_use' });
    expect(refused.body).toMatchObject({ key_count: 1, member_count: 0 });
    await keyturn().api('DELETE', `/v1/projects/default/keys/${key.id}`);
    expect((await keyturn().api('DELETE', path)).status).toBe(204);
  });
});
