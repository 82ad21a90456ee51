/** `/v1/projects/{project}/tokens`: API keys as Calyptia's page prints them. */
import { z } from 'zod';
import type { ApiKey } from '../../api-keys/api-key.ts';
import type { ApiKeyManagement } from '../../api-keys/manage-api-keys.ts';
import type { Page } from '../../page.ts';
import { uuidOfTypeId } from '../../type-id.ts';
import { createApiKeySchema } from '../api-key-schemas.ts';
import { toCursor, toPageRequest } from '../list-query.ts';
import { type Operation, projectOperation } from '../operation.ts';

const PATH = '/projects/{project}/tokens';
const tag = 'Calyptia tokens';
const resource = 'api-key';
const LIMIT = 200;
const SORT = 'created_at';

const { name, permissions } = createApiKeySchema.shape;

const createTokenSchema = z
  .strictObject({ name, permissions: permissions.unwrap() })
  .meta({ id: 'CreateCalyptiaToken' });

const tokenSchema = z
  .object({
    id: z.uuid().meta({ description: 'The UUID in the id of the API key' }),
    token: z.string().meta({ description: '`redacted` but in the answer that creates it, where it is the API key' }),
    name: z.string(),
    permissions: z.array(z.string()).meta({ description: 'Those of its roles too. None: nothing is allowed' }),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'CalyptiaToken' });

const toTokenJson = (key: ApiKey, token: string) => ({
  id: uuidOfTypeId(key.id),
  token,
  name: key.name,
  permissions: key.effectivePermissions,
  createdAt: new Date(key.createdAtMs).toISOString(),
});

/** The answer is a plain list, which has no place for a cursor: RFC 8288 has one. */
function nextPage({ next }: Page<ApiKey>, path: string): Readonly<Record<string, string>> {
  return next === null ? {} : { Link: `<${path}?cursor=${toCursor(next, SORT)}>; rel="next"` };
}

export function createCalyptiaTokenOperations(management: ApiKeyManagement): readonly Operation[] {
  const list = projectOperation({
    id: 'listCalyptiaTokens',
    method: 'GET',
    path: PATH,
    tag,
    summary: 'List the API keys of a project',
    description: `${LIMIT} at a time; Link with rel="next" is where it goes on.`,
    action: 'read',
    resource,
    query: z.strictObject({
      cursor: z.string().max(1000).optional().meta({ description: 'As it stands in Link' }),
    }),
    answers: { 200: z.array(tokenSchema) },
    async handle({ query: { cursor } }, { project }) {
      const page = await management.list(project, {}, toPageRequest({ limit: LIMIT, sort: SORT, cursor }));
      return {
        status: 200,
        headers: nextPage(page, `/v1/projects/${project.id}/tokens`),
        body: page.items.map((key) => toTokenJson(key, 'redacted')),
      };
    },
  });

  const create = projectOperation({
    id: 'createCalyptiaToken',
    method: 'POST',
    path: PATH,
    tag,
    summary: 'Create an API key; it is in this answer and nowhere else',
    action: 'create',
    resource,
    body: createTokenSchema,
    answers: { 201: tokenSchema },
    problems: ['name_taken', 'permission_exceeds_grantor', 'token_too_large'],
    async handle({ body }, { project, actor }) {
      const { apiKey, clientSecret } = await management.create(
        project,
        {
          name: body.name,
          description: null,
          ownerId: null,
          permissions: body.permissions,
          roles: [],
          ipAllowlist: [],
          expiresAtMs: null,
          refreshTokens: true,
          refreshRequiresClientAuth: false,
          chosenSecret: null,
        },
        actor,
      );
      return { status: 201, body: toTokenJson(apiKey, clientSecret) };
    },
  });

  return [list, create];
}
