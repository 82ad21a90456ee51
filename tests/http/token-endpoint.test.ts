import { describe, expect, it } from '@jest/globals';
import { type Keyturn, keyturnFor, type Reply, readReply } from '../support/keyturn-server.ts';
import { sqliteStorage } from '../support/keyturn-storage.ts';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const send = async (keyturn: Keyturn, method: string, path: string, headers = {}, body: string | null = null) =>
  readReply(await fetch(keyturn.url + path, { method, headers, body }));

/** A request for each way to be refused that needs no fault; what is in front of the stores is the same on all of them. */
const REFUSALS: Readonly<Record<string, (keyturn: Keyturn) => Promise<Reply>>> = {
  method_not_allowed: (keyturn) => send(keyturn, 'GET', '/oauth/token'),
  body_not_form: (keyturn) => send(keyturn, 'POST', '/oauth/token', { 'content-type': 'application/json' }, '{}'),
  body_too_large: (keyturn) => keyturn.token('a'.repeat(70_000)),
  body_malformed: (keyturn) => keyturn.token('grant_type=%'),
  parameters_in_url: (keyturn) => send(keyturn, 'POST', '/oauth/token?grant_type=client_credentials', FORM, ''),
  parameter_repeated: (keyturn) => keyturn.token('scope=a&scope=b'),
  grant_type_missing: (keyturn) => keyturn.token(''),
  grant_type_unsupported: (keyturn) => keyturn.token({ grant_type: 'password' }),
  refresh_token_missing: (keyturn) => keyturn.token({ grant_type: 'refresh_token' }),
  scope_malformed: (keyturn) => keyturn.exchange(undefined, { scope: 'x' }),
  scope_not_held: async (keyturn) => keyturn.exchange((await keyturn.createKey()).clientSecret, { scope: 'read:a' }),
  target_unknown: (keyturn) => keyturn.exchange(undefined, { resource: 'https://elsewhere.example' }),
  client_authentication_repeated: (keyturn) => keyturn.exchange(undefined, { client_secret: 'x' }),
  client_authentication_missing: (keyturn) => keyturn.token({ grant_type: 'client_credentials' }),
  client_authentication_unsupported: (keyturn) =>
    keyturn.token('grant_type=client_credentials', { authorization: 'Bearer a' }),
  client_unproven: (keyturn) => keyturn.exchange('ktk_x'),
  refresh_token_invalid: (keyturn) => keyturn.refresh('ktr_x'),
  refresh_token_reused: async (keyturn) => {
    const { body } = await keyturn.exchange();
    await keyturn.refresh(body.refresh_token);
    return keyturn.refresh(body.refresh_token);
  },
};

describe('POST /oauth/token', () => {
  const keyturn = keyturnFor(sqliteStorage);

  it.each(Object.entries(REFUSALS))(
    'refuses by the name %s, on a page that exists, and uncached',
    async (name, refuse) => {
      const { status, headers, body } = await refuse(keyturn());
      expect(body.error_uri).toBe(`${keyturn().url}/errors/${name}`);
      expect(Object.keys(body)).toEqual(['error', 'error_description', 'error_uri', 'request_id']);
      expect(body.request_id).toBe(headers.get('x-request-id'));
      expect([headers.get('cache-control'), headers.get('pragma')]).toEqual(['no-store', 'no-cache']);
      expect(headers.get('content-type')).toBe('application/json;charset=UTF-8');
      expect(headers.get('www-authenticate')).toBe(status === 401 ? 'Basic realm="keyturn", charset="UTF-8"' : null);
      const page = await send(keyturn(), 'GET', new URL(body.error_uri).pathname);
      expect(page.status).toBe(200);
      expect(page.headers.get('content-type')).toMatch(/^text\/html/);
      expect(page.text).toContain(`${status}`);
      expect(page.text).toContain(body.error);
    },
  );

  it.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('answers %s with 405 and Allow', async (method) => {
    const { status, headers } = await send(keyturn(), method, '/oauth/token');
    expect([status, headers.get('allow'), headers.get('cache-control')]).toEqual([405, 'POST', 'no-store']);
  });

  it.each([
    'client_secret=x',
    'grant_type=client_credentials',
    'refresh_token=x',
    'x=1&client_id=y',
    'CLIENT_SECRET=x',
    'a',
  ])('refuses the query ?%s, or does as if it were not there', async (query) => {
    const { status, body } = await send(
      keyturn(),
      'POST',
      `/oauth/token?${query}`,
      FORM,
      'grant_type=client_credentials',
    );
    expect([status, body.error]).toEqual(
      /^(client|grant|refresh|x)/.test(query) ? [400, 'invalid_request'] : [401, 'invalid_client'],
    );
  });

  it('lists every page of the catalogue, and each link leads to one', async () => {
    const { text } = await send(keyturn(), 'GET', '/errors');
    const links = [...text.matchAll(/href="([^"]+)"/g)].map(([, href]) => href ?? '');
    expect(links.length).toBeGreaterThan(Object.keys(REFUSALS).length);
    for (const link of links)
      expect((await send(keyturn(), 'GET', new URL(link, `${keyturn().url}/errors`).pathname)).status).toBe(200);
    expect((await send(keyturn(), 'GET', '/errors/nothing')).status).toBe(404);
  });

  it('takes the request id of a proxy, and makes its own of anything else', async () => {
    const idFor = async (given: string) =>
      (await send(keyturn(), 'POST', '/oauth/token', { ...FORM, 'x-request-id': given }, '')).body.request_id;
    expect(await idFor('trace-0123456789')).toBe('trace-0123456789');
    for (const bad of ['short', 'with space in it', '"quoted-and-long"', 'a'.repeat(129)])
      expect(await idFor(bad)).toMatch(/^req_[0-9a-z]{26}$/);
  });

  it('goes on with the next request after a client went away in the middle of its body', async () => {
    const controller = new AbortController();
    const body = new ReadableStream({
      start: (stream) => {
        stream.enqueue(new TextEncoder().encode('grant_type='));
      },
    });
    const request = { method: 'POST', headers: FORM, body, duplex: 'half' as const, signal: controller.signal };
    const sent = fetch(`${keyturn().url}/oauth/token`, request);
    controller.abort();
    await expect(sent).rejects.toThrow();
    expect((await keyturn().exchange()).status).toBe(200);
    expect(keyturn().logLines.filter((line) => JSON.parse(line).level >= 50)).toEqual([]);
  });
});

describe('GET /.well-known', () => {
  const keyturn = keyturnFor(sqliteStorage);

  it('publishes public keys only', async () => {
    const { status, headers, body } = await send(keyturn(), 'GET', '/.well-known/jwks.json');
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toMatch(/max-age=\d+/);
    expect(body.keys.length).toBeGreaterThan(0);
    for (const key of body.keys) {
      expect(key).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig', kid: expect.any(String) });
      for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(key).not.toHaveProperty(member);
    }
  });

  it('describes the server under both names alike', async () => {
    const [oauth, openid] = [
      await send(keyturn(), 'GET', '/.well-known/oauth-authorization-server'),
      await send(keyturn(), 'GET', '/.well-known/openid-configuration'),
    ];
    expect(oauth.body).toEqual(openid.body);
    expect(oauth.body).toMatchObject({
      issuer: keyturn().url,
      token_endpoint: `${keyturn().url}/oauth/token`,
      jwks_uri: `${keyturn().url}/.well-known/jwks.json`,
      grant_types_supported: ['client_credentials', 'refresh_token'],
    });
    expect((await send(keyturn(), 'POST', '/.well-known/jwks.json')).headers.get('allow')).toBe('GET, HEAD');
  });
});
