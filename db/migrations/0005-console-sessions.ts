import type { Knex } from 'knex';
import { tableOptions } from './table-options.ts';

/** People signed in to the console. Only the hash of the cookie is stored. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`CREATE TABLE IF NOT EXISTS console_sessions (
    token_hash VARCHAR(64) NOT NULL PRIMARY KEY,
    user_id VARCHAR(64) NOT NULL,
    created_at_ms BIGINT NOT NULL,
    last_seen_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    ip VARCHAR(64),
    user_agent VARCHAR(255),
    CONSTRAINT console_sessions_user UNIQUE (user_id, token_hash),
    CONSTRAINT console_sessions_expiry UNIQUE (expires_at_ms, token_hash),
    CONSTRAINT console_sessions_of_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
)${await tableOptions(knex)}`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE IF EXISTS console_sessions');
}
