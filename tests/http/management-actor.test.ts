import { describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/expect-problem.ts';
import { type CreatedKey, keyturnFor } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';
import { addProject } from '../support/other-project.ts';

const KEYS = '/v1/projects/default/keys';

/** An access token lives for two hours; what its key may manage can end before. */
describe.each(keyturnStorages)('an access token whose key has changed, at the management API on $name', (kind) => {
  const keyturn = keyturnFor(kind);
  const asAdministrator = (method: string, key: CreatedKey, body?: unknown) =>
    keyturn().api(method, `${KEYS}/${key.id}`, body);

  async function manager(permissions: readonly string[] = ['*:keyturn', 'read:*']) {
    const key = await keyturn().createKey({ permissions });
    return { key, token: (await keyturn().exchange(key.clientSecret)).body.access_token as string };
  }

  it('can not undo its own revocation, make another key, or read', async () => {
    const { key, token } = await manager();
    await asAdministrator('PATCH', key, { is_valid: false });
    for (const [method, path, body] of [
      ['PATCH', `${KEYS}/${key.id}`, { is_valid: true }],
      ['POST', KEYS, { name: 'escape', permissions: ['*:keyturn'] }],
      ['DELETE', `${KEYS}/${key.id}`, undefined],
      ['GET', KEYS, undefined],
    ] as const) {
      const reply = await keyturn().api(method, path, body, token);
      expectProblem(reply, { status: 401, code: 'unauthenticated' });
      expect(reply.body.reason).toBe('api_key_revoked');
      expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer .*error="invalid_token"/);
    }
    expect((await asAdministrator('GET', key)).body.is_valid).toBe(false);
  });

  it('makes no key after its own has been deleted', async () => {
    const { key, token } = await manager();
    await asAdministrator('DELETE', key);
    const reply = await keyturn().api('POST', KEYS, { name: 'orphan' }, token);
    expectProblem(reply, { status: 401, code: 'unauthenticated' });
  });

  it('neither uses nor hands on what its key has lost', async () => {
    const { key, token } = await manager(['*:keyturn', 'read:a', 'read:b']);
    const edit = (permissions: readonly string[]) =>
      keyturn().service.storage.database.run((knex) =>
        knex('api_keys')
          .where({ id: key.id })
          .update({ permissions: JSON.stringify(permissions) }),
      );
    await edit(['create:keyturn/api-key', 'read:a']);
    const create = (permission: string) =>
      keyturn().api('POST', KEYS, { name: `of ${permission}`, permissions: [permission] }, token);
    expect((await create('read:a')).status).toBe(201);
    expectProblem(await create('read:b'), { status: 403, code: 'permission_exceeds_grantor' });
    const reading = await keyturn().api('GET', KEYS, undefined, token);
    expectProblem(reading, { status: 403, code: 'permission_missing' });
    expect(reading.body.required_permission).toBe('read:keyturn/api-key');
  });

  it('makes its keys in the name of the user who answers for it', async () => {
    const { key, token } = await manager();
    const { body: own } = await asAdministrator('GET', key);
    const { body: made } = await keyturn().api('POST', KEYS, { name: 'owned' }, token);
    expect(made).toMatchObject({ owner_id: own.owner_id, created_by: key.id });
    expect(made.owner_id).toMatch(/^usr_/);
  });

  describe('in another project', () => {
    it('hands out of Keyturn itself only what is held for the whole installation', async () => {
      const { id: project } = await addProject(keyturn());
      const { token } = await manager(['*:*', '*:keyturn', 'create:keyturn-installation/api-key']);
      const create = (permission: string) =>
        keyturn().api(
          'POST',
          `/v1/projects/${project}/keys`,
          { name: `of ${permission}`, permissions: [permission] },
          token,
        );
      expectProblem(await create('*:keyturn'), { status: 403, code: 'permission_exceeds_grantor' });
      expectProblem(await create('read:keyturn/api-key'), { status: 403, code: 'permission_exceeds_grantor' });
      expect((await create('create:keyturn/api-key')).status).toBe(201);
      expect((await create('read:anything')).status).toBe(201);
    });

    it('an administrator of the installation may hand out all of it', async () => {
      const { id: project } = await addProject(keyturn());
      const body = { name: 'project administrator', permissions: ['*:*', '*:keyturn'] };
      expect((await keyturn().api('POST', `/v1/projects/${project}/keys`, body)).status).toBe(201);
    });
  });
});
