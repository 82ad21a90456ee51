import { PermissionSet } from '@keyturn/lib/protocol';
import type { Request } from 'express';
import type { Actor } from '../access-control/actor.ts';
import { decideAccess, grantablePermissions, type Principal } from '../access-control/decide-access.ts';
import type { Project } from '../access-control/project.ts';
import type { ProjectStore } from '../access-control/project-store.ts';
import type { ApiKeyStore } from '../api-keys/api-key-store.ts';
import { decideUsability } from '../api-keys/decide-usability.ts';
import { isOfLivingSecret, readyApiKey } from '../api-keys/ready-api-key.ts';
import type { Clock } from '../clock.ts';
import { typeIdOfUuid } from '../type-id.ts';
import type { GrantableIn } from '../users/manage-users.ts';
import { accessTokenOf } from './middleware/authenticate-v1.ts';
import { Problem } from './problem.ts';

/** Who calls, once it is known that they still may. */
export interface Caller {
  readonly actorId: string;
  readonly userId: string;
  /** What they hold, which for a user depends on the project. */
  principalIn(project: Project | null): Promise<Principal>;
}

/** A person who is signed in to the console; null: the request has no such session. */
export type IdentifyUser = (request: Request) => Promise<Caller | null>;

/**
 * Who may manage what. The access token alone does not decide here, as it does at sibling services: the key that it stands
 * for is looked up, in the database itself, so that a revoked key can't restore itself or make another, and permissions
 * that it has lost since are not used or handed on.
 */
export function createAuthorizer({
  projects,
  apiKeys,
  identifyUser,
  clock,
}: {
  readonly projects: Pick<ProjectStore, 'find'>;
  readonly apiKeys: Pick<ApiKeyStore, 'findById'>;
  readonly identifyUser: IdentifyUser;
  readonly clock: Clock;
}) {
  async function identifyApiKey(request: Request): Promise<Caller> {
    const accessToken = accessTokenOf(request);
    const { keyId, projectId, permissions } = accessToken;
    const found = await apiKeys.findById(keyId);
    const key = found && readyApiKey(found);
    const nowMs = clock.nowMs();
    const reason = key === null ? 'api_key_deleted' : decideUsability(key, request.clientIp, nowMs);
    if (key === null || reason !== null)
      throw new Problem('unauthenticated', 'the API key of this access token is no longer valid', { reason });
    // Else whoever has got hold of a secret that is replaced because of it has two hours to make keys of their own.
    if (!isOfLivingSecret(key, accessToken, nowMs))
      throw new Problem('unauthenticated', 'the secret of this access token was replaced; exchange the new one', {
        reason: 'secret_replaced',
      });
    const held = PermissionSet.parse(permissions).intersect(key.rules.permissionSet);
    const principal = { projectId, permissions: held.permissions, can: (permission: string) => held.can(permission) };
    return { actorId: keyId, userId: key.ownerId, principalIn: async () => principal };
  }

  const actorOf = (request: Request, { actorId, userId }: Caller, grantable: readonly string[]): Actor => ({
    actorId,
    userId,
    grantable,
    ip: request.clientIp?.text ?? null,
    requestId: request.requestId,
  });

  /** @throws {Problem} unauthenticated */
  async function identify(request: Request): Promise<Caller> {
    return (await identifyUser(request)) ?? identifyApiKey(request);
  }

  return {
    identify,

    /**
     * The project of the path and the caller, once the caller may do `action` on a `resource` there.
     *
     * @throws {Problem} unauthenticated, permission_missing, not_found
     */
    async inProject(
      request: Request,
      action: string,
      resource: string,
    ): Promise<{ readonly project: Project; readonly actor: Actor }> {
      const caller = await identify(request);
      const project = await findProject(projects, String(request.params['project'] ?? ''));
      const principal = await caller.principalIn(project);
      const decision = decideAccess(principal, project, action, resource);
      if (decision.outcome === 'forbidden') throw permissionMissing(decision.requiredPermission);
      if (decision.outcome === 'absent' || project === null) throw new Problem('not_found', 'no such project');
      return { project, actor: actorOf(request, caller, grantablePermissions(principal, project)) };
    },

    /**
     * The caller, once it may do `action` on a `resource` that belongs to no project.
     *
     * @throws {Problem} unauthenticated, permission_missing
     */
    async inInstallation(
      request: Request,
      action: string,
      resource: string,
    ): Promise<{ readonly actor: Actor; readonly grantableIn: GrantableIn }> {
      const caller = await identify(request);
      const principal = await caller.principalIn(null);
      const required = `${action}:keyturn-installation/${resource}`;
      if (!principal.can(required)) throw permissionMissing(required);
      async function grantableIn(projectId: string): Promise<readonly string[]> {
        const project = await projects.find(projectId);
        return project === null ? [] : grantablePermissions(await caller.principalIn(project), project);
      }
      return { actor: actorOf(request, caller, principal.permissions), grantableIn };
    },
  };
}

export type Authorizer = ReturnType<typeof createAuthorizer>;

/** By id, by the UUID in the id, as Calyptia's clients name a project, or by slug. */
async function findProject(projects: Pick<ProjectStore, 'find'>, text: string): Promise<Project | null> {
  const id = typeIdOfUuid('prj', text);
  return (id === null ? null : await projects.find(id)) ?? projects.find(text);
}

function permissionMissing(requiredPermission: string): Problem {
  return new Problem('permission_missing', `this takes ${requiredPermission}, which you do not hold`, {
    required_permission: requiredPermission,
  });
}
