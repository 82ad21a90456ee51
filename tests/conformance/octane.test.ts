/** The requests that ALM Octane's page prints, read out of its text, sent, and their answers held against the printed ones. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type Keyturn, keyturnFor, type Reply } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';
import { differences, type PrintedRequest, readRequests, readSeed } from './printed-page.ts';

const PRINTED = readRequests(readSeed('octane-api-access-keys'));

/** With the slugs that the page has as ids; role names as printed too. */
const ROLES = {
  1015: 'Space Admin',
  1007: 'Workspace Admin',
  1005: 'DevOps Admin',
  1002: 'CI/CD Integration',
} as const;
const WORKSPACES = ['1002', '1003'];

async function makeSharedSpace(keyturn: Keyturn): Promise<void> {
  const make = async (path: string, json: object) => {
    const { status, text } = await keyturn.api('POST', `/v1/projects${path}`, json);
    expect([path, status, text]).toEqual([path, 201, text]);
  };
  await make('', { name: 'Shared space', slug: '1001' });
  for (const slug of WORKSPACES) await make('/1001/workspaces', { name: `Workspace ${slug}`, slug });
  for (const [slug, name] of Object.entries(ROLES))
    await make('/1001/roles', { name, slug, permissions: [`read:defect/${slug}`] });
}

/** As printed, but for the ids that its reader has to put in: those of earlier answers. */
function fillIn({ body, ...request }: PrintedRequest, ids: Readonly<Record<string, string>>): PrintedRequest {
  const json = JSON.stringify(body)?.replaceAll(/"id":"(\d+)"/g, (_, id) => `"id":"${ids[id] ?? id}"`);
  const target = request.target.replace(/(?<=\/api_accesses\/)\d+/, (id) => ids[id] ?? id);
  return { ...request, target, body: json && JSON.parse(json) };
}

interface Sent {
  readonly request: PrintedRequest;
  readonly reply: Reply;
}

/** Queries first: the page creates its key with ids that its queries answer. */
async function sendAll(keyturn: Keyturn): Promise<readonly Sent[]> {
  const ids: Record<string, string> = {};
  const inOrder = [...PRINTED].sort((a, b) => Number(a.method !== 'GET') - Number(b.method !== 'GET'));
  const sent: Sent[] = [];
  for (const request of inOrder) {
    const { method, target, body } = fillIn(request, ids);
    const reply = await keyturn.api(method, target, body);
    sent.push({ request, reply });
    for (const { id, role } of reply.body.data ?? []) {
      // The last answer counts: the page's own "1028" is the workspace role of DevOps Admin, and its "1009" that of Space Admin.
      if (role?.name === ROLES[1005]) ids['1028'] = id;
      if (role?.name === ROLES[1015]) ids['1009'] = id;
      if (method === 'POST') ids['1003'] = id;
    }
  }
  return sent;
}

describe.each(keyturnStorages)('ALM Octane, its printed requests on $name', (kind) => {
  const keyturn = keyturnFor(kind);
  let sent: readonly Sent[] = [];
  beforeAll(async () => {
    await makeSharedSpace(keyturn());
    sent = await sendAll(keyturn());
  });
  const replyTo = (method: string, words: string): Reply => {
    const found = sent.find(({ request }) => request.method === method && request.target.includes(words));
    if (found === undefined) throw new Error(`the page prints no ${method} with ${words}`);
    return found.reply;
  };

  it('reads seven requests out of the page', () => {
    expect(PRINTED.map(({ method, target }) => `${method} ${target}`)).toEqual([
      'POST /api/shared_spaces/1001/api_accesses?fields=client_id',
      'GET /api/shared_spaces/1001/workspace_roles?fields=role&query="(workspace={id=1002})"',
      'GET /api/shared_spaces/1001/roles',
      'GET /api/shared_spaces/1001/workspace_roles?fields=role&query="(role={id=1007};workspace={id=1003})"',
      'GET /api/shared_spaces/1001/workspace_roles?fields=role&query="(role={id=1015})"',
      'PUT /api/shared_spaces/1001/api_accesses/1003',
      'PUT /api/shared_spaces/1001/api_accesses/1003?fields=client_id',
    ]);
    expect(PRINTED.filter(({ answer }) => answer === null).map(({ body }) => body)).toEqual([{ is_valid: false }]);
  });

  it('answers each as printed, member by member', () => {
    const found = sent.map(({ request, reply: { status, body } }) => {
      const { method, target, answer } = request;
      const isOne = (answer as { total_count?: number } | null)?.total_count === 1;
      // The names of the roles are in the test of each query; how many roles a project has is its own affair.
      const constants = ['type', 'is_valid', 'exceeds_total_count', ...(isOne ? ['total_count'] : [])];
      return [method, target.split('=')[0], status, answer === null ? [] : differences(answer, body, constants)];
    });
    const queries = Array(3).fill(['GET', '/api/shared_spaces/1001/workspace_roles?fields', 200, []]);
    expect(found).toEqual([
      queries[0],
      [
        'GET',
        '/api/shared_spaces/1001/roles',
        200,
        // On purpose: ids are texts everywhere, here too.
        ['answer.data[].workspace_id: number is printed, string answered'],
      ],
      queries[1],
      queries[2],
      ['POST', '/api/shared_spaces/1001/api_accesses?fields', 201, []],
      ['PUT', '/api/shared_spaces/1001/api_accesses/1003', 200, []],
      ['PUT', '/api/shared_spaces/1001/api_accesses/1003?fields', 200, []],
    ]);
  });

  it('finds the roles that can be given in a workspace', () => {
    const { body } = replyTo('GET', '"(workspace={id=1002})"');
    const names = body.data.map(({ role }: { role: { name: string } }) => role.name);
    expect(names).toEqual(expect.arrayContaining(Object.values(ROLES)));
    expect(body.total_count).toBe(names.length);
    expect(body.data.every(({ id }: { id: string }) => /^rol_[0-9a-z]{26}\.wsp_[0-9a-z]{26}$/.test(id))).toBe(true);
  });

  it('finds a role in a workspace, and by role alone that of the whole shared space', async () => {
    const { body: roles } = replyTo('GET', '/roles');
    const idOf = (name: string) => roles.data.find((role: { name: string }) => role.name === name).id;
    const inWorkspace = replyTo('GET', 'role={id=1007};workspace={id=1003}').body.data;
    expect(inWorkspace).toEqual([
      {
        type: 'workspace_role',
        id: expect.stringMatching(new RegExp(`^${idOf('Workspace Admin')}\\.wsp_`)),
        role: {
          type: 'role',
          id: idOf('Workspace Admin'),
          logical_name: 'role.project.1007',
          name: 'Workspace Admin',
        },
      },
    ]);
    expect(replyTo('GET', '"(role={id=1015})"').body.data).toMatchObject([{ id: idOf('Space Admin') }]);
  });

  it('has given the key its roles where they were asked for, and its name to its client_id', async () => {
    const [{ id, client_id: clientId }] = replyTo('POST', 'api_accesses').body.data;
    expect(clientId).toMatch(/^myKey03_[0-9a-z]{25}$/);
    const { body: key } = await keyturn().api('GET', `/v1/projects/1001/keys/${id}`);
    expect(key).toMatchObject({ name: 'myKey03', client_id: clientId, expires_at: '2021-08-24T00:00:00.000Z' });
    expect([...key.effective_permissions].sort()).toEqual(['read:defect/1015', 'read:workspace/1002/defect/1005']);
  });

  it('has revoked the key, then regenerated it with its client_id kept', () => {
    const [created] = replyTo('POST', 'api_accesses').body.data;
    expect(replyTo('PUT', 'api_accesses/1003').body).toMatchObject({ id: created.id, is_valid: false });
    expect(replyTo('PUT', 'fields=client_id').body).toEqual(created);
  });
});
