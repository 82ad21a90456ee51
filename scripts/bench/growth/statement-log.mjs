/* The statements that Keyturn sends, from the server's own log: nothing that it sends is missing there. */
const WITHIN_MS = 15_000;

/**
 * What other connections to the same database send while `act` runs, each statement once.
 *
 * @param last waits for a statement with this text, if there is one that is sent later than `act` ends
 */
export async function loggedStatements(connection, act, last = '') {
  await connection.query('TRUNCATE mysql.general_log');
  await connection.query("SET GLOBAL log_output = 'TABLE', GLOBAL general_log = 1");
  try {
    await act();
    for (const endsMs = performance.now() + WITHIN_MS; ; ) {
      const statements = await readLog(connection);
      if (statements.some((statement) => statement.includes(last))) return statements;
      if (performance.now() > endsMs) throw new Error(`Keyturn sent nothing with ${last}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  } finally {
    await connection.query("SET GLOBAL general_log = 0, GLOBAL log_output = 'FILE'");
  }
}

async function readLog(connection) {
  const [rows] = await connection.query(
    `SELECT DISTINCT CONVERT(argument USING utf8mb4) AS statement FROM mysql.general_log
     WHERE command_type IN ('Query', 'Execute') AND thread_id <> CONNECTION_ID()
       AND thread_id IN (SELECT id FROM information_schema.processlist WHERE db = DATABASE())`,
  );
  return rows.map(({ statement }) => statement).filter((text) => /^(select|insert|update|delete)/i.test(text));
}
