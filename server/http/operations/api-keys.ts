/** `/v1/projects/{project}/keys`. */
import type { ApiKeyManagement } from '../../api-keys/manage-api-keys.ts';
import type { Clock } from '../../clock.ts';
import {
  apiKeySchema,
  createApiKeySchema,
  createdApiKeySchema,
  listApiKeysSchema,
  toApiKeyJson,
  updateApiKeySchema,
} from '../api-key-schemas.ts';
import { listAnswer, listSchema, toPageRequest } from '../list-query.ts';
import { type Operation, projectOperation } from '../operation.ts';
import { Problem } from '../problem.ts';
import { invalidField } from '../refusals.ts';

const resource = 'api-key';
const tag = 'API keys';
const COLLECTION = '/projects/{project}/keys';
const ONE = '/projects/{project}/keys/{key}';

const noSuchKey = () => new Problem('not_found', 'no such API key in this project');

export function createApiKeyOperations({
  management,
  clock,
}: {
  readonly management: ApiKeyManagement;
  readonly clock: Clock;
}): readonly Operation[] {
  const list = projectOperation({
    id: 'listApiKeys',
    method: 'GET',
    path: COLLECTION,
    tag,
    summary: 'List the API keys of a project',
    action: 'read',
    resource,
    query: listApiKeysSchema,
    answers: { 200: listSchema(apiKeySchema) },
    async handle({ query }, { project }) {
      return listAnswer(await management.list(project, toPageRequest(query)), query, toApiKeyJson);
    },
  });

  const create = projectOperation({
    id: 'createApiKey',
    method: 'POST',
    path: COLLECTION,
    tag,
    summary: 'Create an API key; its secret is in this answer and nowhere else',
    action: 'create',
    resource,
    body: createApiKeySchema,
    answers: { 201: createdApiKeySchema },
    problems: ['name_taken', 'permission_exceeds_grantor', 'token_too_large', 'too_many_requests'],
    async handle({ body }, { project, actor }) {
      const expiresAtMs = body.expires_at === null ? null : Date.parse(body.expires_at);
      if (expiresAtMs !== null && expiresAtMs <= clock.nowMs())
        throw invalidField('expires_at', 'must be in the future');
      const { apiKey, clientSecret } = await management.create(
        project,
        {
          name: body.name,
          description: body.description,
          permissions: body.permissions,
          roles: [],
          effectivePermissions: body.permissions,
          ipAllowlist: body.ip_allowlist,
          expiresAtMs,
          refreshTokens: body.refresh_tokens,
          refreshRequiresClientAuth: body.refresh_requires_client_auth,
          chosenSecret: body.client_secret ?? null,
        },
        actor,
      );
      return {
        status: 201,
        headers: { Location: `/v1/projects/${project.id}/keys/${apiKey.id}` },
        body: { ...toApiKeyJson(apiKey), client_secret: clientSecret },
      };
    },
  });

  const show = projectOperation({
    id: 'getApiKey',
    method: 'GET',
    path: ONE,
    tag,
    summary: 'Show an API key',
    action: 'read',
    resource,
    answers: { 200: apiKeySchema },
    async handle({ params }, { project }) {
      const key = await management.find(project, params['key'] ?? '');
      if (key === null) throw noSuchKey();
      return { status: 200, body: toApiKeyJson(key) };
    },
  });

  const update = projectOperation({
    id: 'updateApiKey',
    method: 'PATCH',
    path: ONE,
    tag,
    summary: 'Edit, revoke or restore an API key',
    action: 'update',
    resource,
    body: updateApiKeySchema,
    answers: { 200: apiKeySchema },
    problems: ['permission_exceeds_grantor'],
    async handle({ params, body }, { project, actor }) {
      const key = await management.setValidity(project, params['key'] ?? '', body.is_valid, actor);
      if (key === null) throw noSuchKey();
      return { status: 200, body: toApiKeyJson(key) };
    },
  });

  const remove = projectOperation({
    id: 'deleteApiKey',
    method: 'DELETE',
    path: ONE,
    tag,
    summary: 'Delete an API key for good',
    action: 'delete',
    resource,
    answers: { 204: null },
    async handle({ params }, { project, actor }) {
      if (!(await management.delete(project, params['key'] ?? '', actor))) throw noSuchKey();
      return { status: 204 };
    },
  });

  return [list, create, show, update, remove];
}
