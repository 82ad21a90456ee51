import { describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/expect-problem.ts';
import { keyturnFor } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';

describe.each(keyturnStorages)('signing keys on $name', (kind) => {
  const keyturn = keyturnFor(kind);
  const list = async () => (await keyturn().api('GET', '/v1/signing-keys')).body;

  it('are listed, rotated and revoked, and each change tells who made it', async () => {
    const { data, total_count } = await list();
    const [first] = data;
    expect(total_count).toBe(1);
    expect(first).toMatchObject({ state: 'active', algorithm: 'ES256', retiring_from: null, retired_from: null });

    const rotated = await keyturn().api('POST', '/v1/signing-keys/rotate');
    expect(rotated.status).toBe(201);
    expect(rotated.body).toMatchObject({ state: 'pending', algorithm: 'ES256' });
    const { body: jwks } = await keyturn().api('GET', '/.well-known/jwks.json');
    expect(jwks.keys.map(({ kid }: { kid: string }) => kid)).toEqual([first.kid, rotated.body.kid]);
    const again = await keyturn().api('POST', '/v1/signing-keys/rotate');
    expectProblem(again, { status: 409, code: 'signing_key_pending' });
    expect(again.body.kid).toBe(rotated.body.kid);

    const revoked = await keyturn().api('POST', `/v1/signing-keys/${rotated.body.kid}/revoke`);
    expect(revoked).toMatchObject({ status: 200, body: { kid: rotated.body.kid, state: 'retired' } });
    const { data: left } = await list();
    expect(left.map(({ state }: { state: string }) => state)).toEqual(['active', 'retired', 'pending']);
    for (const kid of [rotated.body.kid, 'nobody'])
      expectProblem(await keyturn().api('POST', `/v1/signing-keys/${kid}/revoke`), { status: 404, code: 'not_found' });

    const { body } = await keyturn().api('GET', '/v1/audit-events?fields=type,object_id,actor_id');
    const me = (await keyturn().api('GET', '/v1/me')).body.key_id;
    expect(body.data.filter(({ type }: { type: string }) => type.startsWith('signing_key.'))).toEqual([
      { type: 'signing_key.revoked', object_id: rotated.body.kid, actor_id: me },
      { type: 'signing_key.rotated', object_id: rotated.body.kid, actor_id: me },
      { type: 'signing_key.created', object_id: first.kid, actor_id: null },
    ]);
  });

  it('are the installation’s, not a project’s', async () => {
    const { clientSecret } = await keyturn().createKey({ permissions: ['*:keyturn'] });
    const token = (await keyturn().exchange(clientSecret)).body.access_token;
    const needed = async (method: string, path: string) =>
      (await keyturn().api(method, path, undefined, token)).body.required_permission;
    expect(await needed('GET', '/v1/signing-keys')).toBe('read:keyturn-installation/signing-key');
    expect(await needed('POST', '/v1/signing-keys/rotate')).toBe('update:keyturn-installation/signing-key');
    expect(await needed('POST', '/v1/signing-keys/x/revoke')).toBe('update:keyturn-installation/signing-key');
  });
});
