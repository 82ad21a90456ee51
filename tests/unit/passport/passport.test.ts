import { describe, expect, jest, test } from '@jest/globals';
import { AccessToken, createVerifier, type Verifier } from '@keyturn/lib';
import { requirePermission } from '@keyturn/lib/express';
import { type BearerStrategyOptions, createBearerStrategy } from '@keyturn/lib/passport';
import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express';
import passportModule from 'passport';
import { Strategy } from 'passport-http-bearer';
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

function appOf(by: Verifier = verifier, options: BearerStrategyOptions = {}): Express {
  const passport = new passportModule.Passport();
  passport.use(createBearerStrategy(by, options));
  const app = express();
  app.use(express.urlencoded({ extended: true }), express.json());
  app.use(passport.authenticate('bearer', { session: false }));
  app.all(
    '/',
    (req, res) => void res.json({ keyId: (req.user as AccessToken).keyId, typed: req.user instanceof AccessToken }),
  );
  return app;
}

/** A verifier that notes what reaches it. */
function spyVerifier() {
  const verify = jest.fn(verifier.verify);
  return { spy: verify, by: { issuer: ISSUER, verify } satisfies Verifier };
}

describe('createBearerStrategy', () => {
  test('is a strategy of passport-http-bearer, whose user is the AccessToken', async () => {
    const strategy = createBearerStrategy(verifier);
    expect(strategy).toBeInstanceOf(Strategy);
    expect(strategy.name).toBe('bearer');
    for (const scheme of ['Bearer', 'bearer', 'Bearer  ']) {
      const answer = await request(appOf()).get('/').set('Authorization', `${scheme} ${token}`);
      expect([answer.status, answer.body]).toEqual([200, { keyId: 'key_01jd0000000000000000000000', typed: true }]);
    }
  });

  test('does not take a token from the query', async () => {
    const { spy, by } = spyVerifier();
    for (const query of [`access_token=${token}`, `access_token[]=${token}`, `access_token[a]=${token}`]) {
      const answer = await request(appOf(by)).get(`/?${query}`);
      expect(answer.status).toBe(400);
      expect(answer.headers['www-authenticate']).toContain('error="invalid_request"');
      expect((await request(appOf(by)).get(`/?${query}`).auth(token, { type: 'bearer' })).status).toBe(400);
    }
    expect(spy).not.toHaveBeenCalled();
  });

  test.each<[string, object | string]>([
    ['form', { access_token: token }],
    ['form', `access_token=${token}&access_token=${token}`],
    ['form', `access_token[a]=${token}`],
    ['json', { access_token: token }],
    ['json', { access_token: [token] }],
    ['json', { access_token: { toString: token } }],
    ['json', { access_token: '' }],
  ])('does not take a token from a body: %s %#', async (type, body) => {
    const { spy, by } = spyVerifier();
    expect((await request(appOf(by)).post('/').type(type).send(body)).status).toBe(400);
    expect((await request(appOf(by)).post('/').type(type).send(body).auth(token, { type: 'bearer' })).status).toBe(400);
    expect(spy).not.toHaveBeenCalled();
  });

  test('does not look at a query or body that other middleware has put there', async () => {
    const { spy, by } = spyVerifier();
    const passport = new passportModule.Passport();
    passport.use(createBearerStrategy(by));
    const app = express();
    app.use((req, _res, next) => {
      Object.defineProperty(req, 'query', { value: { access_token: [token] } });
      next();
    });
    app.use(passport.authenticate('bearer', { session: false }));
    expect((await request(app).get('/')).status).toBe(401);
    expect(spy).not.toHaveBeenCalled();
  });

  test('without bearer credentials: 401 and a challenge without error code', async () => {
    for (const authorization of ['', `Basic ${token}`, `DPoP ${token}`]) {
      const answer = await request(appOf()).get('/').set('Authorization', authorization);
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toBe(`Bearer realm="${ISSUER}"`);
    }
  });

  test('a malformed header: 400 with a challenge', async () => {
    for (const authorization of ['Bearer', `Bearer ${token} x`]) {
      const answer = await request(appOf()).get('/').set('Authorization', authorization);
      expect(answer.status).toBe(400);
      expect(answer.headers['www-authenticate']).toContain('error="invalid_request"');
    }
  });

  test('an invalid token: 401 that says why', async () => {
    const answer = await request(appOf())
      .get('/')
      .auth(signToken(key, { exp: 1 }), { type: 'bearer' });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe(
      `Bearer realm="${ISSUER}", error="invalid_token", error_description="the token has expired"`,
    );
  });

  test('quotes and line breaks in the realm stay inside of it, in every challenge', async () => {
    const app = appOf(verifier, { realm: 'a "b" \\\r\nX: y' });
    const escaped = 'Bearer realm="a \\"b\\" \\\\??X: y"';
    expect((await request(app).get('/')).headers['www-authenticate']).toBe(escaped);
    const invalid = await request(app).get('/').auth('x', { type: 'bearer' });
    expect(invalid.headers['www-authenticate']).toBe(
      `${escaped}, error="invalid_token", error_description="the token does not have three parts"`,
    );
  });

  test('without keys: 503 with Retry-After', async () => {
    const withoutKeys = createVerifier({ issuer: ISSUER, audience: AUDIENCE, jwks: () => ({ keys: [] }) });
    const app = appOf(withoutKeys).set('env', 'test');
    const answer = await request(app).get('/').auth(token, { type: 'bearer' });
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '30']);
  });

  test('a mistake in the program is an error, not a refusal', async () => {
    const by: Verifier = { issuer: ISSUER, verify: () => Promise.reject(new TypeError('mistake')) };
    const answer = await request(appOf(by).set('env', 'test')).get('/').auth(token, { type: 'bearer' });
    expect(answer.status).toBe(500);
  });

  describe('a callback of passport.authenticate that throws', () => {
    // Left to a rejection that nobody handles, each of these would end the test's own process.
    test.each([
      ['a good token', token],
      ['a bad token', 'x'],
    ])('%s: 500 by the error handler of Express, and the callback is called once', async (_, presented) => {
      const passport = new passportModule.Passport();
      passport.use(createBearerStrategy(verifier));
      const mistake = new Error('mistake');
      const callback = jest.fn(() => {
        throw mistake;
      });
      const app = express().use((req, res, next) => passport.authenticate('bearer', callback)(req, res, next));
      const seen: unknown[] = [];
      const onError: ErrorRequestHandler = (error, _req, res, _next) => {
        seen.push(error);
        res.sendStatus(500);
      };
      app.use(onError);
      expect((await request(app).get('/').auth(presented, { type: 'bearer' })).status).toBe(500);
      expect(seen).toEqual([mistake]);
      expect(callback).toHaveBeenCalledTimes(1);
    });

    test('without Express it hears of its own mistake', async () => {
      const passport = new passportModule.Passport();
      passport.use(createBearerStrategy(verifier));
      const mistake = new Error('mistake');
      const heard = await new Promise((resolve) => {
        const callback = (error: unknown) => {
          if (error === null) throw mistake;
          resolve(error);
        };
        const authorization = `Bearer ${token}`;
        const bare = { headers: { authorization }, rawHeaders: ['Authorization', authorization], socket: {} };
        passport.authenticate('bearer', callback)(bare as unknown as Request, {} as Response, () => {});
      });
      expect(heard).toBe(mistake);
    });
  });

  test('the IP allowlist holds, X-Forwarded-For only by trusted proxies', async () => {
    const bound = signToken(key, { ip_allowlist: ['203.0.113.0/24'] });
    const call = (app: Express) =>
      request(app).get('/').set('X-Forwarded-For', '203.0.113.7').auth(bound, { type: 'bearer' });
    expect((await call(appOf())).status).toBe(401);
    expect((await call(appOf(verifier, { trustedProxies: ['127.0.0.0/8', '::1'] }))).status).toBe(200);
  });

  test('requirePermission stands behind it with assignProperty', async () => {
    const passport = new passportModule.Passport();
    passport.use(createBearerStrategy(verifier));
    const app = express().use(passport.authenticate('bearer', { session: false, assignProperty: 'auth' }));
    app.get('/credentials/:id', requirePermission('read:credential/:id'), (_req, res) => void res.end());
    expect((await request(app).get('/credentials/prod-db').auth(token, { type: 'bearer' })).status).toBe(200);
    const denied = await request(app).get('/credentials/staging-db').auth(token, { type: 'bearer' });
    expect([denied.status, denied.body.required_permission]).toEqual([403, 'read:credential/staging-db']);
  });

  test('options of a wrong kind: TypeError', () => {
    for (const options of [{ realm: 7 }, { trustedProxies: true }, { trustedProxies: 1 }]) {
      expect(() => createBearerStrategy(verifier, options as never)).toThrow(TypeError);
    }
  });
});
