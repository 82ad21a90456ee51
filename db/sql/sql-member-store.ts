import type { Knex } from 'knex';
import { isAdministrator } from '../../server/access-control/last-administrator.ts';
import type { Member } from '../../server/access-control/member.ts';
import type { MemberStore } from '../../server/access-control/member-store.ts';
import type { AuditEvent } from '../../server/audit/audit-event.ts';
import type { Page, PageRequest } from '../../server/page.ts';
import type { Decide, DecideDelete } from '../../server/write.ts';
import { assertAdministered, lockMembership } from './administrators.ts';
import { type AssignedRoleRow, effectiveOf, lockAssigned, toAssignment } from './api-key-row.ts';
import type { AuditTrail } from './audit-trail.ts';
import type { Database } from './database.ts';
import { isUniqueViolation } from './database-error.ts';
import { readPage } from './read-page.ts';

interface MemberRow {
  readonly project_id: string;
  readonly user_id: string;
  readonly version: number;
  readonly created_at_ms: number;
  readonly updated_at_ms: number;
}

interface NamedMemberRow extends MemberRow {
  readonly user_email: string | null;
  readonly user_name: string;
}

const COLUMNS = { id: 'members.user_id', sorts: { created_at: 'members.created_at_ms' } };

export class SqlMemberStore implements MemberStore {
  readonly #database: Database;
  readonly #trail: AuditTrail;

  constructor(database: Database, trail: AuditTrail) {
    this.#database = database;
    this.#trail = trail;
  }

  find(projectId: string, userId: string): Promise<Member | null> {
    return this.#database.run(async (knex) => {
      const row = await memberRows(knex, projectId)
        .where({ 'members.user_id': userId })
        .first('members.*', { user_email: 'users.email', user_name: 'users.name' });
      return row ? ((await withRoles(knex, projectId, [row]))[0] ?? null) : null;
    });
  }

  list(projectId: string, request: PageRequest<'created_at'>): Promise<Page<Member>> {
    return this.#database.run(async (knex) => {
      const page = await readPage(knex, memberRows(knex, projectId), {
        columns: COLUMNS,
        request,
        select: 'members.*',
        toItem: (row: MemberRow) => row,
      });
      const named = await withNames(knex, page.items);
      return { ...page, items: await withRoles(knex, projectId, named) };
    });
  }

  projectIdsOf(userId: string): Promise<readonly string[]> {
    return this.#database.run((knex) =>
      knex('members').where({ user_id: userId }).orderBy('project_id').pluck('project_id'),
    );
  }

  insert(member: Member, event: AuditEvent): Promise<boolean> {
    return this.#database.transaction(async (trx) => {
      await lockMembership(trx, member.projectId);
      await lockAssigned(trx, member.roles);
      try {
        await trx('members').insert(fromMember(member));
      } catch (error) {
        if (isUniqueViolation(error)) return false;
        throw error;
      }
      await insertRoles(trx, member);
      await this.#trail.append(trx, [event]);
      return true;
    });
  }

  update(projectId: string, userId: string, decide: Decide<Member>): Promise<Member | null> {
    return this.#database.transaction(async (trx) => {
      const current = await lockMember(trx, projectId, userId);
      if (current === null) return null;
      const { object, event } = decide(current);
      if (event === null) return current;
      const written = { ...object, version: current.version + 1 };
      await lockAssigned(trx, written.roles);
      await trx('members').where({ project_id: projectId, user_id: userId }).update(fromMember(written));
      await trx('member_roles').where({ project_id: projectId, user_id: userId }).delete();
      await insertRoles(trx, written);
      if (isAdministrator(current.permissions) && !isAdministrator(written.permissions))
        await assertAdministered(trx, projectId);
      await this.#trail.append(trx, [event]);
      return written;
    });
  }

  delete(projectId: string, userId: string, decide: DecideDelete<Member>): Promise<boolean> {
    return this.#database.transaction(async (trx) => {
      const current = await lockMember(trx, projectId, userId);
      if (current === null) return false;
      const event = decide(current);
      // Their roles go with them, by the foreign key.
      await trx('members').where({ project_id: projectId, user_id: userId }).delete();
      if (isAdministrator(current.permissions)) await assertAdministered(trx, projectId);
      await this.#trail.append(trx, [event]);
      return true;
    });
  }
}

const memberRows = (knex: Knex, projectId: string): Knex.QueryBuilder =>
  knex('members').join('users', 'users.id', 'members.user_id').where({ 'members.project_id': projectId });

async function withNames(knex: Knex, rows: readonly MemberRow[]): Promise<NamedMemberRow[]> {
  const userIds = rows.map(({ user_id: userId }) => userId);
  const users = await knex('users').whereIn('id', userIds).select('id', 'email', 'name');
  const byId = new Map(users.map((user) => [user.id, user]));
  return rows.map((row) => {
    const user = byId.get(row.user_id);
    return { ...row, user_email: user?.email ?? null, user_name: user?.name ?? '' };
  });
}

async function withRoles(
  knex: Knex,
  projectId: string,
  rows: readonly NamedMemberRow[],
  isLocked = false,
): Promise<Member[]> {
  const query = knex('member_roles')
    .join('roles', 'roles.id', 'member_roles.role_id')
    .leftJoin('workspaces', 'workspaces.id', 'member_roles.workspace_id')
    .where({ 'member_roles.project_id': projectId })
    .whereIn(
      'member_roles.user_id',
      rows.map(({ user_id: userId }) => userId),
    )
    .orderBy(['member_roles.role_id', 'member_roles.workspace_id'])
    .select('member_roles.*', { permissions: 'roles.permissions', workspace_slug: 'workspaces.slug' });
  const assigned: (AssignedRoleRow & { readonly user_id: string })[] = await (isLocked ? query.forShare() : query);
  return rows.map((row) =>
    toMember(
      row,
      assigned.filter(({ user_id: userId }) => userId === row.user_id),
    ),
  );
}

async function lockMember(trx: Knex.Transaction, projectId: string, userId: string): Promise<Member | null> {
  if (!(await lockMembership(trx, projectId))) return null;
  const row = await trx('members').where({ project_id: projectId, user_id: userId }).forUpdate().first();
  if (!row) return null;
  const user = await trx('users').where({ id: userId }).forShare().first('email', 'name');
  const named = { ...row, user_email: user.email, user_name: user.name };
  return (await withRoles(trx, projectId, [named], true))[0] ?? null;
}

async function insertRoles(trx: Knex.Transaction, { projectId, userId, roles }: Member): Promise<void> {
  const rows = roles.map(({ roleId, workspaceId }) => ({
    project_id: projectId,
    user_id: userId,
    role_id: roleId,
    workspace_id: workspaceId ?? '',
  }));
  if (rows.length > 0) await trx('member_roles').insert(rows);
}

function fromMember(member: Member): MemberRow {
  return {
    project_id: member.projectId,
    user_id: member.userId,
    version: member.version,
    created_at_ms: member.createdAtMs,
    updated_at_ms: member.updatedAtMs,
  };
}

function toMember(row: NamedMemberRow, assigned: readonly AssignedRoleRow[]): Member {
  return {
    projectId: row.project_id,
    userId: row.user_id,
    email: row.user_email,
    name: row.user_name,
    roles: assigned.map(toAssignment),
    permissions: effectiveOf([], assigned),
    version: row.version,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
  };
}
