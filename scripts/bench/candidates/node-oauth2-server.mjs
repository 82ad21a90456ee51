/* @node-oauth/oauth2-server on Express, as its guides describe: a model of one's own, here with clients in MariaDB, tokens
   in Redis, and access tokens that are JWTs of jose's. The library itself neither stores nor signs anything. */
import './as-in-production.mjs';
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import OAuth2Server from '@node-oauth/oauth2-server';
import express from 'express';
import Redis from 'ioredis';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
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

/** Tokens are kept by their hashes, so that whoever reads the store can use none. */
const keyOf = (kind, token) => `node-oauth:${kind}:${createHash('sha256').update(token).digest('base64url')}`;
const createRefreshToken = () => randomBytes(32).toString('base64url');

/** The model of the library's documentation, with only what these two grants need. */
function createModel({ redis, clients, privateKey }) {
  return {
    async getClient(clientId, clientSecret) {
      const client = await clients.find(clientId);
      return client !== null && isSecretOf(client, clientSecret) ? client : null;
    },
    // The client acts for itself.
    getUserFromClient: ({ id }) => ({ id }),
    validateScope: (_user, client, requested) =>
      (requested ?? client.scopes).every((value) => client.scopes.includes(value)) && (requested ?? client.scopes),
    generateAccessToken: (client, user, scope) =>
      new SignJWT({ client_id: client.id, scope: scope.join(' ') })
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'bench' })
        .setIssuer(ISSUER)
        .setSubject(user.id)
        .setAudience(AUDIENCE)
        .setIssuedAt()
        .setExpirationTime(`${ACCESS_TOKEN_SECONDS} seconds`)
        .setJti(randomBytes(16).toString('base64url'))
        .sign(privateKey),
    generateRefreshToken: createRefreshToken,
    async saveToken(token, client, user) {
      const record = JSON.stringify({ clientId: client.id, userId: user.id, scope: token.scope });
      const pipeline = redis.pipeline().set(keyOf('access', token.accessToken), record, 'EX', ACCESS_TOKEN_SECONDS);
      if (token.refreshToken !== undefined)
        pipeline.set(keyOf('refresh', token.refreshToken), record, 'EX', REFRESH_TOKEN_SECONDS);
      await executeAll(pipeline);
      return { ...token, client, user };
    },
    async getRefreshToken(refreshToken) {
      const record = await redis.get(keyOf('refresh', refreshToken));
      if (record === null) return null;
      const { clientId, userId, scope } = JSON.parse(record);
      return { refreshToken, scope, client: { id: clientId }, user: { id: userId } };
    },
    // Who deletes it has spent it: of two at once, one is refused.
    revokeToken: async ({ refreshToken }) => (await redis.del(keyOf('refresh', refreshToken))) === 1,
  };
}

/** What the library's adapter for Express does, error handling and all. */
function tokenRoute(server) {
  return async (request, response) => {
    const answer = new OAuth2Server.Response(response);
    try {
      await server.token(new OAuth2Server.Request(request), answer);
      response.set(answer.headers).status(answer.status).send(answer.body);
    } catch (error) {
      response.set(answer.headers).status(error.code).send({ error: error.name, error_description: error.message });
    }
  };
}

/** client_credentials brings no refresh token in this library, so each connection gets one beforehand. */
async function issueRefreshToken(model, client) {
  const user = model.getUserFromClient(client);
  const token = {
    accessToken: await model.generateAccessToken(client, user, client.scopes),
    refreshToken: createRefreshToken(),
    scope: client.scopes,
  };
  await model.saveToken(token, client, user);
  return token.refreshToken;
}

const clients = await openClientTable(process.env.DATABASE_URL);
const { clientId, clientSecret } = createClientCredentials();
const grants = ['client_credentials', 'refresh_token'];
await clients.add({ id: clientId, secret: clientSecret, grants, scopes: SCOPES });
const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
const model = createModel({ redis: new Redis(process.env.REDIS_URL), clients, privateKey });
const server = new OAuth2Server({
  model,
  accessTokenLifetime: ACCESS_TOKEN_SECONDS,
  refreshTokenLifetime: REFRESH_TOKEN_SECONDS,
  alwaysIssueNewRefreshToken: true,
});
const client = await clients.find(clientId);
const refreshTokens = await Promise.all(Array.from({ length: CONNECTIONS }, () => issueRefreshToken(model, client)));
const app = express().disable('x-powered-by');
app.post('/token', express.urlencoded({ extended: false }), tokenRoute(server));
await serve(createServer(app), {
  version: versionOf('@node-oauth/oauth2-server'),
  publicJwk: await exportJWK(publicKey),
  ...describeRequests({ path: '/token', clientId, clientSecret, refreshTokens }),
});
