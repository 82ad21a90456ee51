import { describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/expect-problem.ts';
import { keyturnFor } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';

describe.each(keyturnStorages)('sessions of a key on $name', (kind) => {
  const keyturn = keyturnFor(kind, { environment: { KEYTURN_TRUSTED_PROXIES: '127.0.0.1/32' } });

  const pathOf = (keyId: string, sessionId?: string) =>
    `/v1/projects/default/keys/${keyId}/sessions${sessionId === undefined ? '' : `/${sessionId}`}`;

  /** To the last page. */
  async function sessionsOf(keyId: string, query = 'limit=2') {
    // biome-ignore lint/suspicious/noExplicitAny: what tests are about is whether the members are there
    const found: any[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { status, body } = await keyturn().api('GET', `${pathOf(keyId)}?${query}${cursor && `&cursor=${cursor}`}`);
      expect(status).toBe(200);
      expect(body.data.length).toBeLessThanOrEqual(2);
      found.push(...body.data);
      cursor = body.next_cursor;
    }
    return found;
  }

  const exchange = async (apiKey: string, ip: string) =>
    (await keyturn().token({ grant_type: 'client_credentials' }, { 'x-api-key': apiKey, 'x-forwarded-for': ip })).body;

  it('are listed with what has become of them, and end for good when they are revoked', async () => {
    const { id, clientSecret } = await keyturn().createKey();
    const other = await keyturn().createKey();
    const [first, second] = [await exchange(clientSecret, '203.0.113.1'), await exchange(clientSecret, '203.0.113.2')];
    await exchange(clientSecret, '203.0.113.3');
    const ofOther = await exchange(other.clientSecret, '203.0.113.4');
    const refreshed = await keyturn().refresh(first.refresh_token);
    const found = await sessionsOf(id);
    expect(found.map(({ ip }) => ip).sort()).toEqual(['127.0.0.1', '203.0.113.2', '203.0.113.3']);
    const [listed] = found.filter(({ ip }) => ip === '127.0.0.1');
    expect(listed).toEqual({
      id: expect.stringMatching(/^ses_/),
      created_at: expect.stringMatching(/Z$/),
      last_refreshed_at: expect.stringMatching(/Z$/),
      generation: 2,
      ip: '127.0.0.1',
      expires_at: expect.stringMatching(/Z$/),
      ends_at: null,
    });
    expect(found.filter(({ last_refreshed_at }) => last_refreshed_at === null)).toHaveLength(2);
    expect(await sessionsOf(id, 'limit=2&fields=ip')).toContainEqual({ ip: '203.0.113.2' });

    expect((await keyturn().api('DELETE', pathOf(id, listed.id))).status).toBe(204);
    expect((await keyturn().refresh(refreshed.body.refresh_token)).status).toBe(400);
    expectProblem(await keyturn().api('DELETE', pathOf(id, listed.id)), { status: 404, code: 'not_found' });
    expect((await keyturn().refresh(second.refresh_token)).status).toBe(200);
    expect(await sessionsOf(id)).toHaveLength(2);
    const events = await keyturn().api('GET', `/v1/projects/default/audit-events?object_id=${listed.id}`);
    expect(events.body.data).toMatchObject([{ type: 'session.revoked', detail: { key_id: id, generation: 2 } }]);

    const [otherSession] = await sessionsOf(other.id);
    expectProblem(await keyturn().api('DELETE', pathOf(id, otherSession.id)), { status: 404, code: 'not_found' });
    expect((await keyturn().refresh(ofOther.refresh_token)).status).toBe(200);
  });

  it('take the permissions of sessions, and are not there for what is no key or no session', async () => {
    const { id, clientSecret } = await keyturn().createKey({
      permissions: ['*:keyturn/api-key', 'read:keyturn/session'],
    });
    const token = (await keyturn().exchange(clientSecret)).body.access_token;
    expect((await keyturn().api('GET', pathOf(id), undefined, token)).status).toBe(200);
    const denied = await keyturn().api('DELETE', pathOf(id, 'ses_x'), undefined, token);
    expect(denied.body.required_permission).toBe('delete:keyturn/session');
    for (const session of ['ses_x', 'ping', `ses_${'0'.repeat(26)}`])
      expectProblem(await keyturn().api('DELETE', pathOf(id, session)), { status: 404, code: 'not_found' });
    expectProblem(await keyturn().api('GET', pathOf('key_x')), { status: 404, code: 'not_found' });
    for (const query of ['cursor=x', 'limit=0', 'sort=ip'])
      expectProblem(await keyturn().api('GET', `${pathOf(id)}?${query}`), { status: 400, code: 'validation_failed' });
  });
});
