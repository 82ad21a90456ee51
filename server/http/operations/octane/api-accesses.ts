/** `/api/shared_spaces/{project}/api_accesses`: API keys as ALM Octane's page prints them. */
import type { Project } from '../../../access-control/project.ts';
import { type RoleStore, UnknownAssignment } from '../../../access-control/role-store.ts';
import type { ApiKey } from '../../../api-keys/api-key.ts';
import type { ApiKeyManagement, CreateApiKey, WriteContext } from '../../../api-keys/manage-api-keys.ts';
import { type Operation, projectOperation } from '../../operation.ts';
import { invalidField } from '../../refusals.ts';
import { noSuchKey } from '../api-key-operation.ts';
import {
  apiAccessSchema,
  createApiAccessesSchema,
  type NewApiAccess,
  toApiAccessJson,
  updateApiAccessSchema,
} from './api-access-schemas.ts';
import { octaneFields, octaneListAnswer, octaneListSchema, readFirst, tag } from './octane-list.ts';
import { parseWorkspaceRoleId } from './workspace-role.ts';

const COLLECTION = '/shared_spaces/{project}/api_accesses';
const ONE = `${COLLECTION}/{api_access}`;
const shared = { base: '/api', tag, resource: 'api-key', query: octaneFields(apiAccessSchema) } as const;

const toCreateApiKey = (wanted: NewApiAccess): CreateApiKey => ({
  name: wanted.name,
  description: null,
  ownerId: null,
  permissions: [],
  roles: wanted.workspace_roles.data.map(({ id }) => parseWorkspaceRoleId(id)),
  ipAllowlist: [],
  expiresAtMs: wanted.expiration,
  refreshTokens: true,
  refreshRequiresClientAuth: false,
  chosenSecret: wanted.client_secret,
});

export interface ApiAccessDependencies {
  readonly management: ApiKeyManagement;
  readonly roles: Pick<RoleStore, 'resolve'>;
}

/** What the domain would refuse as a role or workspace is told in the words of the request. */
async function assertWorkspaceRoles(
  { roles }: ApiAccessDependencies,
  { id }: Project,
  wanted: readonly CreateApiKey[],
) {
  for (const [at, { roles: requested }] of wanted.entries()) {
    try {
      await roles.resolve(id, requested);
    } catch (error) {
      if (!(error instanceof UnknownAssignment)) throw error;
      const field = `data.${at}.workspace_roles.data.${error.index}.id`;
      throw invalidField(field, `names no ${error.what} of this shared space`);
    }
  }
}

/** Null when the project has no such key. */
async function regenerate(
  { management }: ApiAccessDependencies,
  { project, id, chosenSecret }: { readonly project: Project; readonly id: string; readonly chosenSecret: string },
  context: WriteContext,
): Promise<ApiKey | null> {
  const made = await management.regenerate(project, id, { chosenSecret, overlapSeconds: 0 }, context);
  if (made === null || made.apiKey.isValid) return made?.apiKey ?? null;
  // In this order: the secret of before must not come to life again in between.
  return management.edit(project, id, { isValid: true }, { ...context, expectedVersions: [made.apiKey.version] });
}

export function createApiAccessOperations(dependencies: ApiAccessDependencies): readonly Operation[] {
  return [list, create, show, update].map((define) => define(dependencies));
}

const list = ({ management }: ApiAccessDependencies) =>
  projectOperation({
    ...shared,
    id: 'listOctaneApiAccesses',
    method: 'GET',
    path: COLLECTION,
    summary: 'List the API keys of a shared space',
    action: 'read',
    answers: { 200: octaneListSchema(apiAccessSchema) },
    async handle({ query }, { project }) {
      const { items, hasMore } = await readFirst((page) => management.list(project, {}, page));
      return octaneListAnswer({ items: items.map((key) => toApiAccessJson(key, query.fields)), hasMore });
    },
  });

const create = (dependencies: ApiAccessDependencies) =>
  projectOperation({
    ...shared,
    id: 'createOctaneApiAccesses',
    method: 'POST',
    path: COLLECTION,
    summary: 'Create API keys with chosen secrets: all of them or none',
    action: 'create',
    body: createApiAccessesSchema,
    answers: { 201: octaneListSchema(apiAccessSchema) },
    problems: ['name_taken', 'permission_exceeds_grantor', 'token_too_large', 'too_many_requests'],
    async handle({ query, body }, { project, actor }) {
      const wanted = body.data.map(toCreateApiKey);
      await assertWorkspaceRoles(dependencies, project, wanted);
      const made = await dependencies.management.createAll(project, wanted, actor);
      return octaneListAnswer(
        { items: made.map(({ apiKey }) => toApiAccessJson(apiKey, query.fields)), hasMore: false },
        201,
      );
    },
  });

const show = ({ management }: ApiAccessDependencies) =>
  projectOperation({
    ...shared,
    id: 'getOctaneApiAccess',
    method: 'GET',
    path: ONE,
    summary: 'Show an API key',
    action: 'read',
    answers: { 200: apiAccessSchema },
    async handle({ params, query }, { project }) {
      const key = await management.find(project, params['api_access'] ?? '');
      if (key === null) throw noSuchKey();
      return { status: 200, version: key.version, body: toApiAccessJson(key, query.fields) };
    },
  });

const update = (dependencies: ApiAccessDependencies) =>
  projectOperation({
    ...shared,
    id: 'updateOctaneApiAccess',
    method: 'PUT',
    path: ONE,
    summary: 'Revoke, restore or regenerate an API key; its client_id stays',
    action: 'update',
    body: updateApiAccessSchema,
    answers: { 200: apiAccessSchema },
    problems: ['permission_exceeds_grantor', 'version_mismatch', 'too_many_requests'],
    async handle({ params, query, body, expectedVersions }, { project, actor }) {
      const id = params['api_access'] ?? '';
      const context = { actor, expectedVersions };
      const key =
        body.client_secret === undefined
          ? await dependencies.management.edit(project, id, { isValid: body.is_valid }, context)
          : await regenerate(dependencies, { project, id, chosenSecret: body.client_secret }, context);
      if (key === null) throw noSuchKey();
      return { status: 200, version: key.version, body: toApiAccessJson(key, query.fields) };
    },
  });
