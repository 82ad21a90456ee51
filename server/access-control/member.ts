import type { RoleAssignment } from './role-assignment.ts';

/** A user in a project, and their roles there. */
export interface Member {
  readonly projectId: string;
  /** `usr_…` */
  readonly userId: string;
  readonly email: string | null;
  readonly name: string;
  readonly roles: readonly RoleAssignment[];
  /** What the roles give, workspaces worked in. */
  readonly permissions: readonly string[];
  readonly version: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}
