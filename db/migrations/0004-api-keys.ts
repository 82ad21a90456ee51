import type { Knex } from 'knex';
import { wordsOf } from '../../server/api-keys/search-words.ts';
import { addColumns, addIndexes } from './alter-table.ts';
import { tableOptions } from './table-options.ts';

const TABLES: readonly (readonly [name: string, columns: string])[] = [
  [
    'api_key_words',
    `project_id VARCHAR(64) NOT NULL,
    word VARCHAR(40) NOT NULL,
    key_id VARCHAR(64) NOT NULL,
    PRIMARY KEY (project_id, word, key_id),
    CONSTRAINT api_key_words_key UNIQUE (key_id, word),
    CONSTRAINT api_key_words_of_key FOREIGN KEY (key_id) REFERENCES api_keys (id) ON DELETE CASCADE`,
  ],
  [
    'key_usage',
    `key_id VARCHAR(64) NOT NULL,
    hour_at_ms BIGINT NOT NULL,
    exchanges BIGINT NOT NULL,
    refreshes BIGINT NOT NULL,
    denials BIGINT NOT NULL,
    PRIMARY KEY (key_id, hour_at_ms),
    CONSTRAINT key_usage_hour UNIQUE (hour_at_ms, key_id)`,
  ],
  [
    'usage_batches',
    `id VARCHAR(64) NOT NULL PRIMARY KEY,
    created_at_ms BIGINT NOT NULL`,
  ],
];

const KEYS_PER_BATCH = 1_000;

/** A second secret while an old one is being replaced, search by words, filters, and use by the hour. */
export async function up(knex: Knex): Promise<void> {
  await addColumns(knex, 'api_keys', {
    version: 'INTEGER NOT NULL DEFAULT 1',
    secret_created_at_ms: 'BIGINT',
    secret_last_used_at_ms: 'BIGINT',
    previous_secret_hash: 'VARCHAR(255)',
    previous_hint: 'VARCHAR(16)',
    previous_secret_created_at_ms: 'BIGINT',
    previous_secret_expires_at_ms: 'BIGINT',
    previous_secret_last_used_at_ms: 'BIGINT',
    // Last used, or never used and created, before a time: one range of one index.
    idle_since_ms: 'BIGINT GENERATED ALWAYS AS (COALESCE(last_used_at_ms, created_at_ms)) VIRTUAL',
  });
  // No key had another secret before.
  await addColumns(knex, 'sessions', { secret_version: 'INTEGER NOT NULL DEFAULT 1' });
  await addIndexes(knex, 'api_keys', {
    api_keys_owner: 'project_id, owner_id, id',
    api_keys_validity: 'project_id, is_valid, id',
    api_keys_expiry: 'project_id, expires_at_ms, id',
    api_keys_last_use: 'project_id, last_used_at_ms, id',
    api_keys_idle: 'project_id, idle_since_ms, id',
  });
  const options = await tableOptions(knex);
  for (const [name, columns] of TABLES)
    await knex.raw(`CREATE TABLE IF NOT EXISTS ${name} (\n    ${columns}\n)${options}`);
  await findWordsOfKeys(knex);
}

async function findWordsOfKeys(knex: Knex): Promise<void> {
  for (let afterId = ''; ; ) {
    const keys = await knex('api_keys')
      .where('id', '>', afterId)
      .orderBy('id')
      .limit(KEYS_PER_BATCH)
      .select('id', 'project_id', 'name', 'client_id');
    if (keys.length === 0) return;
    const rows = keys.flatMap(({ id, project_id, name, client_id }) =>
      wordsOf({ name, clientId: client_id }).map((word) => ({ project_id, word, key_id: id })),
    );
    // SQLite takes a few hundred rows in a statement.
    for (let start = 0; start < rows.length; start += 100)
      await knex('api_key_words')
        .insert(rows.slice(start, start + 100))
        .onConflict(['project_id', 'word', 'key_id'])
        .ignore();
    afterId = keys.at(-1)?.id;
  }
}

export async function down(knex: Knex): Promise<void> {
  for (const [name] of TABLES.toReversed()) await knex.raw(`DROP TABLE IF EXISTS ${name}`);
}
