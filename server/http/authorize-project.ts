import { PermissionSet } from '@keyturn/lib/protocol';
import type { Request } from 'express';
import { decideAccess, grantablePermissions } from '../access-control/decide-access.ts';
import type { Project } from '../access-control/project.ts';
import type { ProjectStore } from '../access-control/project-store.ts';
import type { ApiKeyStore } from '../api-keys/api-key-store.ts';
import { decideUsability } from '../api-keys/decide-usability.ts';
import type { Actor } from '../api-keys/manage-api-keys.ts';
import { readyApiKey } from '../api-keys/ready-api-key.ts';
import type { Clock } from '../clock.ts';
import { accessTokenOf } from './middleware/authenticate-v1.ts';
import { Problem } from './problem.ts';

export interface Authorized {
  readonly project: Project;
  readonly actor: Actor;
}

/**
 * Who may manage what in a project. The access token alone does not decide here, as it does at sibling services: the key
 * that it stands for is looked up, in the database itself, so that a revoked key can't restore itself or make another, and
 * permissions that it has lost since are not used or handed on.
 */
export function createProjectAuthorizer({
  projects,
  apiKeys,
  clock,
}: {
  readonly projects: ProjectStore;
  readonly apiKeys: Pick<ApiKeyStore, 'findById'>;
  readonly clock: Clock;
}) {
  /**
   * The project of the path and the caller, once the caller may do `action` on a `resource` there.
   *
   * @throws {Problem} unauthenticated, permission_missing, not_found
   */
  return async function authorize(
    request: Request<{ project?: string }>,
    action: string,
    resource: string,
  ): Promise<Authorized> {
    const { keyId, projectId, permissions } = accessTokenOf(request);
    const found = await apiKeys.findById(keyId);
    const key = found && readyApiKey(found);
    const reason = key === null ? 'api_key_deleted' : decideUsability(key, request.clientIp, clock.nowMs());
    if (key === null || reason !== null)
      throw new Problem('unauthenticated', 'the API key of this access token is no longer valid', { reason });

    const held = PermissionSet.parse(permissions).intersect(key.rules.permissionSet);
    const principal = {
      keyId,
      projectId,
      permissions: held.permissions,
      can: (permission: string) => held.can(permission),
    };
    const project = await projects.find(request.params.project ?? '');
    const decision = decideAccess(principal, project, action, resource);
    if (decision.outcome === 'forbidden') {
      const { requiredPermission } = decision;
      throw new Problem('permission_missing', `this takes ${requiredPermission}`, {
        required_permission: requiredPermission,
      });
    }
    if (decision.outcome === 'absent' || project === null) throw new Problem('not_found', 'no such project');
    const actor: Actor = {
      keyId,
      ownerId: key.ownerId,
      grantable: grantablePermissions(principal, project),
      ip: request.clientIp?.text ?? null,
      requestId: request.requestId,
    };
    return { project, actor };
  };
}

export type ProjectAuthorizer = ReturnType<typeof createProjectAuthorizer>;
