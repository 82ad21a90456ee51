import type { Knex } from 'knex';
import { tableOptions } from './table-options.ts';

/**
 * Plain SQL that SQLite and MySQL both read. Each table is one statement with its indexes in it, because MySQL commits
 * each DDL statement by itself: after a crash between two of them the next run goes on where this one ended. That is
 * why lookup indexes are written as UNIQUE constraints that end in the primary key: SQLite knows no other inline index.
 */
const TABLES: readonly (readonly [name: string, columns: string])[] = [
  [
    'projects',
    `id VARCHAR(64) NOT NULL PRIMARY KEY,
    slug VARCHAR(100) NOT NULL,
    name VARCHAR(100) NOT NULL,
    audiences TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    CONSTRAINT projects_slug UNIQUE (slug)`,
  ],
  [
    'users',
    `id VARCHAR(64) NOT NULL PRIMARY KEY,
    email VARCHAR(254),
    name VARCHAR(100) NOT NULL,
    created_at_ms BIGINT NOT NULL,
    CONSTRAINT users_email UNIQUE (email)`,
  ],
  [
    'setup_links',
    `token_hash VARCHAR(64) NOT NULL PRIMARY KEY,
    user_id VARCHAR(64) NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    used_at_ms BIGINT,
    CONSTRAINT setup_links_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE`,
  ],
  [
    'permission_sets',
    `digest CHAR(22) NOT NULL PRIMARY KEY,
    permissions TEXT NOT NULL`,
  ],
  [
    'api_keys',
    `id VARCHAR(64) NOT NULL PRIMARY KEY,
    project_id VARCHAR(64) NOT NULL,
    client_id VARCHAR(100) NOT NULL,
    client_id_suffix CHAR(25) NOT NULL,
    name VARCHAR(100) NOT NULL,
    description TEXT,
    owner_id VARCHAR(64) NOT NULL,
    permissions TEXT NOT NULL,
    ip_allowlist TEXT NOT NULL,
    expires_at_ms BIGINT,
    is_valid SMALLINT NOT NULL,
    secret_hash VARCHAR(255) NOT NULL,
    secret_version INTEGER NOT NULL,
    hint VARCHAR(16) NOT NULL,
    refresh_tokens SMALLINT NOT NULL,
    refresh_requires_client_auth SMALLINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    created_by VARCHAR(64),
    updated_at_ms BIGINT NOT NULL,
    last_used_at_ms BIGINT,
    last_used_ip VARCHAR(64),
    last_denied_at_ms BIGINT,
    last_denied_reason VARCHAR(100),
    CONSTRAINT api_keys_name UNIQUE (project_id, name),
    CONSTRAINT api_keys_client_id UNIQUE (client_id),
    CONSTRAINT api_keys_client_id_suffix UNIQUE (client_id_suffix),
    CONSTRAINT api_keys_list UNIQUE (project_id, id),
    CONSTRAINT api_keys_project FOREIGN KEY (project_id) REFERENCES projects (id)`,
  ],
  [
    'sessions',
    `id VARCHAR(64) NOT NULL PRIMARY KEY,
    key_id VARCHAR(64) NOT NULL,
    generation INTEGER NOT NULL,
    attempt_id VARCHAR(64) NOT NULL,
    rotated_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    ends_at_ms BIGINT,
    last_ip VARCHAR(64),
    permissions TEXT,
    permission_set CHAR(22),
    resource TEXT,
    CONSTRAINT sessions_key UNIQUE (key_id, id),
    CONSTRAINT sessions_expiry UNIQUE (expires_at_ms, id)`,
  ],
  [
    'signing_keys',
    `sequence INTEGER NOT NULL PRIMARY KEY,
    kid VARCHAR(64) NOT NULL,
    algorithm VARCHAR(16) NOT NULL,
    public_jwk TEXT NOT NULL,
    encrypted_private_key TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    active_from_ms BIGINT NOT NULL,
    retiring_from_ms BIGINT,
    retired_from_ms BIGINT,
    CONSTRAINT signing_keys_kid UNIQUE (kid)`,
  ],
  [
    'audit_events',
    `id VARCHAR(64) NOT NULL PRIMARY KEY,
    type VARCHAR(64) NOT NULL,
    project_id VARCHAR(64),
    actor_id VARCHAR(64),
    object_id VARCHAR(64) NOT NULL,
    ip VARCHAR(64),
    request_id VARCHAR(128),
    detail TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    CONSTRAINT audit_events_list UNIQUE (project_id, created_at_ms, id)`,
  ],
];

export async function up(knex: Knex): Promise<void> {
  const options = await tableOptions(knex);
  for (const [name, columns] of TABLES) {
    await knex.raw(`CREATE TABLE IF NOT EXISTS ${name} (\n    ${columns}\n)${options}`);
  }
}

export async function down(knex: Knex): Promise<void> {
  for (const [name] of TABLES.toReversed()) await knex.raw(`DROP TABLE IF EXISTS ${name}`);
}
