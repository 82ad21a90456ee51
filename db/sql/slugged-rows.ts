import type { Knex } from 'knex';
import { SlugTaken } from '../../server/access-control/role-store.ts';
import { violatesUnique } from './database-error.ts';

/** Objects of a project that an id or a slug names. */
export type SluggedTable = 'roles' | 'workspaces';

/** The row of an id or slug, which can't be mistaken for each other: ids alone have an underscore. */
export function sluggedRow(knex: Knex, table: SluggedTable, projectId: string, idOrSlug: string): Knex.QueryBuilder {
  const name = idOrSlug.includes('_') ? { id: idOrSlug } : { slug: idOrSlug };
  return knex(table).where({ project_id: projectId, ...name });
}

/** Throws {@link SlugTaken}. */
export async function insertSlugged(
  trx: Knex.Transaction,
  table: SluggedTable,
  row: { readonly slug: string },
): Promise<void> {
  try {
    await trx(table).insert(row);
  } catch (error) {
    const isTaken = violatesUnique(error, `${table}_slug`, [`${table}.project_id`, `${table}.slug`]);
    throw isTaken ? new SlugTaken(row.slug) : error;
  }
}
