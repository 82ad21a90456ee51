/* API keys by the million. All of a key follows from its number, here and in SQL alike: MariaDB makes the rows by itself, and
   the load knows the secret of each. */
import { createHash } from 'node:crypto';
import { formatGeneratedSecret } from '@keyturn/lib/protocol';
import { createConnection, escape as quote } from 'mysql2/promise';

/** Rows of one statement: few enough for a temporary table in memory. */
const BATCH = 20_000;
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** In life these are the secret's 256 random bits; nothing here depends on them. */
const SECRET_RANDOM = '0'.repeat(43);

const md5 = (text) => createHash('md5').update(text).digest('hex');

export const keyIdOf = (number) => `key_01${number.toString(16).padStart(8, '0')}${md5(String(number)).slice(0, 16)}`;
export const secretOf = (number) => formatGeneratedSecret(md5(`s${number}`).slice(0, 25), SECRET_RANDOM);

/** `key_`, the time-ordered half (here the number), the random half. */
const ID = "CONCAT('key_01', LPAD(LOWER(HEX(seq)), 8, '0'), LEFT(MD5(seq), 16))";
const SUFFIX = "LEFT(MD5(CONCAT('s', seq)), 25)";
const SECRET_BODY = `CONCAT('ktk_', suffix, '_${SECRET_RANDOM}')`;
/** The CRC-32 in six digits of base 62, as {@link formatGeneratedSecret} writes it. */
const CHECKSUM = [5, 4, 3, 2, 1, 0]
  .map((power) => `SUBSTR('${BASE62}', 1 + (crc DIV ${62 ** power}) % 62, 1)`)
  .join(', ');
const SHA256_BASE64 = `TO_BASE64(UNHEX(SHA2(CONCAT(${SECRET_BODY}, ${CHECKSUM}), 256)))`;
const SECRET_HASH = `CONCAT('sha256:', REPLACE(REPLACE(REPLACE(${SHA256_BASE64}, '+', '-'), '/', '_'), '=', ''))`;

/** MariaDB works it out from the others, and takes no value for it. */
const GENERATED = 'idle_since_ms';

const NUMBERED = {
  id: 'id',
  client_id: "CONCAT('bench-', seq, '_', suffix)",
  client_id_suffix: 'suffix',
  name: "CONCAT('bench-', seq)",
  secret_hash: SECRET_HASH,
};

/**
 * Adds the keys 1 to `count`, which are in all else as the one that is named `pattern`.
 *
 * @param columns SQL for further columns that follow from the number, `seq`
 *
 * Not one INSERT … SELECT from the table itself: it would go through a temporary table of all rows.
 */
export async function insertKeys(databaseUrl, { pattern, count, columns: varied = {} }) {
  const connection = await createConnection(databaseUrl);
  const [[like]] = await connection.query('SELECT * FROM api_keys WHERE name = ?', [pattern]);
  const columns = Object.keys(like).filter((column) => column !== GENERATED);
  const numbered = { ...NUMBERED, ...varied };
  const values = columns.map((column) => numbered[column] ?? quote(like[column]));
  await connection.query('SET SESSION unique_checks = 0, foreign_key_checks = 0');
  for (let first = 1; first <= count; first += BATCH) {
    const last = Math.min(count, first + BATCH - 1);
    const named = `SELECT seq, ${ID} AS id, ${SUFFIX} AS suffix FROM seq_${first}_to_${last}`;
    // LIMIT keeps the checksum from being computed for each of its digits anew.
    const summed = `SELECT *, CRC32(${SECRET_BODY}) AS crc FROM (${named}) AS named LIMIT ${BATCH}`;
    await connection.query(`INSERT INTO api_keys (${columns}) SELECT ${values} FROM (${summed}) AS summed`);
  }
  await connection.query('ANALYZE TABLE api_keys');
  await connection.end();
}
