import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { createVerifier } from '@keyturn/lib';
import { JwtVerifier } from 'aws-jwt-verify';
import express from 'express';
import { auth } from 'express-oauth2-jwt-bearer';
import { createVerifier as createFastVerifier } from 'fast-jwt';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import request from 'supertest';
import { claimsOf, keyturnFor } from '../support/keyturn-server.ts';
import { sqliteStorage } from '../support/keyturn-storage.ts';

type Algorithm = 'ES256' | 'EdDSA' | 'RS256' | 'PS256';

/** Tokens don't depend on the store: each algorithm on the embedded one. */
describe.each(['ES256', 'EdDSA', 'RS256', 'PS256'] as const)('tokens signed with %s', (algorithm: Algorithm) => {
  const keyturn = keyturnFor(sqliteStorage, { environment: { KEYTURN_SIGNING_ALG: algorithm } });
  let token = '';
  let altered = '';

  beforeAll(async () => {
    const { clientSecret } = await keyturn().createKey({ permissions: ['read:a'] });
    token = (await keyturn().exchange(clientSecret)).body.access_token;
    const [header, , signature] = token.split('.');
    const claims = Buffer.from(JSON.stringify({ ...claimsOf(token), scope: 'read:b' })).toString('base64url');
    altered = `${header}.${claims}.${signature}`;
  });

  const jwksUrl = () => new URL(`${keyturn().url}/.well-known/jwks.json`);
  const readJwks = async () => (await fetch(jwksUrl())).json() as Promise<{ keys: (JsonWebKey & { kid: string })[] }>;

  it('are what the setting says', () => {
    expect(JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).alg).toBe(algorithm);
  });

  it('pass @keyturn/lib, over HTTP', async () => {
    const verifier = createVerifier({ issuer: keyturn().url, audience: keyturn().url });
    expect((await verifier.verify(token, { ip: null })).can('read:a/x')).toBe(true);
    await expect(verifier.verify(altered, { ip: null })).rejects.toMatchObject({ code: 'signature_invalid' });
  });

  it('pass jose with a remote JWKS', async () => {
    const jwks = createRemoteJWKSet(jwksUrl());
    const expected = { issuer: keyturn().url, audience: keyturn().url, typ: 'at+jwt', algorithms: [algorithm] };
    const { payload } = await jwtVerify(token, jwks, expected);
    expect(payload).toMatchObject({ scope: 'read:a' });
    await expect(jwtVerify(altered, jwks, expected)).rejects.toThrow('signature verification failed');
  });

  it('pass express-oauth2-jwt-bearer, which looks for the issuer by discovery', async () => {
    const app = express();
    app.use(auth({ issuerBaseURL: keyturn().url, audience: keyturn().url, strict: true }));
    // Its `req.auth` and ours have one name and two types; only one of both runs in any service.
    app.get('/', (req, res) => void res.json((req.auth as unknown as { payload: object }).payload));
    const ask = (sent: string) => request(app).get('/').set('Authorization', `Bearer ${sent}`);
    expect((await ask(token)).body).toMatchObject({ scope: 'read:a' });
    expect((await ask(altered)).status).toBe(401);
  });

  it('pass fast-jwt', async () => {
    const { keys } = await readJwks();
    const verify = createFastVerifier({
      key: async ({ header }: { header: Record<string, unknown> }) => {
        const jwk = keys.find(({ kid }) => kid === header['kid']);
        return createPublicKey({ key: jwk ?? {}, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
      },
      algorithms: [algorithm],
      allowedIss: keyturn().url,
      allowedAud: keyturn().url,
      checkTyp: 'at+jwt',
    });
    expect(await verify(token)).toMatchObject({ scope: 'read:a' });
    await expect(verify(altered)).rejects.toMatchObject({ code: 'FAST_JWT_INVALID_SIGNATURE' });
  });

  // aws-jwt-verify knows no PS256 at all: there it has to refuse, and not to pass.
  it(`${algorithm === 'PS256' ? 'are refused by' : 'pass'} aws-jwt-verify`, async () => {
    const verifier = JwtVerifier.create({ issuer: keyturn().url, audience: keyturn().url, jwksUri: jwksUrl().href });
    // It fetches over https only.
    verifier.cacheJwks((await readJwks()) as Parameters<typeof verifier.cacheJwks>[0]);
    if (algorithm === 'PS256') {
      await expect(verifier.verify(token)).rejects.toThrow();
      return;
    }
    expect(await verifier.verify(token)).toMatchObject({ scope: 'read:a' });
    await expect(verifier.verify(altered)).rejects.toThrow('Invalid signature');
  });
});
