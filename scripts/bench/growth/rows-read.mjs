/* How many rows the statements read that Keyturn sends: what grows with a table shows here, whatever the machine. */
import { createConnection } from 'mysql2/promise';
import { atMost, figureRow } from '../harness/rounds.mjs';
import { keyIdOf, secretOf } from './numbered-keys.mjs';
import { loggedStatements } from './statement-log.mjs';

const PAGE = 50;
/** A list counts 1,000 keys, looks for one more, and MariaDB reads what it has found a second time. */
const MAX_ROWS = 2 * 1_001 + 10;

/** What people and machines do; ends with what Keyturn writes by itself, seconds later. */
async function useEverything({ call, keyCount }) {
  const exchange = (client_secret) => call('POST', '/oauth/token', { grant_type: 'client_credentials', client_secret });
  const { refresh_token } = await exchange(secretOf(keyCount - 1));
  await call('POST', '/oauth/token', { grant_type: 'refresh_token', refresh_token });
  const keys = '/v1/projects/default/keys';
  const { next_cursor } = await call('GET', `${keys}?limit=${PAGE}`);
  await call('GET', `${keys}?limit=${PAGE}&cursor=${next_cursor}`);
  await call('GET', `${keys}/${keyIdOf(keyCount / 2)}`);
  const { id, client_secret } = await call('POST', keys, { name: 'short-lived', permissions: ['read:credential'] });
  await exchange(client_secret);
  await call('PATCH', `${keys}/${id}`, { is_valid: false });
  await call('DELETE', `${keys}/${id}`);
}
const LAST = 'last_used_at_ms` = ';

export async function countRowsRead(store) {
  const connection = await createConnection(store.databaseUrl);
  try {
    const statements = await loggedStatements(connection, () => useEverything(store), LAST);
    const reads = [];
    for (const statement of statements) reads.push({ statement, rows: await rowsReadBy(connection, statement) });
    const [most] = reads.sort((a, b) => b.rows - a.rows);
    return {
      rows: [
        figureRow(
          `rows read by each of ${reads.length} statements`,
          reads.map(({ rows }) => rows),
        ),
      ],
      bars: [atMost(`growth: rows read by "${most.statement.slice(0, 40)}…", which reads most`, most.rows, MAX_ROWS)],
    };
  } finally {
    connection.destroy();
  }
}

/** Undone at once. A row that was inserted is refused the second time, which is no matter: inserting reads nothing. */
async function rowsReadBy(connection, statement) {
  await connection.beginTransaction();
  await connection.query('FLUSH STATUS');
  await connection.query(statement).catch(() => {});
  const [counters] = await connection.query("SHOW SESSION STATUS LIKE 'Handler_read%'");
  await connection.rollback();
  return counters.reduce((sum, { Value: value }) => sum + Number(value), 0);
}
