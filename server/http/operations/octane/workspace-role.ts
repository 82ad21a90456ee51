/**
 * ALM Octane's workspace role: a role together with where it is given. Its id is `<role>` for the whole project, which Octane
 * calls a shared space role, and `<role>.<workspace>` in a workspace.
 */
import { z } from 'zod';
import type { Role } from '../../../access-control/role.ts';
import type { RoleAssignment } from '../../../access-control/role-assignment.ts';
import type { RequestedAssignment } from '../../../access-control/role-store.ts';
import type { Workspace } from '../../../access-control/workspace.ts';
import { reference } from './octane-list.ts';

/** What an id asks for, ids or slugs. Neither has a dot in it. */
export function parseWorkspaceRoleId(id: string): RequestedAssignment {
  const [role = '', ...workspace] = id.split('.');
  return { role, workspace: workspace.length === 0 ? null : workspace.join('.') };
}

export function formatWorkspaceRoleId({ roleId, workspaceId }: RoleAssignment): string {
  return workspaceId === null ? roleId : `${roleId}.${workspaceId}`;
}

/** Slugs never change, and so neither does what clients know a role by. */
const logicalNameOf = ({ slug }: Role): string => `role.project.${slug}`;

export const toRoleReference = (role: Role) => ({
  type: 'role',
  id: role.id,
  logical_name: logicalNameOf(role),
  name: role.name,
});

/** @param workspace null: the whole project */
export function toWorkspaceRoleJson(role: Role, workspace: Workspace | null) {
  return {
    type: 'workspace_role',
    id: formatWorkspaceRoleId({ roleId: role.id, workspaceId: workspace?.id ?? null }),
    role: toRoleReference(role),
    workspace: workspace && { type: 'workspace', id: workspace.id, name: workspace.name },
  };
}

const roleReference = reference('role').extend({ logical_name: z.string(), name: z.string() });

export const workspaceRoleSchema = reference('workspace_role')
  .extend({
    role: roleReference,
    workspace: reference('workspace').extend({ name: z.string() }).nullable().meta({
      description: 'Null: the role holds in the whole shared space',
    }),
  })
  .partial({ role: true, workspace: true })
  .meta({ id: 'OctaneWorkspaceRole' });
