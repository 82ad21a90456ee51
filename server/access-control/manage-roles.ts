import { changesBetween } from '../api-keys/describe-api-key.ts';
import { type AuditEvent, newAuditEvent } from '../audit/audit-event.ts';
import type { Clock } from '../clock.ts';
import { assertExpectedVersion, type ExpectedVersions } from '../object-version.ts';
import { newId } from '../random.ts';
import type { Write } from '../write.ts';
import type { Actor } from './actor.ts';
import { assertHoldersTokensFit } from './assert-holders-tokens-fit.ts';
import { assertGrantable } from './grant-rule.ts';
import { assertKnownPermissions } from './permission-catalog.ts';
import type { PermissionCatalogStore } from './permission-catalog-store.ts';
import type { Project } from './project.ts';
import type { Role } from './role.ts';
import type { RoleStore } from './role-store.ts';

export type RoleDescription = Pick<Role, 'slug' | 'name' | 'description' | 'permissions'>;
/** What is to be changed; what is absent stays. */
export type RoleEdit = Partial<Pick<Role, 'name' | 'description' | 'permissions'>>;

/** A role that every project has from its beginning is neither edited nor deleted. */
export class BuiltInRole extends Error {
  readonly roleName: string;

  constructor(roleName: string) {
    super('a built-in role does not change');
    this.name = 'BuiltInRole';
    this.roleName = roleName;
  }
}

interface Dependencies {
  readonly roles: RoleStore;
  readonly catalogs: Pick<PermissionCatalogStore, 'find'>;
  readonly clock: Clock;
  readonly issuer: string;
  /** Keys of this project are to be read anew, however the write ended. */
  readonly onRightsChanged: (projectId: string) => void;
}

/** By whom, and on which version of it. */
interface WriteOrigin {
  readonly actor: Actor;
  readonly expectedVersions: ExpectedVersions;
}

/** What people do with roles; each write is in the audit trail. */
export function createRoleManagement({ roles, catalogs, clock, issuer, onRightsChanged }: Dependencies) {
  const assertKnown = async (projectId: string, permissions: readonly string[]): Promise<void> =>
    assertKnownPermissions(await catalogs.find(projectId), permissions);

  return {
    /** @throws {PermissionExceedsGrantor | UnknownPermissions | SlugTaken} */
    async create({ id: projectId }: Project, description: RoleDescription, actor: Actor): Promise<Role> {
      assertGrantable(description.permissions, actor);
      await assertKnown(projectId, description.permissions);
      const { role, event } = beginRole(projectId, description, { actor, clock });
      await roles.insert(role, event);
      return role;
    },

    /**
     * Null when there is no such role. Whoever edits must hold all that the role then gives.
     *
     * @throws {BuiltInRole | VersionMismatch | PermissionExceedsGrantor | UnknownPermissions}
     * @throws {HolderTokenTooLarge | PermissionNotPlaceable | LastAdministrator}
     */
    async update(project: Project, idOrSlug: string, edit: RoleEdit, origin: WriteOrigin): Promise<Role | null> {
      const { permissions } = edit;
      const decide = (current: Role) => decideRoleEdit(current, edit, { ...origin, clock });
      if (permissions === undefined) return roles.update(project.id, idOrSlug, decide);
      await assertKnown(project.id, permissions);
      const role = await roles.find(project.id, idOrSlug);
      if (role === null) return null;
      // First as it is now: nobody learns of its keys who may not edit it.
      decide(role);
      await assertHoldersTokensFit(roles, { ...role, permissions }, project, issuer);
      try {
        return await roles.update(project.id, idOrSlug, decide);
      } finally {
        onRightsChanged(project.id);
      }
    },

    /**
     * False when there is no such role.
     *
     * @throws {BuiltInRole | VersionMismatch | ObjectInUse}
     */
    delete(projectId: string, idOrSlug: string, { actor, expectedVersions }: WriteOrigin): Promise<boolean> {
      return roles.delete(projectId, idOrSlug, (current) => {
        assertWritable(current, expectedVersions);
        const detail = { before: describeRole(current) };
        return newAuditEvent(clock, 'role.deleted', actor, { projectId, objectId: current.id, detail });
      });
    },
  };
}

export type RoleManagement = ReturnType<typeof createRoleManagement>;

function beginRole(
  projectId: string,
  description: RoleDescription,
  { actor, clock }: { readonly actor: Actor; readonly clock: Clock },
): { readonly role: Role; readonly event: AuditEvent } {
  const nowMs = clock.nowMs();
  const versioned = { version: 1, createdAtMs: nowMs, updatedAtMs: nowMs };
  const role: Role = { id: newId('rol'), projectId, ...description, isBuiltIn: false, ...versioned };
  const object = { projectId, objectId: role.id, detail: { after: describeRole(role) } };
  return { role, event: newAuditEvent(clock, 'role.created', actor, object) };
}

function decideRoleEdit(
  current: Role,
  edit: RoleEdit,
  { actor, expectedVersions, clock }: WriteOrigin & { readonly clock: Clock },
): Write<Role> {
  assertWritable(current, expectedVersions);
  const object = { ...current, ...edit, updatedAtMs: clock.nowMs() };
  assertGrantable(object.permissions, actor);
  const detail = changesBetween(describeRole(current), describeRole(object));
  if (detail === null) return { object: current, event: null };
  const { projectId, id: objectId } = current;
  return { object, event: newAuditEvent(clock, 'role.updated', actor, { projectId, objectId, detail }) };
}

function assertWritable(current: Role, expectedVersions: ExpectedVersions): void {
  if (current.isBuiltIn) throw new BuiltInRole(current.name);
  assertExpectedVersion(current.version, expectedVersions);
}

/** What can be set of a role, in the API's words, for the audit trail. */
function describeRole({ slug, name, description, permissions }: Role): AuditEvent['detail'] {
  return { slug, name, description, permissions };
}
