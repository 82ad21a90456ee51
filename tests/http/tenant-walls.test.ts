import { beforeAll, describe, expect, it } from '@jest/globals';
import { keyturnFor, type Reply } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';

/** Bodies that pass validation, for operations on one object of a project. A new one that takes a body needs a row. */
const BODIES: Readonly<Record<string, unknown>> = {
  updateApiKey: { description: 'mine now' },
  regenerateApiKey: {},
  explainApiKey: { permission: 'read:a', ip: '203.0.113.1' },
  updateRole: { description: 'mine now' },
  updateWorkspace: { description: 'mine now' },
  updateMember: { roles: [] },
  updateOctaneApiAccess: { is_valid: false },
};

/** Well-formed ids of nothing. */
const ABSENT: Readonly<Record<string, string>> = {
  project: 'prj_01arz3ndektsv4rrffq69g5fav',
  key: 'key_01arz3ndektsv4rrffq69g5fav',
  api_access: 'key_01arz3ndektsv4rrffq69g5fav',
  role: 'rol_01arz3ndektsv4rrffq69g5fav',
  workspace: 'wsp_01arz3ndektsv4rrffq69g5fav',
  user: 'usr_01arz3ndektsv4rrffq69g5fav',
  session: 'ses_01arz3ndektsv4rrffq69g5fav',
};

interface Endpoint {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly string[];
  readonly takesBody: boolean;
}

const fill = (path: string, values: Readonly<Record<string, string>>): string =>
  path.replaceAll(/\{(\w+)\}/g, (_, parameter) => {
    const value = values[parameter];
    if (value === undefined) throw new Error(`no value for ${parameter} of ${path}: add one to this suite`);
    return value;
  });

/** All that an answer tells, but which request it was. */
const tellingPartOf = ({ status, body }: Reply) => ({ status, ...body, request_id: null });

describe.each(keyturnStorages)('walls between projects on $name', (kind) => {
  const keyturn = keyturnFor(kind, { logLevel: 'error' });
  let endpoints: readonly Endpoint[] = [];
  let own: Readonly<Record<string, string>> = {};
  let foreign: Readonly<Record<string, string>> = {};
  let token = '';

  const created = async (path: string, json: unknown) => {
    const { status, body, text } = await keyturn().api('POST', path, json);
    expect({ text, status }).toMatchObject({ status: 201 });
    return body;
  };

  /** A project with one object of each kind. */
  async function furnish(slug: string): Promise<Readonly<Record<string, string>>> {
    const project = (await created('/v1/projects', { name: slug, slug })).id;
    const at = `/v1/projects/${project}`;
    const key = await created(`${at}/keys`, { name: 'runner', permissions: ['*:*', '*:keyturn'] });
    const user = (await created('/v1/users', { email: `${slug}@example.com`, name: slug })).id;
    await created(`${at}/members`, { user_id: user, roles: [] });
    const { body } = await keyturn().exchange(key.client_secret);
    return {
      project,
      slug,
      key: key.id,
      api_access: key.id,
      role: (await created(`${at}/roles`, { name: 'Typist', permissions: [] })).id,
      workspace: (await created(`${at}/workspaces`, { name: 'Mobile' })).id,
      user,
      session: JSON.parse(Buffer.from(body.access_token.split('.')[1], 'base64url').toString()).sid,
      token: body.access_token,
    };
  }

  beforeAll(async () => {
    const { body: document } = await keyturn().api('GET', '/openapi.json');
    endpoints = Object.entries<Record<string, { operationId: string; requestBody?: unknown }>>(document.paths).flatMap(
      ([path, methods]) =>
        Object.entries(methods)
          .filter(([method]) => ['get', 'post', 'put', 'patch', 'delete'].includes(method))
          .map(([method, { operationId, requestBody }]) => ({
            id: operationId,
            method: method.toUpperCase(),
            path,
            parameters: [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => String(parameter)),
            takesBody: requestBody !== undefined,
          })),
    );
    own = await furnish('own');
    foreign = await furnish('foreign');
    token = String(own['token']);
  });

  const send = ({ method, path, id, takesBody }: Endpoint, values: Readonly<Record<string, string>>) =>
    keyturn().api(method, fill(path, values), takesBody ? (BODIES[id] ?? {}) : undefined, token);

  it('a foreign project is answered as an absent one, at every operation', async () => {
    const inProjects = endpoints.filter(({ parameters }) => parameters.includes('project'));
    expect(inProjects.length).toBeGreaterThan(30);
    for (const endpoint of inProjects) {
      const absent = tellingPartOf(await send(endpoint, ABSENT));
      expect({ id: endpoint.id, ...absent }).toMatchObject({ id: endpoint.id, status: 404 });
      for (const project of [foreign['project'], foreign['slug']] as string[])
        expect({ id: endpoint.id, ...tellingPartOf(await send(endpoint, { ...foreign, project })) }).toEqual({
          id: endpoint.id,
          ...absent,
        });
    }
  });

  it('a foreign object is answered as an absent one, at every operation on one', async () => {
    const onObjects = endpoints.filter(({ parameters }) => parameters.includes('project') && parameters.length > 1);
    expect(onObjects.length).toBeGreaterThan(15);
    for (const endpoint of onObjects) {
      const at = { ...own, project: String(own['project']) };
      for (const parameter of endpoint.parameters.filter((name) => name !== 'project')) {
        const absent = tellingPartOf(await send(endpoint, { ...at, [parameter]: String(ABSENT[parameter]) }));
        const walled = tellingPartOf(await send(endpoint, { ...at, [parameter]: String(foreign[parameter]) }));
        expect({ id: endpoint.id, parameter, ...absent }).toMatchObject({ id: endpoint.id, status: 404 });
        expect({ id: endpoint.id, parameter, ...walled }).toEqual({ id: endpoint.id, parameter, ...absent });
      }
    }
  });

  it('nothing of the foreign project was changed', async () => {
    const { token: foreignToken, project, key } = foreign as Record<'token' | 'project' | 'key', string>;
    const reply = await keyturn().api('GET', `/v1/projects/${project}/keys/${key}`, undefined, foreignToken);
    expect(reply).toMatchObject({ status: 200, body: { is_valid: true, description: null } });
  });

  it.each(['keyturn', 'keyturn-installation'])('no wildcard reaches %s', async (reserved) => {
    const { client_secret } = await created('/v1/projects/default/keys', {
      name: `all but ${reserved}`,
      permissions: ['*:*'],
    });
    const { body } = await keyturn().exchange(client_secret);
    for (const path of reserved === 'keyturn' ? ['/v1/projects/default/keys'] : ['/v1/users', '/v1/signing-keys']) {
      const reply = await keyturn().api('GET', path, undefined, body.access_token);
      expect(reply).toMatchObject({ status: 403, body: { code: 'permission_missing' } });
      expect(reply.body.required_permission).toContain(`:${reserved}/`);
    }
  });
});
