import { describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/expect-problem.ts';
import { keyturnFor } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';

const EVENTS = '/v1/projects/default/audit-events';

describe.each(keyturnStorages)('audit events on $name', (kind) => {
  const keyturn = keyturnFor(kind, { environment: { KEYTURN_TRUSTED_PROXIES: '127.0.0.1/32' } });

  const tokenWith = async (permissions: readonly string[]): Promise<string> => {
    const { clientSecret } = await keyturn().createKey({ permissions });
    return (await keyturn().exchange(clientSecret)).body.access_token;
  };

  /** Events of an object that are stored a moment after the answer. */
  // biome-ignore lint/suspicious/noExplicitAny: what tests are about is whether the members are there
  async function eventsOf(objectId: string, isEnough: (events: any[]) => boolean): Promise<any[]> {
    // biome-ignore lint/suspicious/noExplicitAny: see above
    let data: any[] = [];
    for (let attempt = 0; attempt < 300 && !isEnough(data); attempt += 1) {
      ({ data } = (await keyturn().api('GET', `${EVENTS}?object_id=${objectId}`)).body);
      if (!isEnough(data)) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return data;
  }

  it('tells who did what, the newest first, and the other way round', async () => {
    const { id } = await keyturn().createKey();
    await keyturn().api('PATCH', `/v1/projects/default/keys/${id}`, { is_valid: false });
    const { status, body } = await keyturn().api('GET', `${EVENTS}?object_id=${id}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ total_count: 2, exceeds_total_count: false, next_cursor: null });
    expect(body.data[0]).toEqual({
      id: expect.stringMatching(/^evt_/),
      type: 'api_key.revoked',
      project_id: keyturn().administrator.projectId,
      actor_id: expect.stringMatching(/^key_/),
      object_id: id,
      ip: '127.0.0.1',
      request_id: expect.stringMatching(/^req_/),
      detail: { before: { is_valid: true }, after: { is_valid: false } },
      created_at: expect.stringMatching(/^\d{4}-.+Z$/),
      sequence: expect.any(Number),
    });
    expect(body.data[1].type).toBe('api_key.created');
    const oldest = await keyturn().api('GET', `${EVENTS}?object_id=${id}&sort=created_at`);
    expect(oldest.body.data).toEqual(body.data.toReversed());
  });

  it('filters, picks fields and goes on by cursor', async () => {
    const { id } = await keyturn().createKey();
    for (const isValid of [false, true, false])
      await keyturn().api('PATCH', `/v1/projects/default/keys/${id}`, { is_valid: isValid });
    const all = (await keyturn().api('GET', `${EVENTS}?object_id=${id}`)).body.data;
    const listed = async (query: string) => (await keyturn().api('GET', `${EVENTS}?object_id=${id}&${query}`)).body;
    expect((await listed('type=api_key.revoked')).total_count).toBe(2);
    expect((await listed('ip=127.0.0.1')).total_count).toBe(4);
    expect((await listed('ip=203.0.113.77')).total_count).toBe(0);
    expect((await listed(`actor_id=${all[0].actor_id}`)).total_count).toBe(4);
    expect((await listed(`actor_id=${id}`)).data).toEqual([]);
    expect((await listed(`since=${all[0].created_at}`)).data).toContainEqual(all[0]);
    expect((await listed(`until=${all[3].created_at}`)).data).toEqual([]);
    expect((await listed('fields=type,object_id')).data[0]).toEqual({ type: 'api_key.revoked', object_id: id });
    const first = await listed('limit=3');
    const second = await listed(`limit=3&cursor=${first.next_cursor}`);
    expect([...first.data, ...second.data]).toEqual(all);
    expect(second.next_cursor).toBeNull();
    for (const query of ['type=api_key.exploded', 'since=yesterday', 'who=me', 'cursor=x'])
      expectProblem(await keyturn().api('GET', `${EVENTS}?${query}`), { status: 400, code: 'validation_failed' });
  });

  it('tells why a proven key was denied, the first time at once and then by number', async () => {
    const { id, clientSecret } = await keyturn().createKey({ ip_allowlist: ['203.0.113.0/24'] });
    for (let asked = 0; asked < 5; asked += 1) {
      const headers = { 'x-api-key': clientSecret, 'x-forwarded-for': '198.51.100.4' };
      expect((await keyturn().token({ grant_type: 'client_credentials' }, headers)).status).toBe(401);
    }
    const isDenied = ({ type }: { type: string }) => type === 'api_key.denied';
    const denials = (await eventsOf(id, (events) => events.some(isDenied))).filter(isDenied);
    expect(denials).toEqual([
      expect.objectContaining({
        actor_id: id,
        ip: '198.51.100.4',
        request_id: expect.stringMatching(/^req_/),
        detail: { reason: 'ip_not_allowed', count: 1 },
      }),
    ]);
  });

  it('has what belongs to no project apart', async () => {
    const { body } = await keyturn().api('GET', '/v1/audit-events?type=signing_key.created');
    expect(body.data[0]).toMatchObject({ project_id: null, actor_id: null });
    expect((await keyturn().api('GET', `${EVENTS}?type=signing_key.created`)).body.data).toEqual([]);
  });

  it('is for those who may read it', async () => {
    const token = await tokenWith(['read:keyturn/api-key']);
    const denied = await keyturn().api('GET', EVENTS, undefined, token);
    expectProblem(denied, { status: 403, code: 'permission_missing' });
    expect(denied.body.required_permission).toBe('read:keyturn/audit-event');
    const reader = await tokenWith(['read:keyturn/audit-event']);
    expect((await keyturn().api('GET', EVENTS, undefined, reader)).status).toBe(200);
    const outside = await keyturn().api('GET', '/v1/audit-events', undefined, reader);
    expect(outside.body.required_permission).toBe('read:keyturn-installation/audit-event');
    expectProblem(await keyturn().api('POST', EVENTS, {}), { status: 405, code: 'method_not_allowed' });
  });
});
