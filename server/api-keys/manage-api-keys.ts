import { clientIdSuffixOf } from '@keyturn/lib/protocol';
import type { Actor } from '../access-control/actor.ts';
import { assertGrantable } from '../access-control/grant-rule.ts';
import type { MemberStore } from '../access-control/member-store.ts';
import { assertKnownPermissions } from '../access-control/permission-catalog.ts';
import type { PermissionCatalogStore } from '../access-control/permission-catalog-store.ts';
import type { Project } from '../access-control/project.ts';
import type { RequestedAssignment, RoleStore } from '../access-control/role-store.ts';
import { newAuditEvent } from '../audit/audit-event.ts';
import type { Clock } from '../clock.ts';
import { assertExpectedVersion, type ExpectedVersions, VersionMismatch } from '../object-version.ts';
import type { Page, PageRequest } from '../page.ts';
import type { ApiKey } from './api-key.ts';
import type { ApiKeyFilter, ApiKeySort, ApiKeyStore } from './api-key-store.ts';
import { assertTokenFits } from './assert-token-fits.ts';
import { describeApiKey } from './describe-api-key.ts';
import { type ApiKeyEdit, decideEdit } from './edit-api-key.ts';
import { givenRoles } from './given-roles.ts';
import { type ApiKeyDescription, makeApiKey, makeSecret, type NewApiKey } from './new-api-key.ts';
import { assertMayRegenerate, decideRegeneration } from './regenerate-api-key.ts';
import type { SecretHasher } from './secret-hasher.ts';

/** Nobody answers for a key who has no part in its project. */
export class OwnerNotMember extends Error {
  constructor() {
    super('the owner of an API key must be a member of its project');
    this.name = 'OwnerNotMember';
  }
}

export type CreateApiKey = Omit<
  ApiKeyDescription,
  'projectId' | 'ownerId' | 'createdBy' | 'roles' | 'effectivePermissions'
> & {
  /** Null: the actor's user. */
  readonly ownerId: string | null;
  readonly roles: readonly RequestedAssignment[];
  /** Null: one is generated. */
  readonly chosenSecret: string | null;
};

export type EditApiKey = Omit<ApiKeyEdit, 'roles'> & { readonly roles?: readonly RequestedAssignment[] };

export interface RegenerateApiKey {
  /** Null: one is generated. */
  readonly chosenSecret: string | null;
  /** How long the secret of until now works beside the new one; 0 to 604,800. */
  readonly overlapSeconds: number;
}

/** Who writes, and which versions of the key they mean. */
export interface WriteContext {
  readonly actor: Actor;
  readonly expectedVersions: ExpectedVersions;
}

interface Dependencies {
  readonly apiKeys: ApiKeyStore;
  readonly roles: Pick<RoleStore, 'resolve'>;
  readonly members: Pick<MemberStore, 'find'>;
  readonly permissionCatalogs: Pick<PermissionCatalogStore, 'find'>;
  readonly secretHasher: SecretHasher;
  readonly clock: Clock;
  readonly issuer: string;
}

/** What people do with API keys. Each write stores an audit event with it. */
export function createApiKeyManagement(dependencies: Dependencies) {
  const { apiKeys, clock } = dependencies;
  return {
    async create(project: Project, wanted: CreateApiKey, actor: Actor): Promise<NewApiKey> {
      const [made] = await createAll(dependencies, project, [wanted], actor);
      return made as NewApiKey;
    },

    /** In their order: all of them, or none. */
    createAll: (project: Project, wanted: readonly CreateApiKey[], actor: Actor) =>
      createAll(dependencies, project, wanted, actor),

    list(project: Project, filter: ApiKeyFilter, page: PageRequest<ApiKeySort>): Promise<Page<ApiKey>> {
      return apiKeys.list(project.id, filter, page);
    },

    /** Null when the project has no such key. */
    find(project: Project, id: string): Promise<ApiKey | null> {
      return apiKeys.findInProject(project.id, id);
    },

    edit: (project: Project, id: string, wanted: EditApiKey, context: WriteContext) =>
      edit(dependencies, project, id, wanted, context),

    regenerate: (project: Project, id: string, wanted: RegenerateApiKey, context: WriteContext) =>
      regenerate(dependencies, project, id, wanted, context),

    /**
     * Those of `ids` that were keys of the project and are deleted now: all of them, or none when it fails.
     *
     * @throws {VersionMismatch | DependencyUnavailable}
     */
    delete(project: Project, ids: readonly string[], { actor, expectedVersions }: WriteContext) {
      return apiKeys.delete(project.id, ids, ({ id, projectId, clientId, name, version }) => {
        assertExpectedVersion(version, expectedVersions);
        const detail = { client_id: clientId, name };
        return newAuditEvent(clock, 'api_key.deleted', actor, { projectId, objectId: id, detail });
      });
    },
  };
}

export type ApiKeyManagement = ReturnType<typeof createApiKeyManagement>;

/**
 * @throws {PermissionExceedsGrantor | TokenTooLarge | ApiKeyNameTaken | OwnerNotMember | UnknownPermissions}
 * @throws {UnknownAssignment | RoleNotPlaceable | SecretHasherBusy | DependencyUnavailable}
 */
async function createAll(
  dependencies: Dependencies,
  project: Project,
  wanted: readonly CreateApiKey[],
  actor: Actor,
): Promise<readonly NewApiKey[]> {
  const made: NewApiKey[] = [];
  // One after the other: of secrets that are hashed at the same time most would be turned away.
  for (const each of wanted) made.push(await make(dependencies, project, each, actor));
  const keys = made.map(({ apiKey }) => apiKey);
  const events = keys.map((key) =>
    newAuditEvent(dependencies.clock, 'api_key.created', actor, {
      projectId: project.id,
      objectId: key.id,
      detail: { after: describeApiKey(key) },
    }),
  );
  await dependencies.apiKeys.insertAll(keys, events);
  return made;
}

async function make(
  dependencies: Dependencies,
  project: Project,
  { chosenSecret, ownerId, roles, permissions, ...wanted }: CreateApiKey,
  actor: Actor,
): Promise<NewApiKey> {
  if (ownerId !== null) await assertMember(dependencies, project, ownerId, actor);
  await assertInCatalog(dependencies, project, permissions);
  const given = givenRoles(permissions, await dependencies.roles.resolve(project.id, roles));
  assertGrantable(given.effectivePermissions, actor);
  const description = { ...wanted, ...given, projectId: project.id, createdBy: actor.actorId };
  const made = await makeApiKey({ ...description, ownerId: ownerId ?? actor.userId }, chosenSecret, dependencies);
  assertTokenFits(made.apiKey, project, dependencies.issuer);
  return made;
}

/**
 * The key as it is afterwards; null when the project has no such key.
 *
 * @throws {VersionMismatch | PermissionExceedsGrantor | TokenTooLarge | ApiKeyNameTaken | OwnerNotMember}
 * @throws {UnknownPermissions | UnknownAssignment | RoleNotPlaceable | DependencyUnavailable}
 */
async function edit(
  dependencies: Dependencies,
  project: Project,
  id: string,
  { roles: requested, ...fields }: EditApiKey,
  context: WriteContext,
): Promise<ApiKey | null> {
  const { apiKeys, clock, issuer } = dependencies;
  const known = await apiKeys.findInProject(project.id, id);
  if (known === null) return null;
  if (fields.ownerId !== undefined && fields.ownerId !== known.ownerId)
    await assertMember(dependencies, project, fields.ownerId, context.actor);
  if (fields.permissions !== undefined) await assertInCatalog(dependencies, project, fields.permissions);
  const roles = requested && (await dependencies.roles.resolve(project.id, requested));
  const wanted: ApiKeyEdit = roles === undefined ? fields : { ...fields, roles };
  return apiKeys.update(project.id, id, (current, assigned) =>
    decideEdit(current, assigned, wanted, { ...context, project, clock, issuer }),
  );
}

/**
 * The key with its new secret; null when the project has no such key.
 *
 * @throws {VersionMismatch | PermissionExceedsGrantor | SecretHasherBusy | DependencyUnavailable}
 */
async function regenerate(
  { apiKeys, clock, secretHasher }: Dependencies,
  project: Project,
  id: string,
  { chosenSecret, overlapSeconds }: RegenerateApiKey,
  context: WriteContext,
): Promise<NewApiKey | null> {
  const known = await apiKeys.findInProject(project.id, id);
  const suffix = known && clientIdSuffixOf(known.clientId);
  if (known === null || suffix === null) return null;
  // Also before: nobody keeps the hasher busy for what they will be refused.
  assertMayRegenerate(known, context);
  const secret = await makeSecret(suffix, chosenSecret, secretHasher, overlapSeconds > 0 ? known.secretHash : null);
  const apiKey = await apiKeys.update(project.id, id, (current) => {
    // Somebody else regenerated it meanwhile: this secret was not made to stand beside theirs.
    if (current.secretVersion !== known.secretVersion) throw new VersionMismatch();
    return decideRegeneration(current, secret, overlapSeconds, { ...context, clock });
  });
  return apiKey && { apiKey, clientSecret: secret.clientSecret };
}

async function assertMember({ members }: Dependencies, { id }: Project, userId: string, actor: Actor): Promise<void> {
  if (userId !== actor.userId && (await members.find(id, userId)) === null) throw new OwnerNotMember();
}

async function assertInCatalog(
  { permissionCatalogs }: Dependencies,
  { id }: Project,
  permissions: readonly string[],
): Promise<void> {
  if (permissions.length > 0) assertKnownPermissions(await permissionCatalogs.find(id), permissions);
}
