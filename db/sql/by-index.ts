import type { Knex } from 'knex';

/**
 * A table, read by one index. MariaDB's optimiser now and then takes another that reads all of a project's rows, or of a
 * role's; SQLite, without statistics, takes the one that fits the conditions.
 */
export function byIndex(knex: Knex, table: string, index: string): Knex.QueryBuilder {
  const isMysql = String(knex.client.driverName).startsWith('mysql');
  return isMysql ? knex.from(knex.raw('?? FORCE INDEX (??)', [table, index])) : knex(table);
}
