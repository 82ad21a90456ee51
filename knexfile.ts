/** For developers: `npx tsx node_modules/.bin/knex migrate:list`. The service itself migrates through `db/sql/migrate.ts`. */
import { knexConfig } from './db/sql/database.ts';

export default knexConfig(process.env['DATABASE_URL'] ?? 'sqlite:./data/keyturn.db');
