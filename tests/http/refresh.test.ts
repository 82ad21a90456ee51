import { describe, expect, it } from '@jest/globals';
import { recordChange } from '../../db/sql/sql-change-store.ts';
import { claimsOf, keyturnFor } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';
import { eventually } from '../support/redis-fault.ts';

/** A change that was not made through this instance. */
const SEEN_MS = 2_000;

const REFUSED = { status: 400, body: { error: 'invalid_grant' } };

describe.each(keyturnStorages)('refresh on $name', (kind) => {
  let offsetMs = 0;
  const keyturn = keyturnFor(kind, {
    clock: { nowMs: () => Date.now() + offsetMs },
    environment: { KEYTURN_TRUSTED_PROXIES: '127.0.0.1' },
  });

  /** A key and the first refresh token of a session of it. */
  async function begin(fields: Record<string, unknown> = {}, form: Record<string, string> = {}) {
    const key = await keyturn().createKey({ permissions: ['read:a', 'read:b'], ...fields });
    const { body } = await keyturn().exchange(key.clientSecret, form);
    return { ...key, sid: claimsOf(body.access_token).sid as string, refreshToken: body.refresh_token as string };
  }

  const scopeOf = (accessToken: string): string[] =>
    (claimsOf(accessToken).scope ?? '').split(' ').filter(Boolean).sort();

  /** What an edit of a key's permissions does to its row, seen by the instance; the management of that is another issue. */
  async function setPermissions(key: { id: string; clientSecret: string }, permissions: readonly string[]) {
    await keyturn().service.storage.database.transaction(async (trx) => {
      const edited = { permissions: JSON.stringify(permissions), updated_at_ms: Date.now() };
      await trx('api_keys').where({ id: key.id }).update(edited);
      await recordChange(trx, key.id);
    });
    await eventually(async () => {
      const { body } = await keyturn().exchange(key.clientSecret);
      expect(scopeOf(body.access_token)).toEqual([...permissions].sort());
    }, SEEN_MS);
  }

  it('gives a new pair in the same session, and counts both lifetimes from now', async () => {
    const { id, sid, refreshToken } = await begin();
    const { status, headers, body } = await keyturn().refresh(refreshToken);
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 7200,
      refresh_token: expect.stringMatching(/^ktr_[\w-]{80}$/),
      refresh_token_expires_in: 10800,
      scope: expect.any(String),
    });
    expect(body.refresh_token).not.toBe(refreshToken);
    expect(claimsOf(body.access_token)).toMatchObject({ sub: id, sid });
    expect(scopeOf(body.access_token)).toEqual(['read:a', 'read:b']);
  });

  it('goes on for many generations, each good once', async () => {
    let { refreshToken } = await begin();
    for (let generation = 1; generation < 20; generation += 1) {
      const { status, body } = await keyturn().refresh(refreshToken);
      expect(status).toBe(200);
      refreshToken = body.refresh_token;
    }
  });

  it('refuses a spent token and ends its session, and that one only', async () => {
    const first = await begin();
    const other = await keyturn().exchange(first.clientSecret);
    const { body } = await keyturn().refresh(first.refreshToken);
    expect(await keyturn().refresh(first.refreshToken)).toMatchObject(REFUSED);
    expect(await keyturn().refresh(body.refresh_token)).toMatchObject(REFUSED);
    expect((await keyturn().refresh(other.body.refresh_token)).status).toBe(200);
  });

  it('records the reuse with both addresses', async () => {
    const { refreshToken, sid } = await begin();
    const refreshFrom = (ip: string) =>
      keyturn().token({ grant_type: 'refresh_token', refresh_token: refreshToken }, { 'x-forwarded-for': ip });
    await refreshFrom('203.0.113.9');
    await refreshFrom('198.51.100.1');
    const events = () =>
      keyturn().service.storage.database.run((knex) => knex('audit_events').where({ object_id: sid }).select());
    let [event] = await events();
    // Recorded beside the answer, not before it.
    for (let attempt = 0; attempt < 200 && event === undefined; attempt += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      [event] = await events();
    }
    expect(event).toMatchObject({ type: 'refresh_token.reused', ip: '198.51.100.1' });
    expect(JSON.parse(event.detail)).toMatchObject({ last_ip: '203.0.113.9', ip: '198.51.100.1' });
  });

  it('refuses guessed and altered tokens without ending the session they name', async () => {
    const { refreshToken } = await begin();
    const alter = (at: number) =>
      refreshToken.slice(0, at) + (refreshToken[at] === 'A' ? 'B' : 'A') + refreshToken.slice(at + 1);
    const guesses = [
      ...[4, 10, 30, 45, 51, 60, 83].map(alter),
      `${refreshToken}A`,
      refreshToken.slice(0, -1),
      ` ${refreshToken}`,
    ];
    for (const guess of guesses) expect(await keyturn().refresh(guess)).toMatchObject(REFUSED);
    expect((await keyturn().refresh(refreshToken)).status).toBe(200);
  });

  it('refuses an access token, an API key and text', async () => {
    const { clientSecret } = await begin();
    const { body } = await keyturn().exchange(clientSecret);
    for (const token of [body.access_token, clientSecret, 'x'])
      expect(await keyturn().refresh(token)).toMatchObject(REFUSED);
  });

  describe('scope', () => {
    it('narrows the access token; the session keeps what it had', async () => {
      const { refreshToken } = await begin();
      const narrowed = await keyturn().refresh(refreshToken, { scope: 'read:a' });
      expect(scopeOf(narrowed.body.access_token)).toEqual(['read:a']);
      expect(narrowed.body.scope).toBe('read:a');
      const whole = await keyturn().refresh(narrowed.body.refresh_token);
      expect(scopeOf(whole.body.access_token)).toEqual(['read:a', 'read:b']);
    });

    it('beyond the session is invalid_scope, spends nothing, and names the value', async () => {
      const { refreshToken } = await begin({}, { scope: 'read:a' });
      const wider = await keyturn().refresh(refreshToken, { scope: 'read:a read:b' });
      expect({ status: wider.status, error: wider.body.error }).toEqual({ status: 400, error: 'invalid_scope' });
      expect(wider.body.error_description).toContain('read:b');
      expect(scopeOf((await keyturn().refresh(refreshToken)).body.access_token)).toEqual(['read:a']);
    });
  });

  describe.each([
    ['that asked for all', {}],
    ['that asked for a part', { scope: 'read:a read:b' }],
  ])('of a session %s', (_, form: Record<string, string>) => {
    it('loses what the key has lost and gains nothing the key has gained', async () => {
      const key = await begin({}, form);
      await setPermissions(key, ['read:b', 'read:c']);
      const { status, body } = await keyturn().refresh(key.refreshToken);
      expect(status).toBe(200);
      expect(scopeOf(body.access_token)).toEqual(['read:b']);
      const gained = await keyturn().refresh(body.refresh_token, { scope: 'read:c' });
      expect({ status: gained.status, error: gained.body.error }).toEqual({ status: 400, error: 'invalid_scope' });
    });

    it('keeps the narrower of both where a permission was narrowed or widened', async () => {
      const key = await begin({}, form);
      await setPermissions(key, ['read:a/x', '*:b']);
      const { body } = await keyturn().refresh(key.refreshToken);
      expect(scopeOf(body.access_token)).toEqual(['read:a/x', 'read:b']);
    });

    it('has no scope at all when the key has lost everything', async () => {
      const key = await begin({}, form);
      await setPermissions(key, []);
      const { status, body } = await keyturn().refresh(key.refreshToken);
      expect(status).toBe(200);
      expect(scopeOf(body.access_token)).toEqual([]);
    });
  });

  describe('client authentication', () => {
    it('may be left out, and may be sent in any way', async () => {
      const { clientId, clientSecret, refreshToken } = await begin();
      const refresh = (token: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
        keyturn().token({ grant_type: 'refresh_token', refresh_token: token, ...form }, headers);
      const none = await refresh(refreshToken, {});
      const named = await refresh(none.body.refresh_token, { client_id: clientId });
      const inBody = await refresh(named.body.refresh_token, { client_id: clientId, client_secret: clientSecret });
      const apiKey = await refresh(inBody.body.refresh_token, {}, { 'x-api-key': clientSecret });
      const authorization = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
      const basic = await refresh(apiKey.body.refresh_token, {}, { authorization });
      expect([none, named, inBody, apiKey, basic].map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    });

    it('that is another client’s is invalid_grant, that is wrong invalid_client; neither spends the token', async () => {
      const { refreshToken } = await begin();
      const other = await keyturn().createKey();
      expect(await keyturn().refresh(refreshToken, { client_secret: other.clientSecret })).toMatchObject(REFUSED);
      expect(await keyturn().refresh(refreshToken, { client_id: other.clientId })).toMatchObject(REFUSED);
      const wrong = await keyturn().refresh(refreshToken, { client_secret: 'Wrong-Secret-1' });
      expect(wrong).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
      expect((await keyturn().refresh(refreshToken)).status).toBe(200);
    });

    it('is demanded where the key demands it', async () => {
      const { clientId, clientSecret, refreshToken } = await begin({ refresh_requires_client_auth: true });
      const without = await keyturn().refresh(refreshToken);
      expect(without).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
      expect((await keyturn().refresh(refreshToken, { client_id: clientId })).status).toBe(401);
      expect((await keyturn().refresh(refreshToken, { client_secret: clientSecret })).status).toBe(200);
    });
  });

  describe('of a key that may not be used any more', () => {
    it('is refused when the key was revoked, and goes on when it is restored', async () => {
      const { id, refreshToken } = await begin();
      const path = `/v1/projects/default/keys/${id}`;
      await keyturn().api('PATCH', path, { is_valid: false });
      expect(await keyturn().refresh(refreshToken)).toMatchObject(REFUSED);
      await keyturn().api('PATCH', path, { is_valid: true });
      expect((await keyturn().refresh(refreshToken)).status).toBe(200);
    });

    it('is refused when the key was deleted', async () => {
      const { id, refreshToken } = await begin();
      await keyturn().api('DELETE', `/v1/projects/default/keys/${id}`);
      expect(await keyturn().refresh(refreshToken)).toMatchObject(REFUSED);
    });

    it('is refused when the key has expired', async () => {
      const { refreshToken } = await begin({ expires_at: new Date(Date.now() + 3_600_000).toISOString() });
      offsetMs = 3_600_001;
      try {
        expect(await keyturn().refresh(refreshToken)).toMatchObject(REFUSED);
      } finally {
        offsetMs = 0;
      }
    });

    it('is refused from an address outside the allowlist, and spends nothing', async () => {
      const { clientSecret } = await keyturn().createKey({ ip_allowlist: ['203.0.113.0/24'] });
      const from = (ip: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
        keyturn().token(form, { 'x-forwarded-for': ip, ...headers });
      const { body } = await from('203.0.113.1', { grant_type: 'client_credentials' }, { 'x-api-key': clientSecret });
      const form = { grant_type: 'refresh_token', refresh_token: body.refresh_token };
      expect(await from('198.51.100.1', form)).toMatchObject(REFUSED);
      expect((await from('203.0.113.2', form)).status).toBe(200);
    });
  });
});

describe.each(keyturnStorages)('the retry window on $name', (kind) => {
  const keyturn = keyturnFor(kind, {
    environment: { KEYTURN_REFRESH_RETRY_SECONDS: '30', KEYTURN_TRUSTED_PROXIES: '127.0.0.1' },
  });
  const refreshFrom = (ip: string, refreshToken: string) =>
    keyturn().token({ grant_type: 'refresh_token', refresh_token: refreshToken }, { 'x-forwarded-for': ip });

  it('gives the same client the same successor, however often it asks', async () => {
    const { body } = await keyturn().exchange();
    const replies = [];
    for (let attempt = 0; attempt < 3; attempt += 1) replies.push(await refreshFrom('203.0.113.1', body.refresh_token));
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set(replies.map((reply) => reply.body.refresh_token)).size).toBe(1);
    expect((await refreshFrom('203.0.113.1', replies[0]?.body.refresh_token)).status).toBe(200);
  });

  it('is not for another address', async () => {
    const { body } = await keyturn().exchange();
    const { body: next } = await refreshFrom('203.0.113.1', body.refresh_token);
    expect(await refreshFrom('203.0.113.2', body.refresh_token)).toMatchObject(REFUSED);
    expect(await refreshFrom('203.0.113.1', next.refresh_token)).toMatchObject(REFUSED);
  });

  it('is over once the successor was used', async () => {
    const { body } = await keyturn().exchange();
    const { body: second } = await refreshFrom('203.0.113.1', body.refresh_token);
    const { body: third } = await refreshFrom('203.0.113.1', second.refresh_token);
    expect(await refreshFrom('203.0.113.1', body.refresh_token)).toMatchObject(REFUSED);
    expect(await refreshFrom('203.0.113.1', third.refresh_token)).toMatchObject(REFUSED);
  });
});

describe.each(keyturnStorages)('a bound on sessions on $name', (kind) => {
  const keyturn = keyturnFor(kind, { environment: { KEYTURN_SESSION_MAX_SECONDS: '100' } });

  it('lets no token outlive its session, however often it is refreshed', async () => {
    let { body } = await keyturn().exchange();
    expect(body).toMatchObject({ expires_in: 100, refresh_token_expires_in: 100 });
    for (let round = 0; round < 3; round += 1) {
      ({ body } = await keyturn().refresh(body.refresh_token));
      expect(body.expires_in).toBeLessThanOrEqual(100);
      expect(body.expires_in).toBeGreaterThan(90);
      expect(body.refresh_token_expires_in).toBeLessThanOrEqual(100);
    }
  });
});
