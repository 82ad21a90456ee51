/** RFC 6749 as it binds a token endpoint with client_credentials and refresh_token: one test for each MUST or SHOULD. */
import { describe, expect, it } from '@jest/globals';
import { keyturnFor } from '../support/keyturn-server.ts';
import { keyturnStorages, sqliteStorage } from '../support/keyturn-storage.ts';

const GRANT = { grant_type: 'client_credentials' };
const basic = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`,
});

describe.each(keyturnStorages)('RFC 6749 on $name', (kind) => {
  const keyturn = keyturnFor(kind);
  const fetchToken = (init: RequestInit, query = '') => fetch(`${keyturn().url}/oauth/token${query}`, init);

  it('§2.3 MUST NOT let a client use more than one way of authenticating in a request', async () => {
    const { clientId, clientSecret } = await keyturn().createKey();
    const { status, body } = await keyturn().token(
      { ...GRANT, client_secret: clientSecret },
      basic(clientId, clientSecret),
    );
    expect([status, body.error]).toEqual([400, 'invalid_request']);
  });

  it('§2.3.1 MUST support HTTP Basic, client_id as user name, both form-encoded', async () => {
    const { clientId, clientSecret } = await keyturn().createKey({ client_secret: 'Sp%41ce +:é1' });
    expect((await keyturn().token(GRANT, basic(clientId, clientSecret))).status).toBe(200);
  });

  it('§2.3.1 MAY take client_id and client_secret in the body, and MUST NOT take them from the URL', async () => {
    const { clientId, clientSecret } = await keyturn().createKey();
    const credentials = { client_id: clientId, client_secret: clientSecret };
    expect((await keyturn().token({ ...GRANT, ...credentials })).status).toBe(200);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = 'grant_type=client_credentials';
    const inUrl = await fetchToken({ method: 'POST', headers, body }, `?${new URLSearchParams(credentials)}`);
    expect(inUrl.status).toBe(400);
  });

  it('§3.2 MUST be used with POST', async () => {
    const response = await fetchToken({ method: 'GET' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it('§3.2 parameters without a value MUST be treated as if they were left out', async () => {
    const { clientSecret } = await keyturn().createKey({ permissions: ['read:a'] });
    const { status, body } = await keyturn().exchange(clientSecret, { scope: '', resource: '' });
    expect([status, body.scope]).toEqual([200, 'read:a']);
    expect((await keyturn().token({ grant_type: '', client_secret: clientSecret })).body.error).toBe('invalid_request');
  });

  it('§3.2 MUST ignore parameters that it does not know', async () => {
    const { clientSecret } = await keyturn().createKey();
    expect((await keyturn().exchange(clientSecret, { unknown: 'x', audience: 'y' })).status).toBe(200);
  });

  it('§3.2 parameters MUST NOT be sent more than once', async () => {
    const { status, body } = await keyturn().token('grant_type=client_credentials&grant_type=client_credentials');
    expect([status, body.error]).toEqual([400, 'invalid_request']);
  });

  it('§3.3 scope is a list of case-sensitive values with a space between, whatever their order', async () => {
    const { clientSecret } = await keyturn().createKey({ permissions: ['read:a', 'read:b'] });
    for (const scope of ['read:a read:b', 'read:b read:a']) {
      const { body } = await keyturn().exchange(clientSecret, { scope });
      expect(body.scope.split(' ').sort()).toEqual(['read:a', 'read:b']);
    }
    expect((await keyturn().exchange(clientSecret, { scope: 'read:A' })).body.error).toBe('invalid_scope');
  });

  it('§3.3 MUST tell the scope when it is not what was asked for', async () => {
    const { clientSecret } = await keyturn().createKey({ permissions: ['read:a', 'read:b'] });
    expect((await keyturn().exchange(clientSecret)).body.scope.split(' ').sort()).toEqual(['read:a', 'read:b']);
  });

  it('§4.4 MUST only be used by clients that can authenticate', async () => {
    const { clientId } = await keyturn().createKey();
    for (const form of [GRANT, { ...GRANT, client_id: clientId }]) {
      const { status, body } = await keyturn().token(form);
      expect([status, body.error]).toEqual([401, 'invalid_client']);
    }
  });

  it('§5.1 MUST answer with access_token, token_type and JSON, and SHOULD with expires_in', async () => {
    const { status, headers, body } = await keyturn().exchange();
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json;charset=UTF-8');
    expect(body).toMatchObject({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: expect.any(Number),
    });
  });

  it('§5.1 MUST be sent with Cache-Control: no-store and Pragma: no-cache', async () => {
    const { headers } = await keyturn().exchange();
    expect([headers.get('cache-control'), headers.get('pragma')]).toEqual(['no-store', 'no-cache']);
  });

  it.each([
    ['invalid_request', 400, { grant_type: 'refresh_token' }],
    ['unsupported_grant_type', 400, { grant_type: 'authorization_code', code: 'x' }],
    ['unsupported_grant_type', 400, { grant_type: 'password', username: 'x', password: 'y' }],
    ['invalid_grant', 400, { grant_type: 'refresh_token', refresh_token: 'x' }],
    ['invalid_client', 401, { ...GRANT, client_id: 'x', client_secret: 'Wrong-Secret-1' }],
  ] as const)(
    '§5.2 MUST answer %s with %i, JSON, and error_description within its characters',
    async (error, status, form) => {
      const reply = await keyturn().token(form);
      expect([reply.status, reply.body.error]).toEqual([status, error]);
      expect(reply.headers.get('content-type')).toMatch(/^application\/json/);
      expect(reply.headers.get('cache-control')).toBe('no-store');
      expect(reply.body.error_description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
      expect(reply.body.error_uri).toMatch(/^[\x21\x23-\x5b\x5d-\x7e]+$/);
    },
  );

  it('§5.2 error_description MUST keep within its characters when it names what was sent', async () => {
    const { body } = await keyturn().exchange(undefined, { scope: '"\\é\u{1f600}' });
    expect(body.error).toBe('invalid_scope');
    expect(body.error_description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
  });

  it('§5.2 MUST answer 401 with WWW-Authenticate of the scheme that the client used', async () => {
    const { status, headers } = await keyturn().token(GRANT, basic('x', 'Wrong-Secret-1'));
    expect([status, headers.get('www-authenticate')]).toEqual([401, expect.stringMatching(/^Basic realm="/)]);
  });

  it('§5.2 MUST answer invalid_scope when it exceeds what may be granted', async () => {
    const { clientSecret } = await keyturn().createKey({ permissions: ['read:a'] });
    const { status, body } = await keyturn().exchange(clientSecret, { scope: 'read:a read:b' });
    expect([status, body.error]).toEqual([400, 'invalid_scope']);
  });

  it('§6 MUST authenticate the client if it says who it is', async () => {
    const { clientId, clientSecret } = await keyturn().createKey();
    const { body } = await keyturn().exchange(clientSecret);
    const wrong = await keyturn().refresh(body.refresh_token, { client_id: clientId, client_secret: 'Wrong-Secret-1' });
    expect([wrong.status, wrong.body.error]).toEqual([401, 'invalid_client']);
  });

  it('§6 MUST make sure that the refresh token was issued to the client that authenticates', async () => {
    const other = await keyturn().createKey();
    const { body } = await keyturn().exchange();
    const { status, body: refused } = await keyturn().refresh(body.refresh_token, {
      client_secret: other.clientSecret,
    });
    expect([status, refused.error]).toEqual([400, 'invalid_grant']);
  });

  it('§6 scope MUST NOT hold what was not granted at first, and left out is all of that', async () => {
    const { clientSecret } = await keyturn().createKey({ permissions: ['read:a', 'read:b'] });
    const { body } = await keyturn().exchange(clientSecret, { scope: 'read:a' });
    expect((await keyturn().refresh(body.refresh_token, { scope: 'read:b' })).body.error).toBe('invalid_scope');
    expect((await keyturn().refresh(body.refresh_token)).body.scope).toBe('read:a');
  });

  it('§6 a new refresh token MUST have the scope of the one before, whatever the access token was narrowed to', async () => {
    const { clientSecret } = await keyturn().createKey({ permissions: ['read:a', 'read:b'] });
    const { body } = await keyturn().exchange(clientSecret);
    const narrowed = await keyturn().refresh(body.refresh_token, { scope: 'read:a' });
    const { body: whole } = await keyturn().refresh(narrowed.body.refresh_token);
    expect(whole.scope.split(' ').sort()).toEqual(['read:a', 'read:b']);
  });

  it('§10.10 refresh tokens MUST NOT be guessable: 500 that are nearly right are all refused', async () => {
    const { body } = await keyturn().exchange();
    const token: string = body.refresh_token;
    const guesses = Array.from({ length: 500 }, (_, index) => {
      const tail = Buffer.from(token.slice(4), 'base64url');
      tail.writeUInt32BE((tail.readUInt32BE(56) + index + 1) >>> 0, 56);
      return `ktr_${tail.toString('base64url')}`;
    });
    const statuses = await Promise.all(guesses.map(async (guess) => (await keyturn().refresh(guess)).status));
    expect(new Set(statuses)).toEqual(new Set([400]));
    expect((await keyturn().refresh(token)).status).toBe(200);
  });
});

// What is beside the stores: once is enough, bcrypt being slow.
describe('RFC 6749 on whatever store', () => {
  const keyturn = keyturnFor(sqliteStorage);

  it('§2.3.1 MUST protect against brute force: a wrong secret is refused however often it is tried', async () => {
    const { clientId } = await keyturn().createKey();
    const replies = await Promise.all(
      Array.from({ length: 100 }, (_, index) => keyturn().token(GRANT, basic(clientId, `Wrong-Secret-${index}`))),
    );
    const statuses = new Set(replies.map(({ status }) => status));
    expect([...statuses].every((status) => status === 401 || status === 429)).toBe(true);
    // The queue of bcrypt is bounded: what is beyond it is told when to come back.
    const busy = replies.find(({ status }) => status === 429);
    expect(busy?.headers.get('retry-after')).toMatch(/^[1-9]$/);
  });
});
