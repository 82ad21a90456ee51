/**
 * `/openapi.json`: OpenAPI 3.1, made from the very operations that are served and the schemas that validate; what is not of
 * the management API is described by hand beside it.
 */
import type { Operation } from '../operation.ts';
import { documentSchemas, type Json } from './documented-schemas.ts';
import { oauthPaths, oauthSchemas } from './oauth-paths.ts';
import { LOCATION, operationObject, versionedPaths } from './operation-object.ts';
import { documentProblems } from './problem-responses.ts';
import { healthPaths, publicPaths } from './public-paths.ts';

const DESCRIPTION = `Turns long-lived API keys into short-lived access tokens, and manages those keys.

Exchange an API key at \`/oauth/token\`, send the access token as \`Authorization: Bearer\` to \`/v1\`.

- **Errors** of \`/v1\` are RFC 9457 problem+json with a \`code\`; \`type\` is the page that says what to do. Those of \`/oauth\` are RFC 6749.
- **Unknown** fields and query parameters are refused, so that a misspelt one is seen. Answers may get more members.
- **Lists** take \`limit\`, \`cursor\`, \`sort\` and \`fields\`. With \`fields=a,b\`, here and on single objects, only those members are answered.
- **Versions**: an \`ETag\` sent back as \`If-Match\` makes a change fail with 412 when somebody was faster.
- A method that a path does not take is answered 405 with \`Allow\`. An object of another project is answered as an absent one.
- Times are RFC 3339 in UTC. Every answer carries \`X-Request-Id\`.`;

const headers: Json = {
  'X-Request-Id': { description: 'Names this request in the log', required: true, schema: { type: 'string' } },
  ETag: {
    description: 'Version of the object',
    required: true,
    schema: { type: 'string', pattern: '^"v\\d+"$' },
    example: '"v3"',
  },
  Location: LOCATION,
  'Retry-After': { description: 'Seconds', required: true, schema: { type: 'integer', minimum: 1 } },
  'Set-Cookie': {
    description: '`__Host-keyturn`, HttpOnly, Secure, SameSite=Strict',
    required: true,
    schema: { type: 'string' },
  },
  'WWW-Authenticate': {
    description: 'How to authenticate (RFC 6750, RFC 7617)',
    required: true,
    schema: { type: 'string' },
  },
};

const parameters: Json = {
  'If-Match': {
    name: 'If-Match',
    in: 'header',
    required: false,
    description: 'ETag of the version that the change is meant for; `*` or nothing: whatever it is now',
    schema: { type: 'string' },
    example: '"v3"',
  },
};

const securitySchemes: Json = {
  accessToken: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'An access token of this Keyturn (RFC 9068), from `/oauth/token`',
  },
  consoleSession: {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-keyturn',
    description: 'A person who is signed in. Writes then need an `Origin` that is this Keyturn itself.',
  },
  clientSecretBasic: { type: 'http', scheme: 'basic', description: 'client_id and client_secret (RFC 6749 §2.3.1)' },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'The API key alone' },
};

/** What stands under each heading. */
const TAGS: Readonly<Record<string, string>> = {
  OAuth: 'Credentials for access tokens, and what verifiers need',
  Me: 'Whoever calls',
  'Console session': 'People at the web console',
  Projects: 'Tenants: each owns all that is below it',
  Workspaces: 'Parts of a project in which a role can be given',
  Roles: 'Named sets of permissions',
  'Permission catalog': 'What permissions of a project can be about',
  Members: 'Users in a project, and their roles',
  'API keys': 'The OAuth clients of a project',
  'Audit events': 'Who did what to which object, when, from where',
  Users: 'People of the installation',
  'Signing keys': 'Key pairs of access tokens',
  'Calyptia tokens': 'API keys as clients of Calyptia know them',
  'ALM Octane': 'API keys and roles as clients of ALM Octane know them',
  Service: 'Health, metrics and this document',
};

function managementPaths(operations: readonly Operation[], surroundings: Parameters<typeof operationObject>[1]): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const operation of operations) {
    const path = `${operation.base ?? '/v1'}${operation.path}`;
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: operationObject(operation, surroundings) };
  }
  return paths;
}

/**
 * @param version of this Keyturn
 * @param hasHealth whether `/livez`, `/readyz` and `/metrics` are served beside it
 */
export function createOpenApiDocument({
  issuer,
  version,
  operations,
  hasHealth,
}: {
  readonly issuer: string;
  readonly version: string;
  readonly operations: readonly Operation[];
  readonly hasHealth: boolean;
}): Json {
  const schemas = documentSchemas(operations);
  const problems = documentProblems();
  const paths = {
    ...oauthPaths,
    ...managementPaths(operations, { schemas, problems, versioned: versionedPaths(operations) }),
    ...publicPaths,
    ...(hasHealth && healthPaths),
  };
  const tags = ['OAuth', ...new Set(operations.map(({ tag }) => tag)), 'Service'];
  return {
    openapi: '3.1.0',
    info: {
      title: 'Keyturn',
      version,
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: issuer }],
    tags: tags.map((name) => ({ name, ...(name in TAGS && { description: TAGS[name] }) })),
    paths,
    components: {
      schemas: { ...schemas.components, ...oauthSchemas, ...problems.schemas() },
      responses: problems.responses(),
      headers,
      parameters,
      securitySchemes,
    },
  };
}
