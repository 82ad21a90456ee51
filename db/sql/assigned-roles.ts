/** Who has roles: two tables of one form, `api_key_roles` and `member_roles`. */
import type { Knex } from 'knex';
import { ObjectInUse } from '../../server/access-control/role-store.ts';
import { countUpTo } from './read-page.ts';

/** What was given: a role, or any role in a workspace. */
type Given = { readonly role_id: string } | { readonly workspace_id: string };

/** How many API keys and members have a role, or have one in a workspace. */
export async function countAssigned(
  knex: Knex,
  where: Given,
): Promise<{ readonly keyCount: number; readonly memberCount: number }> {
  const keys = await countUpTo(knex, knex('api_key_roles').where(where).distinct('key_id'));
  const members = await countUpTo(knex, knex('member_roles').where(where).distinct('project_id', 'user_id'));
  return { keyCount: keys.totalCount, memberCount: members.totalCount };
}

/**
 * In a transaction that holds the lock of the role or workspace, so that it stays unassigned. Without a plain read, after
 * which MariaDB would refuse to write what others have changed since.
 *
 * @throws {ObjectInUse}
 */
export async function assertUnassigned(trx: Knex.Transaction, where: Given): Promise<void> {
  const used =
    (await trx('api_key_roles').where(where).forShare().first('role_id')) ??
    (await trx('member_roles').where(where).forShare().first('role_id'));
  if (used === undefined) return;
  const { keyCount, memberCount } = await countAssigned(trx, where);
  throw new ObjectInUse(keyCount, memberCount);
}
