/** `/v1/projects/{project}/keys`. */
import { z } from 'zod';
import type { EditApiKey } from '../../api-keys/manage-api-keys.ts';
import type { Clock } from '../../clock.ts';
import { listApiKeysSchema, toApiKeyFilter } from '../api-key-list-query.ts';
import {
  apiKeySchema,
  apiKeyWithSecretSchema,
  type CreateApiKeyBody,
  createApiKeySchema,
  toApiKeyJson,
  type UpdateApiKeyBody,
  updateApiKeySchema,
} from '../api-key-schemas.ts';
import { fieldsParameter, listAnswer, listSchema, selectFields, toPageRequest } from '../list-query.ts';
import { type Operation, projectOperation } from '../operation.ts';
import { invalidField } from '../refusals.ts';
import { createApiKeyActionOperations } from './api-key-actions.ts';
import { type ApiKeyOperationDependencies, noSuchKey } from './api-key-operation.ts';

const COLLECTION = '/projects/{project}/keys';
const ONE = '/projects/{project}/keys/{key}';
const shared = { tag: 'API keys', resource: 'api-key' } as const;

export function createApiKeyOperations(dependencies: ApiKeyOperationDependencies): readonly Operation[] {
  // First: Express would take `bulk-delete` for the id of a key.
  const actions = createApiKeyActionOperations(dependencies);
  return [...actions, ...[list, create, show, update, remove].map((define) => define(dependencies))];
}

const list = ({ management, clock }: ApiKeyOperationDependencies) =>
  projectOperation({
    ...shared,
    id: 'listApiKeys',
    method: 'GET',
    path: COLLECTION,
    summary: 'List the API keys of a project',
    action: 'read',
    query: listApiKeysSchema,
    answers: { 200: listSchema(apiKeySchema) },
    async handle({ query }, { project }) {
      const page = await management.list(project, toApiKeyFilter(query), toPageRequest(query));
      return listAnswer(page, query, (key) => toApiKeyJson(key, clock.nowMs()));
    },
  });

const create = ({ management, clock }: ApiKeyOperationDependencies) =>
  projectOperation({
    ...shared,
    id: 'createApiKey',
    method: 'POST',
    path: COLLECTION,
    summary: 'Create an API key; its secret is in this answer and nowhere else',
    action: 'create',
    body: createApiKeySchema,
    answers: { 201: apiKeyWithSecretSchema },
    problems: ['name_taken', 'permission_exceeds_grantor', 'token_too_large', 'too_many_requests'],
    async handle({ body }, { project, actor }) {
      assertInFuture(body.expires_at, clock);
      const { apiKey, clientSecret } = await management.create(project, toNewKey(body), actor);
      return {
        status: 201,
        headers: { Location: `/v1/projects/${project.id}/keys/${apiKey.id}` },
        version: apiKey.version,
        body: { ...toApiKeyJson(apiKey, clock.nowMs()), client_secret: clientSecret },
      };
    },
  });

const show = ({ management, clock }: ApiKeyOperationDependencies) =>
  projectOperation({
    ...shared,
    id: 'getApiKey',
    method: 'GET',
    path: ONE,
    summary: 'Show an API key',
    action: 'read',
    query: z.strictObject({ fields: fieldsParameter }),
    answers: { 200: apiKeySchema },
    async handle({ params, query }, { project }) {
      const key = await management.find(project, params['key'] ?? '');
      if (key === null) throw noSuchKey();
      const body = selectFields(toApiKeyJson(key, clock.nowMs()), query.fields);
      return { status: 200, version: key.version, body };
    },
  });

const update = ({ management, clock }: ApiKeyOperationDependencies) =>
  projectOperation({
    ...shared,
    id: 'updateApiKey',
    method: 'PATCH',
    path: ONE,
    summary: 'Edit, revoke or restore an API key; its secret stays',
    action: 'update',
    body: updateApiKeySchema,
    answers: { 200: apiKeySchema },
    problems: ['name_taken', 'permission_exceeds_grantor', 'token_too_large', 'version_mismatch'],
    async handle({ params, body, expectedVersions }, { project, actor }) {
      assertInFuture(body.expires_at ?? null, clock);
      const key = await management.edit(project, params['key'] ?? '', toEdit(body), { actor, expectedVersions });
      if (key === null) throw noSuchKey();
      return { status: 200, version: key.version, body: toApiKeyJson(key, clock.nowMs()) };
    },
  });

const remove = ({ management }: ApiKeyOperationDependencies) =>
  projectOperation({
    ...shared,
    id: 'deleteApiKey',
    method: 'DELETE',
    path: ONE,
    summary: 'Delete an API key for good',
    action: 'delete',
    answers: { 204: null },
    problems: ['version_mismatch'],
    async handle({ params, expectedVersions }, { project, actor }) {
      const deleted = await management.delete(project, [params['key'] ?? ''], { actor, expectedVersions });
      if (deleted.size === 0) throw noSuchKey();
      return { status: 204 };
    },
  });

function assertInFuture(expiresAtMs: number | null, clock: Clock): void {
  if (expiresAtMs !== null && expiresAtMs <= clock.nowMs()) throw invalidField('expires_at', 'must be in the future');
}

const toNewKey = (body: CreateApiKeyBody) => ({
  name: body.name,
  description: body.description,
  ownerId: body.owner_id ?? null,
  permissions: body.permissions,
  roles: body.roles,
  ipAllowlist: body.ip_allowlist,
  expiresAtMs: body.expires_at,
  refreshTokens: body.refresh_tokens,
  refreshRequiresClientAuth: body.refresh_requires_client_auth,
  chosenSecret: body.client_secret ?? null,
});

/** Only what was sent: an absent field stays as it is. */
const toEdit = (body: UpdateApiKeyBody): EditApiKey => ({
  ...(body.name !== undefined && { name: body.name }),
  ...(body.description !== undefined && { description: body.description }),
  ...(body.owner_id !== undefined && { ownerId: body.owner_id }),
  ...(body.permissions !== undefined && { permissions: body.permissions }),
  ...(body.roles !== undefined && { roles: body.roles }),
  ...(body.ip_allowlist !== undefined && { ipAllowlist: body.ip_allowlist }),
  ...(body.expires_at !== undefined && { expiresAtMs: body.expires_at }),
  ...(body.is_valid !== undefined && { isValid: body.is_valid }),
  ...(body.refresh_tokens !== undefined && { refreshTokens: body.refresh_tokens }),
  ...(body.refresh_requires_client_auth !== undefined && {
    refreshRequiresClientAuth: body.refresh_requires_client_auth,
  }),
});
