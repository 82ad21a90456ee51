/* How MariaDB goes about the statements of the lists. */
import { createConnection } from 'mysql2/promise';
import { atMost, figureRow } from '../harness/rounds.mjs';
import { loggedStatements } from './statement-log.mjs';

/** Keys that a list looks at, at most, and one more. */
const MAX_SORTED = 1_001;
/** Whose size is that of the project; the others have a handful of rows, which MariaDB rightly reads whole. */
const GROWING = ['api_keys', 'api_key_words', 'api_key_roles', 'named', 'assigned'];

export async function explainLists({ databaseUrl, reads, pathOf, get }) {
  const connection = await createConnection(databaseUrl);
  try {
    const statements = await loggedStatements(connection, async () => {
      for (const query of Object.values(reads).flatMap(Object.values)) await get(pathOf(query));
    });
    const lists = statements.filter((text) => /^select/i.test(text) && /api_key(s|_words|_roles)\b/.test(text));
    const plans = new Map();
    for (const statement of lists)
      for (const step of await planOf(connection, statement)) {
        const most = plans.get(step.text);
        if (most === undefined || most.rows < step.rows) plans.set(step.text, { ...step, statement });
      }
    const steps = [...plans.values()].sort((a, b) => a.text.localeCompare(b.text));
    const growing = steps.filter(isGrowing);
    for (const { text, rows, statement } of growing)
      process.stderr.write(`${text}, ${rows} rows: ${statement.slice(0, 600)}\n`);
    return {
      rows: steps.map(({ text, rows }) => figureRow(`EXPLAIN ${text}; rows`, [rows])),
      bars: [
        atMost(
          `lists: steps of ${lists.length} statements that read or sort a whole table (EXPLAIN)`,
          growing.length,
          0,
        ),
      ],
    };
  } finally {
    connection.destroy();
  }
}

/** The steps that read one of the growing tables. */
async function planOf(connection, statement) {
  const [steps] = await connection.query(`EXPLAIN ${statement}`);
  return steps
    .filter(({ table }) => GROWING.includes(table))
    .map(({ table, type, key, rows, Extra: extra }) => ({
      ...{ type, key, extra, rows: Number(rows) },
      text: [table, type, key ?? 'no index', extra].filter(Boolean).join(' · '),
    }));
}

const isGrowing = ({ type, key, extra, rows }) =>
  type === 'ALL' || key === null || (/filesort|temporary/.test(extra) && rows > MAX_SORTED);
