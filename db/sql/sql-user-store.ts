import type { Knex } from 'knex';
import type { AuditEvent } from '../../server/audit/audit-event.ts';
import type { Page, PageRequest } from '../../server/page.ts';
import type { ConsoleSession } from '../../server/users/console-session.ts';
import type { SetupLink } from '../../server/users/setup-link.ts';
import type { Account, Membership } from '../../server/users/user.ts';
import type { DecideDeleteUser, DecideSetUp, UserFilter, UserStore } from '../../server/users/user-store.ts';
import type { Decide } from '../../server/write.ts';
import { assertAdministered, lockMembership, projectsAdministeredBy } from './administrators.ts';
import type { AuditTrail } from './audit-trail.ts';
import type { Database } from './database.ts';
import { readPage } from './read-page.ts';
import { fromConsoleSession } from './sql-console-session-store.ts';
import { endLinks, fromAccount, insertLink, lockUser, toAccount, type UserRow, withUniqueEmail } from './user-row.ts';

const COLUMNS = { id: 'users.id', sorts: { created_at: 'users.id', email: 'users.email' } };
/** Above every character that a text may go on with. */
const LAST_CHARACTER = '\u{10ffff}';

export class SqlUserStore implements UserStore {
  readonly #database: Database;
  readonly #trail: AuditTrail;

  constructor(database: Database, trail: AuditTrail) {
    this.#database = database;
    this.#trail = trail;
  }

  find(id: string): Promise<Account | null> {
    return this.#findBy({ id });
  }

  findByEmail(email: string): Promise<Account | null> {
    return this.#findBy({ email });
  }

  async #findBy(condition: Partial<UserRow>): Promise<Account | null> {
    const row = await this.#database.run((knex) => knex<UserRow>('users').where(condition).first());
    return row ? toAccount(row) : null;
  }

  list({ emailBeginning }: UserFilter, request: PageRequest<'created_at' | 'email'>): Promise<Page<Account>> {
    return this.#database.run((knex) => {
      const query = knex('users');
      // A range and not LIKE: SQLite's is blind to case, and would read every row.
      if (emailBeginning !== undefined)
        query.whereBetween('users.email', [emailBeginning, emailBeginning + LAST_CHARACTER]);
      return readPage(knex, query, { columns: COLUMNS, request, select: 'users.*', toItem: toAccount });
    });
  }

  async membershipsOf(userId: string): Promise<readonly Membership[]> {
    const rows = await this.#database.run((knex) =>
      knex('members')
        .join('projects', 'projects.id', 'members.project_id')
        .leftJoin('member_roles', (join) =>
          join.on('member_roles.project_id', 'members.project_id').andOn('member_roles.user_id', 'members.user_id'),
        )
        .where('members.user_id', userId)
        .orderBy(['members.project_id', 'member_roles.role_id', 'member_roles.workspace_id'])
        .select<MembershipRow[]>(
          'projects.id',
          'projects.slug',
          'projects.name',
          'member_roles.role_id',
          'member_roles.workspace_id',
        ),
    );
    return toMemberships(rows);
  }

  insert(account: Account, link: SetupLink, events: readonly AuditEvent[]): Promise<void> {
    return this.#database.transaction(async (trx) => {
      await withUniqueEmail(account.email, async () => trx('users').insert(fromAccount(account)));
      await insertLink(trx, account.id, link);
      await this.#trail.append(trx, events);
    });
  }

  update(id: string, decide: Decide<Account>): Promise<Account | null> {
    return this.#database.transaction(async (trx) => {
      const current = await lockUser(trx, id);
      if (current === null) return null;
      const { object, event } = decide(current);
      if (event === null) return current;
      const written = { ...object, version: current.version + 1 };
      await writeUser(trx, written);
      await this.#trail.append(trx, [event]);
      return written;
    });
  }

  delete(id: string, decide: DecideDeleteUser): Promise<boolean> {
    return this.#database.transaction(async (trx) => {
      const administered = await projectsAdministeredBy(trx, id);
      for (const projectId of administered) await lockMembership(trx, projectId);
      const current = await lockUser(trx, id);
      if (current === null) return false;
      const projectIds = await trx('members').where({ user_id: id }).forUpdate().pluck('project_id');
      const events = decide(current, projectIds);
      await trx('members').where({ user_id: id }).delete();
      await trx('users').where({ id }).delete();
      for (const projectId of administered) await assertAdministered(trx, projectId);
      await this.#trail.append(trx, events);
      return true;
    });
  }

  invite(id: string, link: SetupLink, decide: (account: Account) => AuditEvent): Promise<boolean> {
    return this.#database.transaction(async (trx) => {
      const current = await lockUser(trx, id);
      if (current === null) return false;
      await endLinks(trx, id);
      await insertLink(trx, id, link);
      await this.#trail.append(trx, [decide(current)]);
      return true;
    });
  }

  async findInvited(tokenHash: string, nowMs: number): Promise<Account | null> {
    const row = await this.#database.run((knex) =>
      knex('setup_links')
        .join('users', 'users.id', 'setup_links.user_id')
        .where('setup_links.token_hash', tokenHash)
        .whereNull('setup_links.used_at_ms')
        .where('setup_links.expires_at_ms', '>', nowMs)
        .first<UserRow>('users.*'),
    );
    return row ? toAccount(row) : null;
  }

  setUp(tokenHash: string, session: ConsoleSession, decide: DecideSetUp): Promise<boolean> {
    const { userId, createdAtMs: nowMs } = session;
    return this.#database.transaction(async (trx) => {
      const current = await lockUser(trx, userId);
      if (current === null) return false;
      const usedCount = await trx('setup_links')
        .where({ token_hash: tokenHash, user_id: userId })
        .whereNull('used_at_ms')
        .where('expires_at_ms', '>', nowMs)
        .update({ used_at_ms: nowMs });
      if (usedCount === 0) return false;
      const { account, events } = decide(current);
      await writeUser(trx, { ...account, lastSignInAtMs: nowMs });
      await endLinks(trx, userId);
      await trx('console_sessions').where({ user_id: userId }).delete();
      await trx('console_sessions').insert(fromConsoleSession(session));
      await this.#trail.append(trx, events);
      return true;
    });
  }

  setPassword(id: string, keptSession: string, decide: Decide<Account>): Promise<Account | null> {
    return this.#database.transaction(async (trx) => {
      const current = await lockUser(trx, id);
      if (current === null) return null;
      const { object, event } = decide(current);
      await writeUser(trx, object);
      await endLinks(trx, id);
      await trx('console_sessions').where({ user_id: id }).whereNot({ token_hash: keptSession }).delete();
      await this.#trail.append(trx, event === null ? [] : [event]);
      return object;
    });
  }
}

async function writeUser(trx: Knex.Transaction, account: Account): Promise<void> {
  const { id, ...columns } = fromAccount(account);
  await withUniqueEmail(account.email, async () => trx('users').where({ id }).update(columns));
}

interface MembershipRow {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly role_id: string | null;
  /** Empty: the whole project. */
  readonly workspace_id: string | null;
}

function toMemberships(rows: readonly MembershipRow[]): readonly Membership[] {
  const byProject = new Map<string, Membership>();
  for (const { id, slug, name, role_id: roleId, workspace_id: workspaceId } of rows) {
    const known = byProject.get(id) ?? { projectId: id, projectSlug: slug, projectName: name, roles: [] };
    const role = roleId === null ? [] : [{ roleId, workspaceId: workspaceId || null }];
    byProject.set(id, { ...known, roles: [...known.roles, ...role] });
  }
  return [...byProject.values()];
}
