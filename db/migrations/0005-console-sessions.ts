import type { Knex } from 'knex';
import { tableOptions } from './table-options.ts';

/** People signed in to the console, of whose cookie only the hash is stored, and how often it was tried. */
const TABLES: readonly (readonly [name: string, columns: string])[] = [
  [
    'console_sessions',
    `token_hash VARCHAR(64) NOT NULL PRIMARY KEY,
    user_id VARCHAR(64) NOT NULL,
    created_at_ms BIGINT NOT NULL,
    last_seen_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    ip VARCHAR(64),
    user_agent VARCHAR(255),
    CONSTRAINT console_sessions_user UNIQUE (user_id, token_hash),
    CONSTRAINT console_sessions_expiry UNIQUE (expires_at_ms, token_hash),
    CONSTRAINT console_sessions_seen UNIQUE (last_seen_at_ms, token_hash),
    CONSTRAINT console_sessions_of_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE`,
  ],
  [
    'sign_in_attempts',
    `id VARCHAR(128) NOT NULL PRIMARY KEY,
    attempts INTEGER NOT NULL,
    ends_at_ms BIGINT NOT NULL,
    CONSTRAINT sign_in_attempts_end UNIQUE (ends_at_ms, id)`,
  ],
];

export async function up(knex: Knex): Promise<void> {
  const options = await tableOptions(knex);
  for (const [name, columns] of TABLES)
    await knex.raw(`CREATE TABLE IF NOT EXISTS ${name} (\n    ${columns}\n)${options}`);
}

export async function down(knex: Knex): Promise<void> {
  for (const [name] of TABLES.toReversed()) await knex.raw(`DROP TABLE IF EXISTS ${name}`);
}
