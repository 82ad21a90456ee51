/** `/oauth` and `/.well-known`, described by hand; the faults come from the token endpoint's own list. */
import { OAUTH_ERROR_CODES } from '@keyturn/lib/protocol';
import { GRANT_TYPES } from '../../metadata/authorization-server-metadata.ts';
import { TOKEN_FAULTS, type TokenFaultEntry } from '../../token-endpoint/token-faults.ts';
import type { Json } from './documented-schemas.ts';

const tags = ['OAuth'];
const text = { type: 'string' };
const uri = { type: 'string', format: 'uri' };
const seconds = { type: 'integer', minimum: 1, description: 'Seconds from now' };

const tokenRequest: Json = {
  type: 'object',
  description: 'Unknown parameters are ignored; one that is sent twice is refused. Authenticate in one way only.',
  properties: {
    grant_type: { enum: GRANT_TYPES },
    scope: { ...text, description: 'Permissions with single spaces between; without it everything the key holds' },
    resource: { ...uri, description: 'RFC 8707: one of the project’s audiences' },
    refresh_token: { ...text, description: 'With grant_type=refresh_token; it works once' },
    client_id: text,
    client_secret: { ...text, description: 'Where HTTP Basic or X-API-Key are not at hand' },
  },
  required: ['grant_type'],
};

export const oauthSchemas: Json = {
  TokenRequest: tokenRequest,
  TokenResponse: {
    type: 'object',
    description: 'RFC 6749 §5.1',
    properties: {
      access_token: { ...text, description: 'A JWT (RFC 9068) of at most 8 KiB' },
      token_type: { const: 'Bearer' },
      expires_in: seconds,
      refresh_token: { ...text, description: 'Absent where the key has them switched off' },
      refresh_token_expires_in: seconds,
      scope: { ...text, description: 'What was granted; absent when that is nothing' },
    },
    required: ['access_token', 'token_type', 'expires_in'],
  },
  OAuthError: {
    type: 'object',
    description: 'RFC 6749 §5.2',
    properties: {
      error: { enum: OAUTH_ERROR_CODES },
      error_description: { ...text, description: 'What was wrong and what to do' },
      error_uri: { ...uri, description: 'The page of this error' },
      request_id: { ...text, description: 'Also in X-Request-Id, and in the log' },
    },
    required: ['error', 'error_description', 'error_uri', 'request_id'],
  },
  JwkSet: {
    type: 'object',
    description: 'RFC 7517 §5',
    properties: {
      keys: {
        type: 'array',
        items: {
          type: 'object',
          properties: { kty: text, kid: text, alg: text, use: { const: 'sig' } },
          required: ['kty', 'kid', 'alg', 'use'],
          additionalProperties: text,
        },
      },
    },
    required: ['keys'],
  },
  AuthorizationServerMetadata: {
    type: 'object',
    description: 'RFC 8414 §2',
    properties: { issuer: uri, token_endpoint: uri, jwks_uri: uri },
    required: ['issuer', 'token_endpoint', 'jwks_uri'],
    additionalProperties: true,
  },
};

const schema = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
const header = (name: string): Json => ({ $ref: `#/components/headers/${name}` });
const requestId = { 'X-Request-Id': header('X-Request-Id') };

const FAULT_HEADERS: Readonly<Record<number, Json>> = {
  401: { 'WWW-Authenticate': header('WWW-Authenticate') },
  429: { 'Retry-After': header('Retry-After') },
  503: { 'Retry-After': header('Retry-After') },
};

function faultResponse(status: number): Json {
  const faults = Object.entries<TokenFaultEntry>(TOKEN_FAULTS).filter(([, fault]) => fault.status === status);
  const errors = [...new Set(faults.map(([, { error }]) => error))];
  return {
    description: faults.map(([reason, { error }]) => `\`${error}\` (${reason})`).join(', '),
    headers: { ...requestId, ...FAULT_HEADERS[status] },
    content: {
      'application/json': {
        schema: { ...schema('OAuthError'), properties: { error: { enum: errors } } },
      },
    },
  };
}

/** 405 is what other methods are answered. */
const faultStatuses = new Set(Object.values<TokenFaultEntry>(TOKEN_FAULTS).map(({ status }) => status));
faultStatuses.delete(405);

const tokenOperation: Json = {
  operationId: 'issueToken',
  tags,
  summary: 'Exchange an API key, or a refresh token, for an access token',
  description: 'RFC 6749 §3.2. A refresh token alone is enough, unless its API key demands client authentication.',
  security: [{ clientSecretBasic: [] }, { apiKey: [] }, {}],
  requestBody: {
    required: true,
    content: {
      'application/x-www-form-urlencoded': {
        schema: schema('TokenRequest'),
        examples: {
          exchange: {
            summary: 'With X-API-Key',
            value: { grant_type: 'client_credentials', scope: 'read:credential' },
          },
          refresh: { value: { grant_type: 'refresh_token', refresh_token: 'ktr_…' } },
        },
      },
    },
  },
  responses: {
    200: {
      description: 'A new access token',
      headers: requestId,
      content: { 'application/json': { schema: schema('TokenResponse') } },
    },
    ...Object.fromEntries([...faultStatuses].map((status) => [status, faultResponse(status)])),
  },
};

/** A public document that anybody may read and keep for a while. */
const document = (operationId: string, summary: string, mediaType: string, name: string): Json => ({
  get: {
    operationId,
    tags,
    summary,
    security: [],
    responses: {
      200: { description: 'OK', headers: requestId, content: { [mediaType]: { schema: schema(name) } } },
    },
  },
});

const METADATA = 'AuthorizationServerMetadata';

export const oauthPaths: Json = {
  '/oauth/token': { post: tokenOperation },
  '/.well-known/jwks.json': document(
    'getJwks',
    'The keys that verify access tokens',
    'application/jwk-set+json',
    'JwkSet',
  ),
  '/.well-known/oauth-authorization-server': document(
    'getAuthorizationServerMetadata',
    'Metadata of the authorization server (RFC 8414)',
    'application/json',
    METADATA,
  ),
  '/.well-known/openid-configuration': document(
    'getOpenIdConfiguration',
    'The same, where OpenID Connect libraries look',
    'application/json',
    METADATA,
  ),
};
