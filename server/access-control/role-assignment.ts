import { permissionWithin } from '@keyturn/lib/protocol';

/** A role given to an API key or a member. */
export interface RoleAssignment {
  /** `rol_…` */
  readonly roleId: string;
  /** `wsp_…`; null: in the whole project. */
  readonly workspaceId: string | null;
}

/** What an assignment means: the role's permissions, and where. */
export interface AssignedPermissions {
  readonly permissions: readonly string[];
  /** Null: in the whole project. */
  readonly workspaceSlug: string | null;
}

/**
 * Own permissions and those of the roles, each once. A role in a workspace counts below `workspace/<slug>` only.
 *
 * @throws {InvalidPermission} when a role's permission is too long or too deep to be placed in its workspace
 */
export function effectivePermissions(own: readonly string[], assigned: readonly AssignedPermissions[]): string[] {
  const placed = assigned.flatMap(({ permissions, workspaceSlug }) =>
    workspaceSlug === null ? permissions : permissions.map((permission) => permissionWithin(permission, workspaceSlug)),
  );
  return [...new Set([...own, ...placed])];
}
