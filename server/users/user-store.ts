import type { AuditEvent } from '../audit/audit-event.ts';
import type { Page, PageRequest } from '../page.ts';
import type { Decide } from '../write.ts';
import type { ConsoleSession } from './console-session.ts';
import type { SetupLink } from './setup-link.ts';
import type { Account, Membership } from './user.ts';

/** Another user has this e-mail address. */
export class EmailTaken extends Error {
  readonly email: string;

  constructor(email: string) {
    super('a user with this e-mail address exists');
    this.name = 'EmailTaken';
    this.email = email;
  }
}

export interface UserFilter {
  /** Beginning of the e-mail address, normalized. */
  readonly emailBeginning?: string | undefined;
}

/** As {@link Decide}, with more than one event. */
export type DecideSetUp = (current: Account) => {
  readonly account: Account;
  readonly events: readonly AuditEvent[];
};

/** As {@link DecideDelete}, with an event for each project that the user was a member of. */
export type DecideDeleteUser = (current: Account, projectIds: readonly string[]) => readonly AuditEvent[];

/** Users of the installation. Every method answers or throws {@link DependencyUnavailable} within about a second. */
export interface UserStore {
  find(id: string): Promise<Account | null>;
  findByEmail(email: string): Promise<Account | null>;
  list(filter: UserFilter, page: PageRequest<'created_at' | 'email'>): Promise<Page<Account>>;
  /** By project, in the order of their making. */
  membershipsOf(userId: string): Promise<readonly Membership[]>;
  /** Throws {@link EmailTaken}. */
  insert(account: Account, link: SetupLink, events: readonly AuditEvent[]): Promise<void>;
  /** Writes e-mail, name and permissions. Null when there is none. Throws {@link EmailTaken}. */
  update(id: string, decide: Decide<Account>): Promise<Account | null>;
  /** With memberships, links and console sessions. False when there is none. */
  delete(id: string, decide: DecideDeleteUser): Promise<boolean>;
  /** A new link; earlier unused ones end. False when there is no such user. */
  invite(id: string, link: SetupLink, decide: (account: Account) => AuditEvent): Promise<boolean>;
  /** Whose link it is; null for one that is used, has expired or never was. */
  findInvited(tokenHash: string, nowMs: number): Promise<Account | null>;
  /**
   * Uses the link up and sets the user up: name, e-mail, password. Their other links and sessions end and `session` begins.
   * False, and nothing written, when the link can't be used: of two at once one is true. Throws {@link EmailTaken}.
   */
  setUp(tokenHash: string, session: ConsoleSession, decide: DecideSetUp): Promise<boolean>;
  /** Writes the password; all the user's links and sessions but the one kept end. Null when there is no such user. */
  setPassword(id: string, keptSession: string, decide: Decide<Account>): Promise<Account | null>;
}
