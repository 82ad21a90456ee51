import type { Knex } from 'knex';

/**
 * What follows the columns of a `CREATE TABLE`. Binary collations without padding, so that MySQL tells apart what SQLite
 * tells apart: `utf8mb4_bin` holds 'key' and 'key ' to be equal. MariaDB and MySQL name theirs differently.
 */
export async function tableOptions(knex: Knex): Promise<string> {
  if (!String(knex.client.driverName).startsWith('mysql')) return '';
  const [rows] = await knex.raw('SELECT VERSION() AS version');
  const isMariadb = /mariadb/i.test(String(rows[0].version));
  const collation = isMariadb ? 'utf8mb4_nopad_bin' : 'utf8mb4_0900_bin';
  return ` ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=${collation}`;
}
