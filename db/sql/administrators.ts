import type { Knex } from 'knex';
import { ADMINISTRATION, LastAdministrator } from '../../server/access-control/last-administrator.ts';

/**
 * One writer of a project's members and of what makes them administrators at a time: of two who each remove the other, one
 * is told no. The first lock of its transaction. False when there is no such project.
 */
export async function lockMembership(trx: Knex.Transaction, projectId: string): Promise<boolean> {
  return (await trx('projects').where({ id: projectId }).forUpdate().first('id')) !== undefined;
}

/** Projects that the user is an administrator of by a role, in the order in which they are to be locked. */
export async function projectsAdministeredBy(trx: Knex.Transaction, userId: string): Promise<readonly string[]> {
  return administrators(trx)
    .where({ 'member_roles.user_id': userId })
    .distinct()
    .orderBy('member_roles.project_id')
    .pluck('member_roles.project_id');
}

const administrators = (trx: Knex.Transaction): Knex.QueryBuilder =>
  trx('member_roles')
    .join('roles', 'roles.id', 'member_roles.role_id')
    .where({ 'member_roles.workspace_id': '' })
    // One of a list of JSON texts; no permission has a quotation mark in it.
    .whereRaw('INSTR(roles.permissions, ?) > 0', [JSON.stringify(ADMINISTRATION)])
    .forShare();

/**
 * After the write, under {@link lockMembership}, where a member or a role has lost {@link ADMINISTRATION}.
 *
 * @throws {LastAdministrator}
 */
export async function assertAdministered(trx: Knex.Transaction, projectId: string): Promise<void> {
  const administrator = await administrators(trx)
    .where({ 'member_roles.project_id': projectId })
    .first('member_roles.user_id');
  if (administrator === undefined) throw new LastAdministrator();
}
