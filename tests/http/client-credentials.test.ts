import { describe, expect, it } from '@jest/globals';
import { claimsOf, type Keyturn, keyturnFor } from '../support/keyturn-server.ts';
import { keyturnStorages, sqliteStorage } from '../support/keyturn-storage.ts';

const ID = '[0-9a-z]{26}';

describe.each(keyturnStorages)('client_credentials on $name', (kind) => {
  let offsetMs = 0;
  const keyturn = keyturnFor(kind, {
    clock: { nowMs: () => Date.now() + offsetMs },
    environment: { KEYTURN_TRUSTED_PROXIES: '127.0.0.1' },
  });

  const exchangeFrom = (ip: string, apiKey: string) =>
    keyturn().token({ grant_type: 'client_credentials' }, { 'x-api-key': apiKey, 'x-forwarded-for': ip });

  /** Moves the service's clock while `work` runs. */
  async function later<T>(milliseconds: number, work: () => Promise<T>): Promise<T> {
    offsetMs += milliseconds;
    try {
      return await work();
    } finally {
      offsetMs -= milliseconds;
    }
  }

  const expiringIn = (milliseconds: number) =>
    keyturn().createKey({ expires_at: new Date(Date.now() + milliseconds).toISOString() });

  it('answers with the members of RFC 6749 §5.1 and nothing else', async () => {
    const { clientSecret } = await keyturn().createKey({ permissions: ['read:b', 'read:a'] });
    const { status, headers, body } = await keyturn().exchange(clientSecret);
    expect(status).toBe(200);
    expect(body).toEqual({
      access_token: expect.stringMatching(/^eyJ[\w-]+\.[\w-]+\.[\w-]{86}$/),
      token_type: 'Bearer',
      expires_in: 7200,
      refresh_token: expect.stringMatching(/^ktr_[\w-]{80}$/),
      refresh_token_expires_in: 10800,
      scope: expect.stringMatching(/^read:[ab] read:[ab]$/),
    });
    expect(headers.get('content-type')).toBe('application/json;charset=UTF-8');
    expect([headers.get('cache-control'), headers.get('pragma')]).toEqual(['no-store', 'no-cache']);
  });

  it('issues a JWT with exactly the documented claims', async () => {
    const { id, clientId, clientSecret } = await keyturn().createKey({
      permissions: ['read:a'],
      ip_allowlist: ['203.0.113.0/24'],
    });
    const before = Math.floor(Date.now() / 1000);
    const { body } = await exchangeFrom('203.0.113.9', clientSecret);
    const header = JSON.parse(Buffer.from(body.access_token.split('.')[0], 'base64url').toString());
    expect(header).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) });
    const claims = claimsOf(body.access_token);
    expect(claims).toEqual({
      iss: keyturn().url,
      sub: id,
      client_id: clientId,
      aud: keyturn().url,
      iat: expect.any(Number),
      exp: claims.iat + 7200,
      jti: expect.stringMatching(/^[\w-]{22}$/),
      scope: 'read:a',
      project: keyturn().administrator.projectId,
      sid: expect.stringMatching(`^ses_${ID}$`),
      ip_allowlist: ['203.0.113.0/24'],
    });
    expect(claims.iat).toBeGreaterThanOrEqual(before);
    expect(claims.iat).toBeLessThanOrEqual(Math.floor(Date.now() / 1000));
  });

  it('gives each exchange a session and a token id of its own', async () => {
    const replies = await Promise.all(Array.from({ length: 20 }, () => keyturn().exchange()));
    const claims = replies.map(({ body }) => claimsOf(body.access_token));
    expect(new Set(claims.map(({ sid }) => sid)).size).toBe(20);
    expect(new Set(claims.map(({ jti }) => jti)).size).toBe(20);
  });

  describe('scope', () => {
    const permissions = ['read:credential/prod-*', '*:stack/eu', 'create:*'];

    it.each([
      ['read:credential/prod-db', 'read:credential/prod-db'],
      ['read:credential/prod-*', 'read:credential/prod-*'],
      ['delete:stack/eu/web create:x', 'delete:stack/eu/web create:x'],
    ])('%j is covered and narrows the token to it', async (scope, expected) => {
      const { clientSecret } = await keyturn().createKey({ permissions });
      const { status, body } = await keyturn().exchange(clientSecret, { scope });
      expect(status).toBe(200);
      const sorted = (text: string) => text.split(' ').sort();
      expect(sorted(body.scope)).toEqual(sorted(expected));
      expect(sorted(claimsOf(body.access_token).scope)).toEqual(sorted(expected));
    });

    it.each([
      ['read:credential', 'read:credential'],
      ['read:credential/*', 'read:credential/*'],
      ['read:credential/prod-db delete:stack', 'delete:stack'],
      ['*:*', '*:*'],
      ['create:keyturn/api-key', 'create:keyturn/api-key'],
      ['not-a-permission', 'not-a-permission'],
      ['read:a//b', 'read:a//b'],
      ['READ:a', 'READ:a'],
    ])('%j is invalid_scope, which names %j', async (scope, named) => {
      const { clientSecret } = await keyturn().createKey({ permissions });
      const { status, body } = await keyturn().exchange(clientSecret, { scope });
      expect({ status, error: body.error }).toEqual({ status: 400, error: 'invalid_scope' });
      expect(body.error_description).toContain(named);
    });

    it('left out by a key without permissions gives a token without a scope', async () => {
      const { clientSecret } = await keyturn().createKey();
      const { status, body } = await keyturn().exchange(clientSecret);
      expect(status).toBe(200);
      expect(body).not.toHaveProperty('scope');
      expect(claimsOf(body.access_token)).not.toHaveProperty('scope');
    });
  });

  it.each([
    ['the issuer', (server: Keyturn) => server.url, 200],
    ['an unknown audience', () => 'https://elsewhere.example', 400],
    ['the issuer with a slash more', (server: Keyturn) => `${server.url}/`, 400],
  ])('takes a resource of %s for what it is', async (_, resourceOf, status) => {
    const reply = await keyturn().exchange(undefined, { resource: resourceOf(keyturn()) });
    expect(reply.status).toBe(status);
    if (status === 200) expect(claimsOf(reply.body.access_token).aud).toBe(keyturn().url);
    else expect(reply.body.error).toBe('invalid_target');
  });

  it('serves addresses of the allowlist and no others, as a trusted proxy tells them', async () => {
    const { clientSecret } = await keyturn().createKey({ ip_allowlist: ['203.0.113.0/24', '2001:db8::/32'] });
    const statusFrom = async (ip: string) => (await exchangeFrom(ip, clientSecret)).status;
    expect(await statusFrom('203.0.113.9')).toBe(200);
    expect(await statusFrom('2001:db8:1::1')).toBe(200);
    expect(await statusFrom('::ffff:203.0.113.9')).toBe(200);
    expect(await statusFrom('198.51.100.1, 203.0.113.9')).toBe(200);
    expect(await statusFrom('203.0.114.9')).toBe(401);
    expect(await statusFrom('203.0.113.9, 198.51.100.1')).toBe(401);
    expect(await statusFrom('203.0.113.9, nonsense')).toBe(401);
    expect((await keyturn().exchange(clientSecret)).status).toBe(401);
  });

  it('refuses a key once its time is up, to the millisecond, and shortens tokens that would outlive it', async () => {
    const { clientSecret } = await expiringIn(3_600_000);
    const { body } = await keyturn().exchange(clientSecret);
    const { iat, exp } = claimsOf(body.access_token);
    expect(body.expires_in).toBeGreaterThan(3590);
    expect(body.expires_in).toBeLessThanOrEqual(3600);
    expect(exp - iat).toBe(body.expires_in);
    expect(body.refresh_token_expires_in).toBeLessThanOrEqual(3600);
    const after = await later(3_600_001, () => keyturn().exchange(clientSecret));
    expect({ status: after.status, error: after.body.error }).toEqual({ status: 401, error: 'invalid_client' });
    expect(after.body.error_description).toContain('expired');
  });

  it('gives no refresh token and no session for a key that switched them off', async () => {
    const { clientSecret } = await keyturn().createKey({ refresh_tokens: false });
    const { status, body } = await keyturn().exchange(clientSecret);
    expect(status).toBe(200);
    expect(body).not.toHaveProperty('refresh_token');
    expect(body).not.toHaveProperty('refresh_token_expires_in');
    expect(claimsOf(body.access_token)).not.toHaveProperty('sid');
  });

  it('refuses a revoked key at once, a restored one no longer, a deleted one for good', async () => {
    const { id, clientSecret } = await keyturn().createKey();
    const path = `/v1/projects/default/keys/${id}`;
    const statuses = [(await keyturn().exchange(clientSecret)).status];
    for (const change of [
      () => keyturn().api('PATCH', path, { is_valid: false }),
      () => keyturn().api('PATCH', path, { is_valid: true }),
      () => keyturn().api('DELETE', path),
    ]) {
      await change();
      statuses.push((await keyturn().exchange(clientSecret)).status);
    }
    expect(statuses).toEqual([200, 401, 200, 401]);
  });

  it('shows afterwards when a key was used and why it was denied', async () => {
    const { id, clientSecret } = await keyturn().createKey({ ip_allowlist: ['203.0.113.0/24'] });
    await exchangeFrom('203.0.113.9', clientSecret);
    await exchangeFrom('198.51.100.1', clientSecret);
    const path = `/v1/projects/default/keys/${id}`;
    let shown = (await keyturn().api('GET', path)).body;
    // Written in batches: there is no moment to wait for but its being there.
    for (let attempt = 0; attempt < 200 && shown.last_denied_at === null; attempt += 1) {
      await new Promise((resolve) => setTimeout(resolve, 25));
      shown = (await keyturn().api('GET', path)).body;
    }
    expect(shown).toMatchObject({ last_used_ip: '203.0.113.9', last_denied_reason: 'ip_not_allowed' });
    expect(Date.parse(shown.last_used_at)).toBeLessThanOrEqual(Date.parse(shown.last_denied_at));
  });
});

describe('without trusted proxies', () => {
  const keyturn = keyturnFor(sqliteStorage);

  it.each(['x-forwarded-for', 'forwarded', 'x-real-ip', 'x-client-ip', 'true-client-ip', 'cf-connecting-ip'])(
    '%s moves nobody into an allowlist',
    async (name) => {
      const { clientSecret } = await keyturn().createKey({ ip_allowlist: ['203.0.113.0/24'] });
      const value = name === 'forwarded' ? 'for=203.0.113.1' : '203.0.113.1';
      const headers = { 'x-api-key': clientSecret, [name]: value };
      expect((await keyturn().token({ grant_type: 'client_credentials' }, headers)).status).toBe(401);
    },
  );
});
