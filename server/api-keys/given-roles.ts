import { InvalidPermission } from '@keyturn/lib/protocol';
import type { ResolvedAssignment } from '../access-control/role.ts';
import { effectivePermissions } from '../access-control/role-assignment.ts';
import type { ApiKey } from './api-key.ts';

/** A permission of the role is too long or too deep to be placed in that workspace. */
export class RoleNotPlaceable extends Error {
  readonly roleId: string;
  readonly reason: string;

  constructor(roleId: string, reason: string) {
    super('the role can not be placed in that workspace');
    this.name = 'RoleNotPlaceable';
    this.roleId = roleId;
    this.reason = reason;
  }
}

const byRoleThenWorkspace = (a: ResolvedAssignment, b: ResolvedAssignment) =>
  compare(a.roleId, b.roleId) || compare(a.workspaceId ?? '', b.workspaceId ?? '');
const compare = (a: string, b: string) => Number(a > b) - Number(a < b);

/**
 * What a key is that has these permissions of its own and these roles, each once and in the order that they are read in.
 *
 * @throws {RoleNotPlaceable}
 */
export function givenRoles(
  permissions: readonly string[],
  assigned: readonly ResolvedAssignment[],
): Pick<ApiKey, 'permissions' | 'roles' | 'effectivePermissions'> {
  const sorted = [...assigned].sort(byRoleThenWorkspace);
  for (const each of sorted) assertPlaceable(each);
  return {
    permissions,
    roles: sorted.map(({ roleId, workspaceId }) => ({ roleId, workspaceId })),
    effectivePermissions: effectivePermissions(permissions, sorted),
  };
}

function assertPlaceable(assigned: ResolvedAssignment): void {
  try {
    effectivePermissions([], [assigned]);
  } catch (error) {
    if (error instanceof InvalidPermission) throw new RoleNotPlaceable(assigned.roleId, error.message);
    throw error;
  }
}
