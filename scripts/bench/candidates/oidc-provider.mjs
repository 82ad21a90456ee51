/* oidc-provider as its documentation sets it up for production: an adapter on Redis, its own keys, no development
   interactions; JWT access tokens by resource indicators. On node:http by itself, no framework around it. */
import './as-in-production.mjs';
import { createServer } from 'node:http';
import Redis from 'ioredis';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';
import {
  ACCESS_TOKEN_SECONDS,
  AUDIENCE,
  CONNECTIONS,
  createClientCredentials,
  describeRequests,
  ISSUER,
  REFRESH_TOKEN_SECONDS,
  SCOPES,
  serve,
  versionOf,
} from './peer-process.mjs';
import { createRedisAdapter } from './redis-adapter.mjs';

const scope = SCOPES.join(' ');

async function createProvider(adapter, privateJwk) {
  // The example of the documentation, down to its two hours; the default is an opaque token of ten minutes.
  const resourceServer = {
    scope,
    audience: AUDIENCE,
    accessTokenTTL: ACCESS_TOKEN_SECONDS,
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: 'ES256' } },
  };
  return new Provider(ISSUER, {
    adapter,
    jwks: { keys: [{ ...privateJwk, alg: 'ES256', use: 'sig', kid: 'bench' }] },
    // The default is RS256, for which the key above would not do.
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCE,
        getResourceServerInfo: () => resourceServer,
      },
    },
    // The client acts for itself: there is no account to look up.
    findAccount: (_ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    // The default rotates a confidential client's token only when 70 % of its life is over.
    rotateRefreshToken: true,
    ttl: {
      AccessToken: ACCESS_TOKEN_SECONDS,
      ClientCredentials: ACCESS_TOKEN_SECONDS,
      // Two weeks, the default: what is granted outlives each of its refresh tokens.
      Grant: 1_209_600,
      RefreshToken: REFRESH_TOKEN_SECONDS,
    },
  });
}

/** client_credentials brings no refresh token here, so each connection gets a grant of its own and a token of it. */
async function issueRefreshToken(provider, client) {
  const accountId = client.clientId;
  const grant = new provider.Grant({ accountId, clientId: client.clientId });
  grant.addResourceScope(AUDIENCE, scope);
  const grantId = await grant.save();
  return new provider.RefreshToken({ accountId, client, grantId, scope, resource: AUDIENCE, gty: 'custom' }).save();
}

const redis = new Redis(process.env.REDIS_URL);
const adapter = createRedisAdapter(redis);
const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
const provider = await createProvider(adapter, await exportJWK(privateKey));
const { clientId, clientSecret } = createClientCredentials();
// In the adapter, as a client that was registered while the server runs: customers' keys can't stand in the configuration.
await adapter('Client').upsert(clientId, {
  client_id: clientId,
  client_secret: clientSecret,
  grant_types: ['client_credentials', 'refresh_token'],
  redirect_uris: [],
  response_types: [],
  token_endpoint_auth_method: 'client_secret_post',
});
const client = await provider.Client.find(clientId);
const refreshTokens = await Promise.all(Array.from({ length: CONNECTIONS }, () => issueRefreshToken(provider, client)));
await serve(createServer(provider.callback()), {
  version: versionOf('oidc-provider'),
  publicJwk: await exportJWK(publicKey),
  ...describeRequests({ path: '/token', clientId, clientSecret, scope, refreshTokens }),
});
