/* @jmondi/oauth2-server on Express, by its own adapter: repositories of one's own, here with clients in MariaDB and tokens
   in Redis. Its JwtService knows HS256 only, so a subclass makes the same jsonwebtoken sign with ES256. */
import './as-in-production.mjs';
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { AuthorizationServer, DateInterval, JwtService, OAuthException } from '@jmondi/oauth2-server';
import { handleExpressError, handleExpressResponse, requestFromExpress } from '@jmondi/oauth2-server/express';
import express from 'express';
import Redis from 'ioredis';
import { isSecretOf, openClientTable } from './client-table.mjs';
import {
  ACCESS_TOKEN_SECONDS,
  AUDIENCE,
  CONNECTIONS,
  createClientCredentials,
  describeRequests,
  executeAll,
  ISSUER,
  REFRESH_TOKEN_SECONDS,
  SCOPES,
  serve,
  versionOf,
} from './peer-process.mjs';

/** The very package that the library signs with. */
const jsonwebtoken = createRequire(import.meta.resolve('@jmondi/oauth2-server'))('jsonwebtoken');

const inSeconds = (seconds) => new Date(Date.now() + seconds * 1000);
const createId = () => randomBytes(32).toString('base64url');
const keyOf = (kind, id) => `jmondi:${kind}:${id}`;
/** Opaque refresh tokens are kept by their SHA-256, as the library's documentation asks. */
const refreshKeyOf = (token) => keyOf('refresh', createHash('sha256').update(token).digest('base64url'));

class Es256JwtService extends JwtService {
  #privateKey;

  constructor(privateKey) {
    super(privateKey);
    this.#privateKey = privateKey;
  }

  /** As the library's own, but for the algorithm. */
  sign(payload) {
    return new Promise((resolve, reject) => {
      const options = { algorithm: 'ES256', keyid: 'bench' };
      jsonwebtoken.sign(payload, this.#privateKey, options, (error, token) => (error ? reject(error) : resolve(token)));
    });
  }

  /** The library's hook for further claims. */
  extraTokenFields({ client }) {
    return { aud: AUDIENCE, client_id: client.id };
  }
}

const asScopes = (names) => names.map((name) => ({ name }));

function createClientRepository(clients) {
  return {
    async getByIdentifier(clientId) {
      const found = await clients.find(clientId);
      if (found === null) throw OAuthException.invalidClient();
      const { id, grants, scopes, secretHash } = found;
      // A `secret` makes it a confidential client; what it holds is for isClientValid() alone.
      return { id, name: id, secret: secretHash, redirectUris: [], allowedGrants: grants, scopes: asScopes(scopes) };
    },
    isClientValid: async (grantType, client, clientSecret) =>
      client.allowedGrants.includes(grantType) && isSecretOf({ secretHash: client.secret }, clientSecret),
  };
}

/** The scopes that there are never change, so they need no store. */
const scopeRepository = {
  getAllByIdentifiers: async (names) => asScopes(names.filter((name) => SCOPES.includes(name))),
  finalize: async (scopes, _grantType, client) => (scopes.length > 0 ? scopes : client.scopes),
};

function createTokenRepository(redis) {
  const write = async (key, token, seconds) => {
    const scopes = token.scopes.map(({ name }) => name);
    await redis.set(key, JSON.stringify({ id: token.accessToken, clientId: token.client.id, scopes }), 'EX', seconds);
  };
  return {
    issueToken: async (client, scopes) => ({ accessToken: createId(), client, scopes }),
    persist: (token) => write(keyOf('access', token.accessToken), token, ACCESS_TOKEN_SECONDS),
    async issueRefreshToken(token) {
      token.refreshToken = createId();
      token.refreshTokenExpiresAt = inSeconds(REFRESH_TOKEN_SECONDS);
      await write(refreshKeyOf(token.refreshToken), token, REFRESH_TOKEN_SECONDS);
      return token;
    },
    async getByRefreshToken(refreshToken) {
      const record = await redis.get(refreshKeyOf(refreshToken));
      if (record === null) throw OAuthException.invalidGrant();
      const { id, clientId, scopes } = JSON.parse(record);
      return { accessToken: id, refreshToken, client: { id: clientId }, scopes: asScopes(scopes) };
    },
    // What was revoked or has expired is no longer there to be found.
    isRefreshTokenRevoked: async () => false,
    async revoke({ accessToken, refreshToken }) {
      const [deleted] = await executeAll(
        redis.pipeline().del(refreshKeyOf(refreshToken)).del(keyOf('access', accessToken)),
      );
      // Of two at once, one is refused.
      if (deleted !== 1) throw OAuthException.invalidGrant();
    },
  };
}

/** client_credentials brings no refresh token in this library, so each connection gets one beforehand. */
async function issueRefreshToken(tokenRepository, client) {
  const token = await tokenRepository.issueToken(client, client.scopes);
  return (await tokenRepository.issueRefreshToken(token)).refreshToken;
}

const clients = await openClientTable(process.env.DATABASE_URL);
const { clientId, clientSecret } = createClientCredentials();
const grants = ['client_credentials', 'refresh_token'];
await clients.add({ id: clientId, secret: clientSecret, grants, scopes: SCOPES });
const clientRepository = createClientRepository(clients);
const tokenRepository = createTokenRepository(new Redis(process.env.REDIS_URL));
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwtService = new Es256JwtService(privateKey);
const authorizationServer = new AuthorizationServer(clientRepository, tokenRepository, scopeRepository, jwtService, {
  issuer: ISSUER,
  // Not the default, which signs and verifies a second JWT at each refresh: slower, and Keyturn's are opaque too.
  useOpaqueRefreshTokens: true,
});
const lifetime = new DateInterval(`${ACCESS_TOKEN_SECONDS}s`);
authorizationServer.enableGrantTypes(['client_credentials', lifetime], ['refresh_token', lifetime]);

const client = await clientRepository.getByIdentifier(clientId);
const refreshTokens = await Promise.all(
  Array.from({ length: CONNECTIONS }, () => issueRefreshToken(tokenRepository, client)),
);
const app = express().disable('x-powered-by');
app.post('/token', express.urlencoded({ extended: false }), async (request, response) => {
  try {
    const answer = await authorizationServer.respondToAccessTokenRequest(requestFromExpress(request));
    handleExpressResponse(response, answer);
  } catch (error) {
    handleExpressError(error, response);
  }
});
await serve(createServer(app), {
  version: versionOf('@jmondi/oauth2-server'),
  publicJwk: publicKey.export({ format: 'jwk' }),
  ...describeRequests({ path: '/token', clientId, clientSecret, refreshTokens }),
});
