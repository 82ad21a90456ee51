/* OAuth clients in MariaDB, for the libraries that leave clients to whoever uses them. One prepared statement a look-up, as
   mysql2 documents for speed; no cache, because these libraries have none and their documentation asks for none. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createPool } from 'mysql2/promise';

/**
 * SHA-256 and not a slow hash, though @jmondi/oauth2-server's documentation shows bcrypt: these secrets are 256 random
 * bits, and with bcrypt there would be nothing else to measure.
 */
const hashSecret = (secret) => createHash('sha256').update(secret).digest();

export async function openClientTable(databaseUrl) {
  const pool = createPool(databaseUrl);
  await pool.query(`CREATE TABLE IF NOT EXISTS oauth_clients (
    id VARCHAR(64) PRIMARY KEY, secret_hash BINARY(32) NOT NULL, grants VARCHAR(255) NOT NULL, scopes TEXT NOT NULL)`);
  return {
    async add({ id, secret, grants, scopes }) {
      const row = [id, hashSecret(secret), grants.join(' '), scopes.join(' ')];
      await pool.execute('REPLACE INTO oauth_clients (id, secret_hash, grants, scopes) VALUES (?, ?, ?, ?)', row);
    },
    /** `null` where there is none. */
    async find(id) {
      const [[row]] = await pool.execute('SELECT id, secret_hash, grants, scopes FROM oauth_clients WHERE id = ?', [
        id,
      ]);
      if (row === undefined) return null;
      return { id: row.id, secretHash: row.secret_hash, grants: row.grants.split(' '), scopes: row.scopes.split(' ') };
    },
  };
}

export function isSecretOf({ secretHash }, secret) {
  return timingSafeEqual(secretHash, hashSecret(secret));
}
