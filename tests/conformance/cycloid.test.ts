/** The life of an API key as Cycloid's page tells it; README.md has the rest. */
import { describe, expect, it } from '@jest/globals';
import { keyturnFor } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';

const PROJECT = '/v1/projects/default';

describe.each(keyturnStorages)('Cycloid on $name', (kind) => {
  const keyturn = keyturnFor(kind);
  const post = async (path: string, json: object) => {
    const { status, text, body } = await keyturn().api('POST', path, json);
    expect([path, text, status < 300]).toEqual([path, text, true]);
    return body;
  };
  const mayRead = async (keyId: string, credential: string): Promise<boolean> =>
    (await post(`${PROJECT}/keys/${keyId}/explain`, { permission: `read:credential/${credential}` })).allowed;

  it('narrows the policies of a role to a subset of the credentials', async () => {
    const role = await post(`${PROJECT}/roles`, {
      name: 'Two',
      permissions: ['read:credential/a', 'read:credential/b'],
    });
    const { id } = await post(`${PROJECT}/keys`, { name: 'subset', roles: [{ role_id: role.id }] });
    expect(await Promise.all(['a', 'b', 'c'].map((credential) => mayRead(id, credential)))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('shows the key once, changes its owner, name and description, lists it, and revokes it by deletion', async () => {
    const user = await post('/v1/users', { email: 'owner@example.com', name: 'Owner' });
    await post(`${PROJECT}/members`, { user_id: user.id, roles: [{ role_id: 'viewer' }] });
    const { client_secret: secret, ...created } = await post(`${PROJECT}/keys`, {
      name: 'deploy',
      permissions: ['read:project'],
    });
    expect(created).toMatchObject({ description: null, effective_permissions: ['read:project'] });
    const details = { name: 'deploy-eu', description: 'Starts the pipelines of Europe', owner_id: user.id };
    const edited = await keyturn().api('PATCH', `${PROJECT}/keys/${created.id}`, details);
    expect(edited).toMatchObject({ status: 200, body: { ...details, client_id: created.client_id } });
    const { body: list } = await keyturn().api('GET', `${PROJECT}/keys?q=deploy-eu`);
    expect(list.data).toMatchObject([{ id: created.id, ...details }]);
    expect(JSON.stringify([edited.body, list])).not.toContain(secret);
    expect((await keyturn().exchange(secret)).status).toBe(200);
    await post(`${PROJECT}/keys/bulk-delete`, { ids: [created.id] });
    expect((await keyturn().exchange(secret)).body.error).toBe('invalid_client');
  });
});
