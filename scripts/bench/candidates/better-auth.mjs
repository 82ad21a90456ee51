/* better-auth, as near as the package comes to "a long-lived key in, a JWT out": the key is a session token that lives for
   a year, presented as its bearer plugin takes it; the JWT comes from its jwt plugin. It has no refresh tokens.
   client_credentials and API keys are packages of their own, @better-auth/oauth-provider and @better-auth/api-key, whose
   version 1.7.5 npm refuses beside 1.7.25 of this one. Measured with better-auth 1.7.5, they have 0.6 and 0.7 of the
   throughput of this way, so it is the one most in better-auth's favour. */
import './as-in-production.mjs';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import { bearer, jwt } from 'better-auth/plugins';
import Redis from 'ioredis';
import { createPool } from 'mysql2/promise';
import { ACCESS_TOKEN_SECONDS, AUDIENCE, ISSUER, SCOPES, serve, versionOf } from './peer-process.mjs';

const YEAR_SECONDS = 31_536_000;
const PREFIX = 'better-auth:';
const INCREMENT = `local value = redis.call('INCR', KEYS[1])
if value == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return value`;

/** The interface `SecondaryStorage` of the documentation. */
function createSecondaryStorage(redis) {
  return {
    get: (key) => redis.get(PREFIX + key),
    getAndDelete: (key) => redis.getdel(PREFIX + key),
    increment: (key, seconds) => redis.eval(INCREMENT, 1, PREFIX + key, seconds),
    async set(key, value, seconds) {
      await (seconds ? redis.set(PREFIX + key, value, 'EX', seconds) : redis.set(PREFIX + key, value));
    },
    async delete(key) {
      await redis.del(PREFIX + key);
    },
  };
}

const scope = SCOPES.join(' ');
const auth = betterAuth({
  baseURL: ISSUER,
  secret: randomBytes(32).toString('base64'),
  database: createPool({ uri: process.env.DATABASE_URL, timezone: 'Z' }),
  // Sessions are then looked up here and not in the database.
  secondaryStorage: createSecondaryStorage(new Redis(process.env.REDIS_URL)),
  session: { expiresIn: YEAR_SECONDS },
  // The only way in that needs nobody else; used once, below.
  emailAndPassword: { enabled: true },
  // 100 requests a minute in production: what would be measured is how fast it refuses.
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  plugins: [
    bearer(),
    jwt({
      // The default is EdDSA.
      jwks: { keyPairConfig: { alg: 'ES256' } },
      jwt: {
        issuer: ISSUER,
        audience: AUDIENCE,
        // The default is 15 minutes.
        expirationTime: `${ACCESS_TOKEN_SECONDS}s`,
        // The default is the whole record of the user.
        definePayload: ({ user }) => ({ client_id: user.id, scope }),
      },
    }),
  ],
});

const { runMigrations } = await getMigrations(auth.options);
await runMigrations();
const { token } = await auth.api.signUpEmail({
  body: { name: 'ci-runner', email: 'ci-runner@peer.example', password: randomBytes(32).toString('base64url') },
});
const headers = { authorization: `Bearer ${token}` };
// The first call makes the signing key.
await auth.api.getToken({ headers: new Headers(headers) });
const [publicJwk] = (await auth.api.getJwks()).keys;
await serve(createServer(toNodeHandler(auth)), {
  version: versionOf('better-auth'),
  publicJwk,
  exchange: { method: 'GET', path: '/api/auth/token', headers },
  refresh: null,
});
