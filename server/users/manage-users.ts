import type { Actor } from '../access-control/actor.ts';
import { assertGrantable } from '../access-control/grant-rule.ts';
import type { MemberStore } from '../access-control/member-store.ts';
import { changesBetween } from '../api-keys/describe-api-key.ts';
import { type AuditEvent, newAuditEvent } from '../audit/audit-event.ts';
import type { Clock } from '../clock.ts';
import { assertExpectedVersion, type ExpectedVersions } from '../object-version.ts';
import type { Page, PageRequest } from '../page.ts';
import { newId } from '../random.ts';
import { newSetupLink } from './setup-link.ts';
import { type Account, normalizeEmail, type User } from './user.ts';
import type { UserFilter, UserStore } from './user-store.ts';

/** Nobody deletes themselves: somebody stays who can undo what was done. */
export class OwnUser extends Error {}

export interface Invited {
  readonly account: Account;
  /** Shown once: whoever opens it sets the user's password. */
  readonly invitationUrl: string;
}

/** What the actor may hand out in a project. */
export type GrantableIn = (projectId: string) => Promise<readonly string[]>;

/** What can be set of a user, in the API's words, for the audit trail. */
function describeUser({ email, name, permissions }: User): AuditEvent['detail'] {
  return { email, name, permissions };
}

/** What people do with users; each write is in the audit trail. */
export function createUserManagement({
  users,
  members,
  clock,
  issuer,
}: {
  readonly users: UserStore;
  readonly members: Pick<MemberStore, 'find' | 'projectIdsOf'>;
  readonly clock: Clock;
  readonly issuer: string;
}) {
  const eventOf = (
    type: 'user.created' | 'user.updated' | 'user.deleted' | 'user.invited',
    actor: Actor,
    objectId: string,
    detail: AuditEvent['detail'] = {},
  ) => newAuditEvent(clock, type, actor, { projectId: null, objectId, detail });

  async function invite(account: Account, actor: Actor): Promise<Invited | null> {
    const { link, url } = newSetupLink(actor.actorId, clock.nowMs(), issuer);
    const isInvited = await users.invite(account.id, link, ({ id }) => eventOf('user.invited', actor, id));
    return isInvited ? { account, invitationUrl: url } : null;
  }

  return {
    find: (id: string): Promise<Account | null> => users.find(id),

    list: (filter: UserFilter, page: PageRequest<'created_at' | 'email'>): Promise<Page<Account>> =>
      users.list(filter, page),

    /** @throws {PermissionExceedsGrantor | EmailTaken} */
    async create(
      { email, name, permissions }: { email: string; name: string; permissions: readonly string[] },
      actor: Actor,
    ): Promise<Invited> {
      assertGrantable(permissions, actor);
      const nowMs = clock.nowMs();
      const times = { createdAtMs: nowMs, updatedAtMs: nowMs, lastSignInAtMs: null };
      const described = { email: normalizeEmail(email), name, permissions };
      const account: Account = { id: newId('usr'), ...described, passwordHash: null, version: 1, ...times };
      const { link, url } = newSetupLink(actor.actorId, nowMs, issuer);
      await users.insert(account, link, [
        eventOf('user.created', actor, account.id, { after: describeUser(account) }),
        eventOf('user.invited', actor, account.id),
      ]);
      return { account, invitationUrl: url };
    },

    /**
     * Null when there is no such user.
     *
     * @throws {PermissionExceedsGrantor | EmailTaken | VersionMismatch}
     */
    update(
      id: string,
      wanted: Partial<Pick<Account, 'email' | 'name' | 'permissions'>>,
      { actor, expectedVersions }: { readonly actor: Actor; readonly expectedVersions: ExpectedVersions },
    ): Promise<Account | null> {
      return users.update(id, (current) => {
        assertExpectedVersion(current.version, expectedVersions);
        const object = {
          ...current,
          ...wanted,
          ...(wanted.email == null ? {} : { email: normalizeEmail(wanted.email) }),
          updatedAtMs: clock.nowMs(),
        };
        assertGrantable(object.permissions, actor);
        const detail = changesBetween(describeUser(current), describeUser(object));
        return { object, event: detail && eventOf('user.updated', actor, id, detail) };
      });
    },

    /**
     * False when there is no such user. Keys go on naming them as owner.
     *
     * @throws {OwnUser | VersionMismatch}
     */
    delete(id: string, actor: Actor, expectedVersions: ExpectedVersions): Promise<boolean> {
      return users.delete(id, (current, projectIds) => {
        assertExpectedVersion(current.version, expectedVersions);
        if (id === actor.userId) throw new OwnUser();
        return [
          ...projectIds.map((projectId) => newAuditEvent(clock, 'member.removed', actor, { projectId, objectId: id })),
          eventOf('user.deleted', actor, id, { before: describeUser(current) }),
        ];
      });
    },

    /**
     * A new link, also for somebody who has forgotten their password. Whoever has the link can be that user: so it takes all
     * that the user holds, in every project. Null when there is no such user.
     *
     * @throws {PermissionExceedsGrantor}
     */
    async invite(id: string, actor: Actor, grantableIn: GrantableIn): Promise<Invited | null> {
      const account = await users.find(id);
      if (account === null) return null;
      assertGrantable(account.permissions, actor);
      for (const projectId of await members.projectIdsOf(id)) {
        const member = await members.find(projectId, id);
        assertGrantable(member?.permissions ?? [], { grantable: await grantableIn(projectId) });
      }
      return invite(account, actor);
    },

    /**
     * The user of an e-mail address, made if there is none. The link is only for a user whom nobody else has given anything
     * yet: that of any other would let the inviter take what others gave.
     */
    async inviteByEmail(
      { email, name }: { readonly email: string; readonly name: string },
      actor: Actor,
    ): Promise<{ readonly account: Account; readonly invitationUrl: string | null }> {
      const known = await users.findByEmail(normalizeEmail(email));
      if (known === null) return this.create({ email, name, permissions: [] }, actor);
      const isUnclaimed = known.passwordHash === null && known.permissions.length === 0;
      if (!isUnclaimed || (await members.projectIdsOf(known.id)).length > 0)
        return { account: known, invitationUrl: null };
      return (await invite(known, actor)) ?? { account: known, invitationUrl: null };
    },
  };
}

export type UserManagement = ReturnType<typeof createUserManagement>;
