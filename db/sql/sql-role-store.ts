import { InvalidPermission, permissionWithin } from '@keyturn/lib/protocol';
import type { Knex } from 'knex';
import { isAdministrator } from '../../server/access-control/last-administrator.ts';
import type { ResolvedAssignment, Role } from '../../server/access-control/role.ts';
import {
  PermissionNotPlaceable,
  type RequestedAssignment,
  type RoleHolder,
  type RoleStore,
  UnknownAssignment,
} from '../../server/access-control/role-store.ts';
import type { AuditEvent } from '../../server/audit/audit-event.ts';
import type { Page, PageRequest } from '../../server/page.ts';
import type { Decide, DecideDelete } from '../../server/write.ts';
import { assertAdministered, lockMembership } from './administrators.ts';
import { type ApiKeyRow, readRolesOfKeys, toApiKey, toResolvedAssignment } from './api-key-row.ts';
import { assertUnassigned, countAssigned } from './assigned-roles.ts';
import type { AuditTrail } from './audit-trail.ts';
import type { Database } from './database.ts';
import { readPage } from './read-page.ts';
import { fromRole, type RoleRow, toRole } from './role-row.ts';
import { insertSlugged, sluggedRow } from './slugged-rows.ts';
import { recordChange } from './sql-change-store.ts';

// Ids sort by creation.
const COLUMNS = { id: 'roles.id', sorts: { created_at: 'roles.id', name: 'roles.name' } };

export class SqlRoleStore implements RoleStore {
  readonly #database: Database;
  readonly #trail: AuditTrail;

  constructor(database: Database, trail: AuditTrail) {
    this.#database = database;
    this.#trail = trail;
  }

  async find(projectId: string, idOrSlug: string): Promise<Role | null> {
    const row = await this.#database.run((knex) => sluggedRow(knex, 'roles', projectId, idOrSlug).first());
    return row ? toRole(row) : null;
  }

  list(projectId: string, request: PageRequest<'created_at' | 'name'>): Promise<Page<Role>> {
    return this.#database.run((knex) =>
      readPage(knex, knex('roles').where({ project_id: projectId }), {
        columns: COLUMNS,
        request,
        select: 'roles.*',
        toItem: toRole,
      }),
    );
  }

  insert(role: Role, event: AuditEvent): Promise<void> {
    return this.#database.transaction(async (trx) => {
      await insertSlugged(trx, 'roles', fromRole(role));
      await this.#trail.append(trx, [event]);
    });
  }

  update(projectId: string, idOrSlug: string, decide: Decide<Role>): Promise<Role | null> {
    return this.#database.transaction(async (trx) => {
      if (!(await lockMembership(trx, projectId))) return null;
      const current = await lockRole(trx, projectId, idOrSlug);
      if (current === null) return null;
      const { object, event } = decide(current);
      if (event === null) return current;
      const written = { ...object, version: current.version + 1 };
      const changesRights = JSON.stringify(written.permissions) !== JSON.stringify(current.permissions);
      if (changesRights) await assertPlaceable(trx, written);
      await trx('roles').where({ id: current.id }).update(fromRole(written));
      if (isAdministrator(current.permissions) && !isAdministrator(written.permissions))
        await assertStillAdministered(trx, current);
      await this.#trail.append(trx, [event]);
      if (changesRights) await recordChange(trx, projectId);
      return written;
    });
  }

  delete(projectId: string, idOrSlug: string, decide: DecideDelete<Role>): Promise<boolean> {
    return this.#database.transaction(async (trx) => {
      const current = await lockRole(trx, projectId, idOrSlug);
      if (current === null) return false;
      const event = decide(current);
      await assertUnassigned(trx, { role_id: current.id });
      await trx('roles').where({ id: current.id }).delete();
      await this.#trail.append(trx, [event]);
      return true;
    });
  }

  countHolders(roleId: string): Promise<{ readonly keyCount: number; readonly memberCount: number }> {
    return this.#database.run((knex) => countAssigned(knex, { role_id: roleId }));
  }

  listHolders(
    roleId: string,
    { afterKeyId, limit }: { readonly afterKeyId: string; readonly limit: number },
  ): Promise<readonly RoleHolder[]> {
    return this.#database.run(async (knex) => {
      const holders: { readonly key_id: string }[] = await knex('api_key_roles')
        .where({ role_id: roleId })
        .where('key_id', '>', afterKeyId)
        .orderBy('key_id')
        .limit(limit)
        .distinct('key_id');
      const ids = holders.map(({ key_id: id }) => id);
      const rows: ApiKeyRow[] = await knex('api_keys').whereIn('id', ids).orderBy('id');
      const roles = await readRolesOfKeys(knex, ids);
      return rows.map((row) => {
        const assigned = roles.get(row.id) ?? [];
        return { key: toApiKey(row, assigned), assigned: assigned.map(toResolvedAssignment) };
      });
    });
  }

  resolve(projectId: string, requested: readonly RequestedAssignment[]): Promise<readonly ResolvedAssignment[]> {
    return this.#database.run(async (knex) => {
      if (requested.length === 0) return [];
      const roles = await findNamed<RoleRow>(
        knex,
        'roles',
        projectId,
        requested.map(({ role }) => role),
      );
      const workspaces = await findNamed<{ readonly id: string; readonly slug: string }>(
        knex,
        'workspaces',
        projectId,
        requested.map(({ workspace }) => workspace),
      );
      const resolved = requested.map(({ role, workspace }, index): ResolvedAssignment => {
        const roleRow = roles.get(role);
        if (roleRow === undefined) throw new UnknownAssignment(index, 'role', role);
        const workspaceRow = workspace === null ? null : workspaces.get(workspace);
        if (workspaceRow === undefined) throw new UnknownAssignment(index, 'workspace', workspace ?? '');
        return {
          roleId: roleRow.id,
          workspaceId: workspaceRow?.id ?? null,
          permissions: JSON.parse(roleRow.permissions),
          workspaceSlug: workspaceRow?.slug ?? null,
        };
      });
      return [...new Map(resolved.map((each) => [`${each.roleId} ${each.workspaceId}`, each])).values()];
    });
  }
}

/** By what they were called: id or slug. */
async function findNamed<Row extends { readonly id: string; readonly slug: string }>(
  knex: Knex,
  table: 'roles' | 'workspaces',
  projectId: string,
  names: readonly (string | null)[],
): Promise<ReadonlyMap<string, Row>> {
  const wanted = [...new Set(names.filter((name) => name !== null))];
  if (wanted.length === 0) return new Map();
  const rows: Row[] = await knex(table)
    .where({ project_id: projectId })
    .where((builder) => builder.whereIn('id', wanted).orWhereIn('slug', wanted));
  // Ids last: an id stands before a slug that looks like one.
  return new Map([...rows.map((row) => [row.slug, row] as const), ...rows.map((row) => [row.id, row] as const)]);
}

async function lockRole(trx: Knex.Transaction, projectId: string, idOrSlug: string): Promise<Role | null> {
  const row = await sluggedRow(trx, 'roles', projectId, idOrSlug).forUpdate().first();
  return row ? toRole(row) : null;
}

/** Whoever has such a role in no workspace, or in some alone, is no administrator by it. */
async function assertStillAdministered(trx: Knex.Transaction, { id, projectId }: Role): Promise<void> {
  const given = await trx('member_roles').where({ role_id: id, workspace_id: '' }).forShare().first('user_id');
  if (given !== undefined) await assertAdministered(trx, projectId);
}

/** Segments and characters that a workspace takes up at most, of the 8 and 255 that a permission may have. */
const ALWAYS_PLACEABLE = { segments: 6, characters: 255 - 'workspace//'.length - 64 };

async function assertPlaceable(trx: Knex.Transaction, { id, permissions }: Role): Promise<void> {
  const long = permissions.filter(
    (permission) =>
      permission.length > ALWAYS_PLACEABLE.characters || permission.split('/').length > ALWAYS_PLACEABLE.segments,
  );
  if (long.length === 0) return;
  for (const slug of await workspacesOfRole(trx, id)) {
    try {
      for (const permission of long) permissionWithin(permission, slug);
    } catch (error) {
      throw error instanceof InvalidPermission ? new PermissionNotPlaceable(slug, error.message) : error;
    }
  }
}

async function workspacesOfRole(trx: Knex.Transaction, roleId: string): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const table of ['api_key_roles', 'member_roles']) {
    const given = trx(table).where({ role_id: roleId }).whereNot({ workspace_id: '' });
    for (const { workspace_id: workspaceId } of await given.distinct('workspace_id').forShare()) ids.push(workspaceId);
  }
  return trx('workspaces').whereIn('id', ids).forShare().pluck('slug');
}
