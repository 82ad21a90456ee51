import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createVerifier, VerificationError, type Verifier } from '@keyturn/lib';
import { type AuthenticateOptions, accessTokenOf, authenticate, requirePermission } from '@keyturn/lib/express';
import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express';
import request from 'supertest';
import { AUDIENCE, createKey, FakeClock, ISSUER, signToken } from '../verifier/forge.ts';

const key = createKey();
const token = signToken(key);
const verifier = createVerifier({
  issuer: ISSUER,
  audience: AUDIENCE,
  jwks: { keys: [key.jwk] },
  clock: new FakeClock(),
});
const withoutKeys = createVerifier({
  issuer: ISSUER,
  audience: AUDIENCE,
  jwks: () => ({ keys: [] }),
  clock: new FakeClock(),
});

function appOf(options: AuthenticateOptions = {}, by: Verifier = verifier): Express {
  const app = express();
  app.use(express.urlencoded({ extended: true }), express.json());
  app.use(authenticate(by, options));
  app.all('/whoami', (req, res) => void res.json({ keyId: req.auth?.keyId, same: accessTokenOf(req) === req.auth }));
  app.get('/credentials/:id', requirePermission('read:credential/:id'), (_req, res) => void res.end('shown'));
  return app;
}

const get = (app: Express, path: string, authorization?: string) => {
  const call = request(app).get(path);
  return authorization === undefined ? call : call.set('Authorization', authorization);
};

describe('authenticate', () => {
  test.each(['Bearer', 'bearer', 'BEARER', 'Bearer  '])('takes the token behind %j', async (scheme) => {
    const answer = await get(appOf(), '/whoami', `${scheme} ${token}`);
    expect([answer.status, answer.body]).toEqual([200, { keyId: 'key_01jd0000000000000000000000', same: true }]);
  });

  test.each([undefined, '', `Basic ${token}`, `DPoP ${token}`, `Bearer${token}`, token])(
    'without bearer credentials (%#): 401, and a challenge without error code',
    async (authorization) => {
      const answer = await get(appOf(), '/whoami', authorization);
      expect(answer.status).toBe(401);
      expect(answer.headers).toMatchObject({
        'www-authenticate': `Bearer realm="${ISSUER}"`,
        'cache-control': 'no-store',
        'content-type': 'application/json; charset=utf-8',
      });
      expect(answer.body).toEqual({
        error: 'invalid_token',
        error_description: expect.any(String),
        code: 'token_missing',
      });
    },
  );

  test.each([
    'Bearer',
    'Bearer ',
    `Bearer ${token} x`,
    `Bearer ${token}, Bearer ${token}`,
    `Bearer \t${token}`,
    `Bearer ${token}\u00a0`,
  ])('a malformed header (%#): 400', async (authorization) => {
    const answer = await get(appOf(), '/whoami', authorization);
    expect(answer.status).toBe(400);
    expect(answer.headers['www-authenticate']).toContain('error="invalid_request"');
    expect(answer.body).toMatchObject({ error: 'invalid_request', code: 'invalid_request' });
  });

  test('an invalid token: 401 that says why', async () => {
    const answer = await get(appOf(), '/whoami', `Bearer ${signToken(key, { exp: 1 })}`);
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe(
      `Bearer realm="${ISSUER}", error="invalid_token", error_description="the token has expired"`,
    );
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.body).toEqual({
      error: 'invalid_token',
      error_description: 'the token has expired',
      code: 'token_expired',
    });
  });

  test('without keys: 503 with Retry-After and no challenge', async () => {
    const answer = await get(appOf({}, withoutKeys), '/whoami', `Bearer ${token}`);
    expect(answer.status).toBe(503);
    expect(answer.headers).toMatchObject({ 'retry-after': '30', 'cache-control': 'no-store' });
    expect(answer.headers).not.toHaveProperty('www-authenticate');
    expect(answer.body).toMatchObject({ error: 'temporarily_unavailable', code: 'keys_unavailable' });
  });

  describe('on a raw connection', () => {
    const servers: { close: () => void }[] = [];
    afterEach(() => {
      for (const server of servers.splice(0)) server.close();
    });

    test.each([
      ['Authorization', 'authorization'],
      ['AUTHORIZATION', 'Authorization'],
    ])('two headers, %s and %s: 400, whichever is valid', async (first, second) => {
      const server = appOf().listen(0, '127.0.0.1');
      servers.push(server);
      await new Promise((resolve) => server.once('listening', resolve));
      const { port } = server.address() as AddressInfo;
      for (const values of [
        [token, 'x'],
        ['x', token],
        [token, token],
      ]) {
        const lines = [`${first}: Bearer ${values[0]}`, `${second}: Bearer ${values[1]}`];
        const text = `GET /whoami HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${lines.join('\r\n')}\r\n\r\n`;
        expect(await statusLineOf(port, text)).toBe('HTTP/1.1 400 Bad Request');
      }
    });
  });

  test('a mistake in clientIp reaches the error handler, and nobody passes', async () => {
    const app = express();
    app.use(
      authenticate(verifier, {
        clientIp: () => {
          throw new Error('mistake');
        },
      }),
    );
    app.get('/', (_req, res) => void res.end('in'));
    const onError: ErrorRequestHandler = (error, _req, res, _next) => void res.status(500).end(String(error));
    app.use(onError);
    expect((await get(app, '/', `Bearer ${token}`)).text).toBe('Error: mistake');
  });

  test('a mistake in a verifier reaches the error handler, and nobody passes', async () => {
    const verify = (): Promise<never> => Promise.reject(new Error('mistake'));
    const app = express().use(authenticate({ issuer: ISSUER, verify }));
    app.get('/', (_req, res) => void res.end('in'));
    const onError: ErrorRequestHandler = (error, _req, res, _next) => void res.status(500).end(String(error));
    app.use(onError);
    expect((await get(app, '/', `Bearer ${token}`)).text).toBe('Error: mistake');
  });

  test.each<[string, string]>([
    ['a "quoted" \\ realm', 'a \\"quoted\\" \\\\ realm'],
    ['line\r\nSet-Cookie: a=b', 'line??Set-Cookie: a=b'],
    ['caf\u00e9', 'caf?'],
  ])('realm %j can not leave its quotes', async (realm, escaped) => {
    const answer = await get(appOf({ realm }), '/whoami');
    expect(answer.headers['www-authenticate']).toBe(`Bearer realm="${escaped}"`);
    expect(answer.headers).not.toHaveProperty('set-cookie');
  });

  test('a message of a verifier can not leave its quotes', async () => {
    const error = new VerificationError('token_expired', 'a "b" \\\r\nSet-Cookie: caf\u00e9');
    const answer = await get(appOf({}, { issuer: ISSUER, verify: () => Promise.reject(error) }), '/whoami', 'Bearer x');
    expect(answer.headers['www-authenticate']).toContain(`error_description="a 'b' '''Set-Cookie: caf'"`);
    expect(answer.headers).not.toHaveProperty('set-cookie');
  });

  test('respond writes the body; status and headers stay', async () => {
    const app = appOf({
      respond: (res, failure) => {
        res.type('application/problem+json');
        res.end(
          JSON.stringify({
            status: failure.status,
            code: failure.code,
            required_permission: failure.requiredPermission,
          }),
        );
      },
    });
    const denied = await get(app, '/credentials/staging-db', `Bearer ${token}`);
    expect(denied.status).toBe(403);
    expect(denied.headers['content-type']).toContain('application/problem+json');
    expect(denied.headers['www-authenticate']).toContain('insufficient_scope');
    expect(JSON.parse(denied.text)).toEqual({
      status: 403,
      code: 'permission_missing',
      required_permission: 'read:credential/staging-db',
    });
    const missing = await get(app, '/whoami');
    expect([missing.status, JSON.parse(missing.text).code]).toEqual([401, 'token_missing']);
  });

  test.each<[object, RegExp]>([
    [{ trustedProxies: true }, /forge/],
    [{ trustedProxies: 1 }, /forge/],
    [{ trustedProxies: 'loopback' }, /forge/],
    [{ trustedProxies: ['loopback'] }, /trustedProxies/],
    [{ trustedProxies: [7] }, /trustedProxies/],
    [{ trustedProxies: ['10/8'] }, /trustedProxies/],
    [{ trustedProxies: ['0.0.0.0/0'] }, /everyone/],
    [{ trustedProxies: ['::/0'] }, /everyone/],
    [{ trustedProxies: ['10.0.0.0/8'], clientIp: () => null }, /exclude/],
    [{ clientIp: '10.0.0.1' }, /clientIp/],
    [{ realm: 7 }, /realm/],
    [{ respond: 'json' }, /respond/],
  ])('%j: TypeError', (options, message) => {
    expect(() => authenticate(verifier, options as AuthenticateOptions)).toThrow(TypeError);
    expect(() => authenticate(verifier, options as AuthenticateOptions)).toThrow(message);
  });
});

describe('a token that was seen before', () => {
  test('is let in from its own address alone, in any order', async () => {
    const bound = `Bearer ${signToken(key, { jti: 'seen', ip_allowlist: ['203.0.113.0/24'] })}`;
    const app = appOf({ trustedProxies: ['127.0.0.0/8', '::1'] });
    for (const [forwarded, status] of [
      ['203.0.113.7', 200],
      ['203.0.113.7', 200],
      ['6.6.6.6', 401],
      ['203.0.113.8', 200],
      ['unknown', 401],
      ['203.0.113.7', 200],
    ] as const) {
      expect((await get(app, '/whoami', bound).set('X-Forwarded-For', forwarded)).status).toBe(status);
    }
  });

  test('goes on to the route in the same turn', async () => {
    const own = createVerifier({
      issuer: ISSUER,
      audience: AUDIENCE,
      jwks: { keys: [key.jwk] },
      clock: new FakeClock(),
    });
    const authorization = `Bearer ${token}`;
    const req = { headers: { authorization }, rawHeaders: ['Authorization', authorization], url: '/', socket: {} };
    const callNext = (next: () => void) => authenticate(own)(req as unknown as Request, {} as Response, next);
    let calls = 0;
    await new Promise<void>((resolve) => {
      callNext(() => {
        calls += 1;
        resolve();
      });
      expect(calls).toBe(0);
    });
    callNext(() => {
      calls += 1;
    });
    expect(calls).toBe(2);
  });

  test('is held against the permission of each route', async () => {
    const app = appOf();
    for (const [id, status] of [
      ['prod-db', 200],
      ['staging-db', 403],
      ['prod-db', 200],
      ['prod-*', 403],
    ] as const) {
      expect((await get(app, `/credentials/${id}`, `Bearer ${token}`)).status).toBe(status);
    }
  });

  test('is refused in the way of the middleware that let it in, though others share the verifier', async () => {
    const pathOf = (name: string): AuthenticateOptions => ({ realm: name, respond: (res) => void res.end(name) });
    const app = express();
    for (const name of ['a', 'b']) {
      app.use(`/${name}`, authenticate(verifier, pathOf(name)), requirePermission('delete:credential'));
    }
    app.use('/c', authenticate(verifier), requirePermission('delete:credential'));
    app.use('/d', authenticate(verifier, { realm: 'd' }), requirePermission('delete:credential'));
    for (const name of ['a', 'b', 'c', 'd', 'a', 'c', 'd']) {
      const answer = await get(app, `/${name}`, `Bearer ${token}`);
      expect(answer.status).toBe(403);
      expect(answer.headers['www-authenticate']).toContain(`realm="${name === 'c' ? ISSUER : name}"`);
      if (name < 'c') expect(answer.text).toBe(name);
    }
  });

  test('is shown to whatever stands in front of verify, every time', async () => {
    const seen: unknown[] = [];
    const own = createVerifier({
      issuer: ISSUER,
      audience: AUDIENCE,
      jwks: { keys: [key.jwk] },
      clock: new FakeClock(),
    });
    const { verify } = own;
    const wrapped: Verifier = {
      ...own,
      verify(text, context) {
        seen.push(text);
        return seen.length < 3
          ? verify(text, context)
          : Promise.reject(new VerificationError('key_unknown', 'taken out by hand'));
      },
    };
    const statuses: number[] = [];
    for (const by of [own, wrapped, wrapped, wrapped]) {
      statuses.push((await get(appOf({}, by), '/whoami', `Bearer ${token}`)).status);
    }
    expect(statuses).toEqual([200, 200, 200, 401]);
    own.verify = wrapped.verify;
    expect((await get(appOf({}, own), '/whoami', `Bearer ${token}`)).status).toBe(401);
    expect(seen).toEqual([token, token, token, token]);
  });

  test.each(['a token that is remembered', 'one that is not'])(
    '%s: what a route or respond throws is handled once',
    async (kind) => {
      const own = createVerifier({
        issuer: ISSUER,
        audience: AUDIENCE,
        jwks: { keys: [key.jwk] },
        clock: new FakeClock(),
        rememberedTokens: kind === 'one that is not' ? null : 10,
      });
      await own.verify(token, { ip: null });
      const errors: string[] = [];
      const onError: ErrorRequestHandler = (error, _req, res, _next) => {
        errors.push(String(error));
        res.status(500).end();
      };
      const mistake = (): never => {
        throw new Error('mistake');
      };
      const app = express();
      app.get('/route', authenticate(own), mistake);
      app.get('/respond', authenticate(own, { respond: mistake, clientIp: () => null }));
      app.use(onError);
      expect((await get(app, '/route', `Bearer ${token}`)).status).toBe(500);
      const bound = signToken(key, { ip_allowlist: ['203.0.113.7'] });
      await own.verify(bound, { ip: '203.0.113.7' });
      await get(app, '/respond', `Bearer ${bound}`);
      expect(errors).toEqual(['Error: mistake', 'Error: mistake']);
    },
  );
});

describe('the address of the caller', () => {
  const bound = `Bearer ${signToken(key, { ip_allowlist: ['203.0.113.0/24'] })}`;
  const local = `Bearer ${signToken(key, { ip_allowlist: ['127.0.0.1', '::1'] })}`;

  test('is the peer: X-Forwarded-For is not believed', async () => {
    const spoofed = await get(appOf(), '/whoami', bound).set('X-Forwarded-For', '203.0.113.7');
    expect([spoofed.status, spoofed.body.code]).toEqual([401, 'ip_not_allowed']);
    expect((await get(appOf(), '/whoami', local).set('X-Forwarded-For', '203.0.113.7')).status).toBe(200);
  });

  test('is not what Express says by its own setting', async () => {
    const app = express()
      .set('trust proxy', 1)
      .use(authenticate(verifier))
      .get('/', (_req, res) => void res.end());
    expect((await get(app, '/', bound).set('X-Forwarded-For', '203.0.113.7')).status).toBe(401);
  });

  test.each<[string, number]>([
    ['203.0.113.7', 200],
    ['203.0.113.7, 127.0.0.1', 200],
    ['203.0.113.7, 6.6.6.6', 401],
    ['203.0.113.7, unknown', 401],
    ['203.0.113.7,', 401],
    ['203.0.113.07', 401],
  ])('from a trusted proxy that says %j: %i', async (forwarded, status) => {
    const app = appOf({ trustedProxies: ['127.0.0.0/8', '::1'] });
    expect((await get(app, '/whoami', bound).set('X-Forwarded-For', forwarded)).status).toBe(status);
  });

  test('may be told by clientIp; null is denied', async () => {
    const told = (ip: string | null) => appOf({ clientIp: (_req: Request) => ip });
    expect((await get(told('203.0.113.7'), '/whoami', bound)).status).toBe(200);
    expect((await get(told(null), '/whoami', bound)).body.code).toBe('ip_not_allowed');
  });
});

describe('requirePermission', () => {
  test.each<[string, number]>([
    ['prod-db', 200],
    ['prod-', 200],
    ['staging-db', 403],
    ['prod-db%2Fversion', 403],
    ['prod-*', 403],
    ['*', 403],
    ['%2A', 403],
    ['prod-db%00', 403],
    ['prod-db%0D%0ASet-Cookie%3A%20a', 403],
    ['prod-db%22', 403],
    ['prod-%C3%A9', 403],
    [`prod-${'x'.repeat(300)}`, 403],
    ['%2E%2E', 403],
  ])('/credentials/%s: %i', async (id, status) => {
    expect((await get(appOf(), `/credentials/${id}`, `Bearer ${token}`)).status).toBe(status);
  });

  test('names what is missing in body and challenge', async () => {
    const answer = await get(appOf(), '/credentials/staging-db', `Bearer ${token}`);
    expect(answer.body).toEqual({
      error: 'insufficient_scope',
      error_description: 'the access token does not have the permission that this needs',
      code: 'permission_missing',
      required_permission: 'read:credential/staging-db',
    });
    expect(answer.headers['www-authenticate']).toBe(
      `Bearer realm="${ISSUER}", error="insufficient_scope", error_description="the access token does not have the permission that this needs", scope="read:credential/staging-db"`,
    );
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  test('does not repeat what can not be a permission', async () => {
    const answer = await get(appOf(), '/credentials/%22%3Cb%3E', `Bearer ${token}`);
    expect(answer.status).toBe(403);
    expect(answer.body).toMatchObject({ error: 'insufficient_scope', code: 'permission_missing' });
    expect(answer.text + JSON.stringify(answer.headers)).not.toContain('<b>');
  });

  test.each<[string, string, string, number]>([
    ['read:credential/:id/version/:version', '/c/:id/:version', '/c/prod-db/3', 200],
    ['read:credential/:id/version/:version', '/c/:id/:version', '/c/staging-db/3', 403],
    ['update:credential/prod-db', '/c', '/c', 200],
    ['update:credential', '/c', '/c', 403],
    ['read::kind/prod-db', '/c/:kind', '/c/credential', 200],
    ['read:credential/:other', '/c/:id', '/c/prod-db', 403],
    ['read:credential/:constructor', '/c/:id', '/c/prod-db', 403],
    ['read:credential/:rest', '/c/*rest', '/c/prod-db', 403],
  ])('%s on %s: %s answers %4$i', async (permission, route, path, status) => {
    const app = express().use(authenticate(verifier));
    app.get(route, requirePermission(permission), (_req, res) => void res.end());
    expect((await get(app, path, `Bearer ${token}`)).status).toBe(status);
  });

  test.each([
    '',
    'read',
    'read:',
    ':id',
    'read:credential/',
    'read:credential/:',
    'read:credential/:i-d',
    'read:credential/x:id',
    'read:credential/:id*',
    'Read:credential',
    'read:a b',
    'read:a/b/c/d/e/f/g/h/:id',
    'read:credential\n',
  ])('%j: TypeError at once', (permission) => {
    expect(() => requirePermission(permission)).toThrow(TypeError);
  });

  test('of something else than text: TypeError', () => {
    for (const permission of [undefined, null, 7, ['read:credential']]) {
      expect(() => requirePermission(permission as unknown as string)).toThrow(TypeError);
    }
  });

  test('without authenticate in front: an error, never the route', async () => {
    const app = express();
    app.use((req, _res, next) => {
      Object.assign(req, { auth: { can: () => true } });
      next();
    });
    app.get('/', requirePermission('read:credential'), (_req, res) => void res.end('in'));
    const onError: ErrorRequestHandler = (error, _req, res, _next) => void res.status(500).end(String(error));
    app.use(onError);
    const answer = await get(app, '/', `Bearer ${token}`);
    expect([answer.status, answer.text]).toEqual([500, 'TypeError: this route must stand behind authenticate()']);
  });
});

async function statusLineOf(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.end(text);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString().split('\r\n')[0] ?? '';
}
