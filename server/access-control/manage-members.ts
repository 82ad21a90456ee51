import { changesBetween } from '../api-keys/describe-api-key.ts';
import { givenRoles } from '../api-keys/given-roles.ts';
import { type AuditEvent, newAuditEvent } from '../audit/audit-event.ts';
import type { Clock } from '../clock.ts';
import { assertExpectedVersion, type ExpectedVersions } from '../object-version.ts';
import { normalizeEmail, type User } from '../users/user.ts';
import type { UserStore } from '../users/user-store.ts';
import type { Write } from '../write.ts';
import type { Actor } from './actor.ts';
import { assertGrantable } from './grant-rule.ts';
import type { Member } from './member.ts';
import type { MemberStore } from './member-store.ts';
import type { RequestedAssignment, RoleStore } from './role-store.ts';

/** How a user is named who is to become a member. */
export type UserReference = { readonly userId: string } | { readonly email: string };

/** There is no such user in the installation. */
export class UnknownUser extends Error {
  readonly field: 'user_id' | 'email';

  constructor(field: 'user_id' | 'email') {
    super('there is no such user');
    this.name = 'UnknownUser';
    this.field = field;
  }
}

/** The user is a member of the project already. */
export class AlreadyMember extends Error {
  readonly userId: string;

  constructor(userId: string) {
    super('the user is a member of the project already');
    this.name = 'AlreadyMember';
    this.userId = userId;
  }
}

interface Dependencies {
  readonly members: MemberStore;
  readonly users: Pick<UserStore, 'find' | 'findByEmail'>;
  readonly roles: Pick<RoleStore, 'resolve'>;
  readonly clock: Clock;
}

/** By whom, and on which version of it. */
interface WriteOrigin {
  readonly actor: Actor;
  readonly expectedVersions: ExpectedVersions;
}

type Holdings = Pick<Member, 'roles' | 'permissions'>;

/** What people do with members; each write is in the audit trail. */
export function createMemberManagement({ members, users, roles, clock }: Dependencies) {
  async function grantableHoldings(
    projectId: string,
    requested: readonly RequestedAssignment[],
    actor: Actor,
  ): Promise<Holdings> {
    const given = givenRoles([], await roles.resolve(projectId, requested));
    assertGrantable(given.effectivePermissions, actor);
    return { roles: given.roles, permissions: given.effectivePermissions };
  }

  return {
    /** @throws {UnknownUser | UnknownAssignment | RoleNotPlaceable | PermissionExceedsGrantor | AlreadyMember} */
    async add(
      projectId: string,
      reference: UserReference,
      requested: readonly RequestedAssignment[],
      actor: Actor,
    ): Promise<Member> {
      const held = await grantableHoldings(projectId, requested, actor);
      const member = beginMember(projectId, await findUser(users, reference), held, clock.nowMs());
      const object = { projectId, objectId: member.userId, detail: { after: describeMember(member) } };
      const isAdded = await members.insert(member, newAuditEvent(clock, 'member.added', actor, object));
      if (!isAdded) throw new AlreadyMember(member.userId);
      return member;
    },

    /**
     * Null when there is no such member. Whoever edits must hold all that the member then holds.
     *
     * @throws {UnknownAssignment | RoleNotPlaceable | PermissionExceedsGrantor | VersionMismatch | LastAdministrator}
     */
    async update(
      projectId: string,
      userId: string,
      requested: readonly RequestedAssignment[],
      origin: WriteOrigin,
    ): Promise<Member | null> {
      const held = await grantableHoldings(projectId, requested, origin.actor);
      return members.update(projectId, userId, (current) => decideMemberEdit(current, held, { ...origin, clock }));
    },

    /**
     * False when there is no such member. Their API keys stay, and go on naming them as owner.
     *
     * @throws {VersionMismatch | LastAdministrator}
     */
    delete(projectId: string, userId: string, { actor, expectedVersions }: WriteOrigin): Promise<boolean> {
      return members.delete(projectId, userId, (current) => {
        assertExpectedVersion(current.version, expectedVersions);
        const detail = { before: describeMember(current) };
        return newAuditEvent(clock, 'member.removed', actor, { projectId, objectId: userId, detail });
      });
    },
  };
}

export type MemberManagement = ReturnType<typeof createMemberManagement>;

async function findUser(users: Dependencies['users'], reference: UserReference): Promise<User> {
  const isById = 'userId' in reference;
  const user = await (isById ? users.find(reference.userId) : users.findByEmail(normalizeEmail(reference.email)));
  if (user === null) throw new UnknownUser(isById ? 'user_id' : 'email');
  return user;
}

function beginMember(projectId: string, { id: userId, email, name }: User, held: Holdings, nowMs: number): Member {
  return { projectId, userId, email, name, ...held, version: 1, createdAtMs: nowMs, updatedAtMs: nowMs };
}

function decideMemberEdit(
  current: Member,
  held: Holdings,
  { actor, expectedVersions, clock }: WriteOrigin & { readonly clock: Clock },
): Write<Member> {
  assertExpectedVersion(current.version, expectedVersions);
  const object = { ...current, ...held, updatedAtMs: clock.nowMs() };
  const detail = changesBetween(describeMember(current), describeMember(object));
  if (detail === null) return { object: current, event: null };
  const { projectId, userId: objectId } = current;
  return { object, event: newAuditEvent(clock, 'member.updated', actor, { projectId, objectId, detail }) };
}

/** What can be set of a member, in the API's words, for the audit trail. */
function describeMember({ roles }: Member): AuditEvent['detail'] {
  return { roles: roles.map(({ roleId, workspaceId }) => ({ role_id: roleId, workspace_id: workspaceId })) };
}
