import type { AssignedPermissions, RoleAssignment } from './role-assignment.ts';

/** A named set of permissions, given to API keys and members. */
export interface Role {
  /** `rol_…` */
  readonly id: string;
  readonly projectId: string;
  /** Stands for the id in paths; unique in the project, never changes. */
  readonly slug: string;
  readonly name: string;
  readonly description: string | null;
  readonly permissions: readonly string[];
  /** See {@link BUILT_IN_ROLES}: not edited, not deleted. */
  readonly isBuiltIn: boolean;
  /** From 1, up by one with each write. */
  readonly version: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** An assignment with what it gives. */
export interface ResolvedAssignment extends RoleAssignment, AssignedPermissions {}
