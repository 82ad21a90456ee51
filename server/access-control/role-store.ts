import type { ApiKey } from '../api-keys/api-key.ts';
import type { AuditEvent } from '../audit/audit-event.ts';
import type { Page, PageRequest } from '../page.ts';
import type { Decide, DecideDelete } from '../write.ts';
import type { ResolvedAssignment, Role } from './role.ts';

/** What an assignment was asked to be: ids or slugs. */
export interface RequestedAssignment {
  readonly role: string;
  /** Null: in the whole project. */
  readonly workspace: string | null;
}

/** The slug is taken in this project. */
export class SlugTaken extends Error {
  readonly slug: string;

  constructor(slug: string) {
    super('an object with this slug exists in the project');
    this.name = 'SlugTaken';
    this.slug = slug;
  }
}

/** An assignment names a role or workspace that the project does not have. */
export class UnknownAssignment extends Error {
  /** Position in the list. */
  readonly index: number;
  readonly what: 'role' | 'workspace';

  /** The id or slug that was given. */
  readonly given: string;

  constructor(index: number, what: 'role' | 'workspace', given: string) {
    super(`the project has no such ${what}`);
    this.name = 'UnknownAssignment';
    this.index = index;
    this.what = what;
    this.given = given;
  }
}

/** Something still uses the object, so it is not deleted. */
export class ObjectInUse extends Error {
  /** How many API keys and members, counted up to 1,000. */
  readonly keyCount: number;
  readonly memberCount: number;

  constructor(keyCount: number, memberCount: number) {
    super('the object is in use');
    this.name = 'ObjectInUse';
    this.keyCount = keyCount;
    this.memberCount = memberCount;
  }
}

/** A permission is too long or too deep for a workspace that the role is given in. */
export class PermissionNotPlaceable extends Error {
  readonly workspaceSlug: string;
  readonly reason: string;

  constructor(workspaceSlug: string, reason: string) {
    super('a permission can not be placed in a workspace that the role is given in');
    this.name = 'PermissionNotPlaceable';
    this.workspaceSlug = workspaceSlug;
    this.reason = reason;
  }
}

/** An API key that has the role, with all its roles. */
export interface RoleHolder {
  readonly key: ApiKey;
  readonly assigned: readonly ResolvedAssignment[];
}

/**
 * Roles of projects. Every method answers or throws {@link DependencyUnavailable} within about a second. A write that changes
 * what keys may do is numbered for those that cache them, as a change of the project (see {@link ChangeStore}).
 */
export interface RoleStore {
  /** By `rol_…` or slug. */
  find(projectId: string, idOrSlug: string): Promise<Role | null>;
  list(projectId: string, page: PageRequest<'created_at' | 'name'>): Promise<Page<Role>>;
  /** Throws {@link SlugTaken}. */
  insert(role: Role, event: AuditEvent): Promise<void>;
  /**
   * The role as it is afterwards; null when there is none. Throws {@link PermissionNotPlaceable} and
   * {@link LastAdministrator}.
   */
  update(projectId: string, idOrSlug: string, decide: Decide<Role>): Promise<Role | null>;
  /** False when there is none. Throws {@link ObjectInUse}. */
  delete(projectId: string, idOrSlug: string, decide: DecideDelete<Role>): Promise<boolean>;
  /** How many API keys and members have it, counted up to 1,000. */
  countHolders(roleId: string): Promise<{ readonly keyCount: number; readonly memberCount: number }>;
  /** API keys that have it, by id from the one after `afterKeyId` on. */
  listHolders(
    roleId: string,
    page: { readonly afterKeyId: string; readonly limit: number },
  ): Promise<readonly RoleHolder[]>;
  /** In the order asked for, each once. Throws {@link UnknownAssignment}. */
  resolve(projectId: string, requested: readonly RequestedAssignment[]): Promise<readonly ResolvedAssignment[]>;
}
