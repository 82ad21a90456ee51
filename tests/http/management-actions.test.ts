import { describe, expect, it } from '@jest/globals';
import { LOWER_ALPHANUMERIC, newId, randomText } from '../../server/random.ts';
import { expectProblem } from '../support/expect-problem.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { keyturnFor } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';
import { addProject } from '../support/other-project.ts';

const KEYS = '/v1/projects/default/keys';
const CHOSEN = 'Chosen-Secret-1';

describe.each(keyturnStorages)('regenerating an API key on $name', (kind) => {
  const keyturn = keyturnFor(kind);
  const regenerate = (id: string, json: unknown = {}, token?: string) =>
    keyturn().api('POST', `${KEYS}/${id}/regenerate`, json, token);
  const exchanges = async (secret: string) => (await keyturn().exchange(secret)).status;

  it('keeps the client_id and all else, shows the new secret once, and ends the old one', async () => {
    const { id, clientId, clientSecret } = await keyturn().createKey({ permissions: ['read:a'] });
    const { body: before } = await keyturn().api('GET', `${KEYS}/${id}`);
    const { status, headers, body } = await regenerate(id);
    const { client_secret: secret, ...key } = body;
    expect(status).toBe(200);
    expect(headers.get('etag')).toBe('"v2"');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(secret).toMatch(new RegExp(`^ktk_${clientId.slice(-25)}_[0-9A-Za-z]{49}$`));
    expect(key).toEqual({ ...before, hint: secret.slice(-4), updated_at: expect.any(String) });
    expect((await keyturn().api('GET', `${KEYS}/${id}`)).text).not.toContain(secret);
    expect([await exchanges(secret), await exchanges(clientSecret)]).toEqual([200, 401]);
  });

  it('shows the one before beside it for as long as the overlap lasts, and never two of them', async () => {
    const { id, clientSecret: first } = await keyturn().createKey();
    const { body: overlapping } = await regenerate(id, { overlap_seconds: 604_800 });
    const second = overlapping.client_secret;
    expect(overlapping.previous_secret).toEqual({
      hint: first.slice(-4),
      expires_at: expect.any(String),
      last_used_at: null,
    });
    expect(Date.parse(overlapping.previous_secret.expires_at) - Date.parse(overlapping.updated_at)).toBe(604_800_000);
    const { body: again } = await regenerate(id, { overlap_seconds: 60 });
    expect(again.previous_secret.hint).toBe(second.slice(-4));
    expect(await exchanges(first)).toBe(401);
    expect((await regenerate(id)).body.previous_secret).toBeNull();
  });

  it('takes a chosen secret, generates one for a key that had one, and tells which rule a bad one breaks', async () => {
    const { id, clientId } = await keyturn().createKey({ client_secret: CHOSEN });
    const form = { grant_type: 'client_credentials', client_id: clientId };
    const chosen = await regenerate(id, { client_secret: 'Another-Secret-2' });
    expect(chosen.body).toMatchObject({ client_secret: 'Another-Secret-2', hint: 'et-2' });
    expect((await keyturn().token({ ...form, client_secret: 'Another-Secret-2' })).status).toBe(200);
    expect((await keyturn().token({ ...form, client_secret: CHOSEN })).status).toBe(401);
    const { body } = await regenerate(id);
    expect(await exchanges(body.client_secret)).toBe(200);
    const refused = await regenerate(id, { client_secret: 'short' });
    expectProblem(refused, { status: 400, code: 'validation_failed' });
    expect(refused.body.errors[0].field).toBe('client_secret');
    expect(refused.text).not.toContain('"short"');
  });

  it.each([-1, 604_801, 1.5, '60', null])('refuses an overlap of %j', async (overlap) => {
    const { id, clientSecret } = await keyturn().createKey();
    const reply = await regenerate(id, { overlap_seconds: overlap });
    expectProblem(reply, { status: 400, code: 'validation_failed' });
    expect(reply.body.errors[0].field).toBe('overlap_seconds');
    expect(await exchanges(clientSecret)).toBe(200);
  });

  it('leaves a revoked key revoked, and is refused to whoever holds less than the key', async () => {
    const { id } = await keyturn().createKey({ permissions: ['read:secret'] });
    await keyturn().api('PATCH', `${KEYS}/${id}`, { is_valid: false });
    const { body } = await regenerate(id);
    expect(body.is_valid).toBe(false);
    expect(await exchanges(body.client_secret)).toBe(401);
    const less = await keyturn().createKey({ permissions: ['*:keyturn/api-key'] });
    const { access_token: token } = (await keyturn().exchange(less.clientSecret)).body;
    expectProblem(await regenerate(id, {}, token), { status: 403, code: 'permission_exceeds_grantor' });
    const { rows } = await keyturn().service.storage.database.run(async (knex) => ({
      rows: await knex('audit_events').where({ object_id: id, type: 'api_key.regenerated' }),
    }));
    expect(rows.map(({ detail }: { detail: string }) => JSON.parse(detail))).toEqual([{ overlap_seconds: 0 }]);
    expect(JSON.stringify(rows)).not.toContain(body.client_secret);
  });
});

describe.each(keyturnStorages)('the secret before, on $name, once its time is over', (kind) => {
  const clock = createFakeClock(Date.now());
  const keyturn = keyturnFor(kind, { clock });

  it('is no longer shown', async () => {
    const { id } = await keyturn().createKey();
    const overlapping = await keyturn().api('POST', `${KEYS}/${id}/regenerate`, { overlap_seconds: 10 });
    expect(overlapping.body.previous_secret).not.toBeNull();
    const shown = async () => (await keyturn().api('GET', `${KEYS}/${id}`)).body.previous_secret;
    clock.advance(9_999);
    expect(await shown()).not.toBeNull();
    clock.advance(1);
    expect(await shown()).toBeNull();
  });
});

describe.each(keyturnStorages)('deleting many API keys on $name', (kind) => {
  const keyturn = keyturnFor(kind);
  const bulkDelete = (ids: unknown, token?: string) => keyturn().api('POST', `${KEYS}/bulk-delete`, { ids }, token);

  it('tells of each id in its order, an unknown and a foreign one alike, and the deleted prove nothing', async () => {
    const { id: other } = await addProject(keyturn());
    const { body: foreign } = await keyturn().api('POST', `/v1/projects/${other}/keys`, { name: 'theirs' });
    const [first, second] = [await keyturn().createKey(), await keyturn().createKey()];
    const ids = [second.id, foreign.id, 'key_00000000000000000000000000', first.id, 'nonsense'];
    const { status, body } = await bulkDelete(ids);
    expect(status).toBe(200);
    const failed = { status: 'failed', code: 'not_found' };
    expect(body.results).toEqual([
      { id: ids[0], status: 'deleted' },
      { id: ids[1], ...failed },
      { id: ids[2], ...failed },
      { id: ids[3], status: 'deleted' },
      { id: ids[4], ...failed },
    ]);
    for (const { clientSecret } of [first, second]) expect((await keyturn().exchange(clientSecret)).status).toBe(401);
    expect((await keyturn().exchange(foreign.client_secret)).status).toBe(200);
  });

  it('deletes 500 at once, with an event for each', async () => {
    const { apiKeys } = keyturn().service.storage;
    const { id, clientId } = await keyturn().createKey();
    const like = await apiKeys.findById(id);
    if (like === null) throw new Error('there is no such key');
    const keys = Array.from({ length: 500 }, (_, index) => {
      const ownClientId = clientId.slice(0, -25) + randomText(25, LOWER_ALPHANUMERIC);
      return { ...like, id: newId('key'), clientId: ownClientId, name: `many ${index}` };
    });
    for (let start = 0; start < keys.length; start += 50) await apiKeys.insertAll(keys.slice(start, start + 50), []);
    const ids = keys.map((key) => key.id);
    const { status, body } = await bulkDelete(ids);
    expect(status).toBe(200);
    expect(new Set(body.results.map((result: { status: string }) => result.status))).toEqual(new Set(['deleted']));
    const events = await keyturn().service.storage.database.run((knex) =>
      knex('audit_events').whereIn('object_id', ids).pluck('type'),
    );
    expect(events).toEqual(Array(500).fill('api_key.deleted'));
  });

  it.each([
    ['none', []],
    ['501', Array.from({ length: 501 }, (_, index) => `key_${index}`)],
    ['the same twice', ['key_a', 'key_a']],
    ['what is no text', [1]],
    ['no list', 'key_a'],
  ])('refuses %s', async (_, ids) => {
    expectProblem(await bulkDelete(ids), { status: 400, code: 'validation_failed' });
  });

  it('takes the permission to delete', async () => {
    const { clientSecret } = await keyturn().createKey({
      permissions: ['read:keyturn/api-key', 'update:keyturn/api-key'],
    });
    const { access_token: token } = (await keyturn().exchange(clientSecret)).body;
    const reply = await bulkDelete(['key_a'], token);
    expectProblem(reply, { status: 403, code: 'permission_missing' });
    expect(reply.body.required_permission).toBe('delete:keyturn/api-key');
  });
});
