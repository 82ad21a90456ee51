import { describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/expect-problem.ts';
import { keyturnFor } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';

const PROJECT = '/v1/projects/default';

describe.each(keyturnStorages)('explain on $name', (kind) => {
  const keyturn = keyturnFor(kind);
  const explain = (id: string, json: object) => keyturn().api('POST', `${PROJECT}/keys/${id}/explain`, json);
  const made = async (path: string, json: object) => {
    const { status, text, body } = await keyturn().api('POST', PROJECT + path, json);
    expect({ status, text }).toMatchObject({ status: 201 });
    return body;
  };

  it('says which rule decides, and agrees with an exchange', async () => {
    const role = await made('/roles', { name: 'Defect writer', permissions: ['write:defect'] });
    const workspace = await made('/workspaces', { name: 'Mobile', slug: 'mobile' });
    const { id, clientSecret } = await keyturn().createKey({
      permissions: ['read:credential/prod-*'],
      roles: [{ role_id: role.id, workspace_id: workspace.id }],
      ip_allowlist: ['127.0.0.0/8'],
    });
    const allowed = await explain(id, { permission: 'read:credential/prod-db', ip: '127.0.0.1' });
    expect(allowed.status).toBe(200);
    expect(allowed.body).toEqual({
      allowed: true,
      rule: { kind: 'permission', permission: 'read:credential/prod-*' },
      reason: 'the key has read:credential/prod-*, which covers read:credential/prod-db',
      ip_allowlist_entry: '127.0.0.0/8',
    });
    expect((await explain(id, { permission: 'write:workspace/mobile/defect/7' })).body).toMatchObject({
      allowed: true,
      rule: { kind: 'role', role_id: role.id, workspace_id: workspace.id, permission: 'write:workspace/mobile/defect' },
      ip_allowlist_entry: null,
    });
    const refused = { allowed: false, rule: { kind: 'permission', permission: null } };
    expect((await explain(id, { permission: 'write:defect/7', ip: '127.0.0.1' })).body).toMatchObject(refused);
    const elsewhere = { permission: 'read:credential/prod-db', ip: '203.0.113.9' };
    expect((await explain(id, elsewhere)).body).toMatchObject({ allowed: false, rule: { kind: 'ip_allowlist' } });

    const { body: tokens } = await keyturn().exchange(clientSecret);
    expect(tokens.scope.split(' ').sort()).toEqual(['read:credential/prod-*', 'write:workspace/mobile/defect']);
    await keyturn().api('PATCH', `${PROJECT}/keys/${id}`, { is_valid: false });
    expect((await explain(id, elsewhere)).body).toMatchObject({ allowed: false, rule: { kind: 'validity' } });
  });

  it('names the field that is wrong', async () => {
    const { id } = await keyturn().createKey();
    for (const [field, json] of [
      ['permission', { permission: 'read', ip: '127.0.0.1' }],
      ['permission', { ip: '127.0.0.1' }],
      ['ip', { permission: 'read:a', ip: '127.0.0.1/8' }],
      ['ip', { permission: 'read:a', ip: 'localhost' }],
      ['address', { permission: 'read:a', address: '127.0.0.1' }],
    ] as const) {
      const reply = await explain(id, json);
      expectProblem(reply, { status: 400, code: 'validation_failed' });
      expect(reply.body.errors).toEqual([{ field, message: expect.any(String) }]);
    }
    expectProblem(await explain('key_nobody', { permission: 'read:a' }), { status: 404, code: 'not_found' });
  });
});
