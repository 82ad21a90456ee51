/** What is done with API keys beside their reading and writing: `…/keys/{key}/regenerate`, `…/keys/bulk-delete`. */
import {
  apiKeyWithSecretSchema,
  bulkDeleteApiKeysSchema,
  bulkDeletedApiKeysSchema,
  regenerateApiKeySchema,
  toApiKeyJson,
} from '../api-key-schemas.ts';
import { type Operation, projectOperation } from '../operation.ts';
import { type ApiKeyOperationDependencies, noSuchKey } from './api-key-operation.ts';

const shared = { tag: 'API keys', resource: 'api-key', method: 'POST' } as const;

export function createApiKeyActionOperations(dependencies: ApiKeyOperationDependencies): readonly Operation[] {
  return [regenerate(dependencies), bulkDelete(dependencies)];
}

const regenerate = ({ management, clock }: ApiKeyOperationDependencies) =>
  projectOperation({
    ...shared,
    id: 'regenerateApiKey',
    path: '/projects/{project}/keys/{key}/regenerate',
    summary: 'Give an API key another secret; it is in this answer and nowhere else',
    description:
      'client_id stays. With overlap_seconds the secret of until now works for so long beside the new one; one that was ' +
      'still working from an earlier overlap ends at once. A revoked key stays revoked.',
    action: 'update',
    body: regenerateApiKeySchema,
    answers: { 200: apiKeyWithSecretSchema },
    problems: ['permission_exceeds_grantor', 'too_many_requests', 'version_mismatch'],
    async handle({ params, body, expectedVersions }, { project, actor }) {
      const wanted = { chosenSecret: body.client_secret ?? null, overlapSeconds: body.overlap_seconds };
      const made = await management.regenerate(project, params['key'] ?? '', wanted, { actor, expectedVersions });
      if (made === null) throw noSuchKey();
      const { apiKey, clientSecret } = made;
      const shown = { ...toApiKeyJson(apiKey, clock.nowMs()), client_secret: clientSecret };
      return { status: 200, version: apiKey.version, body: shown };
    },
  });

const bulkDelete = ({ management }: ApiKeyOperationDependencies) =>
  projectOperation({
    ...shared,
    id: 'bulkDeleteApiKeys',
    path: '/projects/{project}/keys/bulk-delete',
    summary: 'Delete up to 500 API keys for good',
    description:
      'All that are keys of the project are deleted together, or none when the request fails. An id of another project ' +
      'is answered as an unknown one.',
    action: 'delete',
    body: bulkDeleteApiKeysSchema,
    answers: { 200: bulkDeletedApiKeysSchema },
    async handle({ body: { ids } }, { project, actor }) {
      const deleted = await management.delete(project, ids, { actor, expectedVersions: null });
      const results = ids.map((id) =>
        deleted.has(id) ? { id, status: 'deleted' } : { id, status: 'failed', code: 'not_found' },
      );
      return { status: 200, body: { results } };
    },
  });
