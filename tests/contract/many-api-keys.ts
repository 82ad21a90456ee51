import type { Knex } from 'knex';
import { fromApiKey } from '../../db/sql/api-key-row.ts';
import type { Database } from '../../db/sql/database.ts';
import type { ApiKey } from '../../server/api-keys/api-key.ts';
import { wordsOf } from '../../server/api-keys/search-words.ts';
import { anApiKey } from './api-key-store-records.ts';

const KEYS_PER_TRANSACTION = 1_000;
/** SQLite takes no more. */
const ROWS_PER_STATEMENT = 400;

export const manyKeysTimes = { firstMs: 1_000_000, stepMs: 10 } as const;
const { firstMs, stepMs } = manyKeysTimes;

const padded = (index: number) => String(index).padStart(8, '0');

/**
 * The key of a number among `count`, made so that walks go far: what a filter asks for stands together at one end of the
 * order of names, of creation and of use.
 */
export function numberedKey(projectId: string, index: number, count: number): ApiKey {
  const share = index / count;
  return anApiKey({
    id: `key_${padded(index)}`,
    projectId,
    clientId: `runner_${padded(index).padStart(25, 'x')}`,
    name: `Runner ci-${padded(index)} ${share < 0.7 ? 'eu' : 'us'}${index % (count / 10) === 0 ? ' rare' : ''}`,
    ownerId: share < 0.8 ? 'usr_a' : 'usr_b',
    isValid: share < 0.9,
    // Many with the same expiry, and many without one.
    expiresAtMs: share < 0.3 ? null : share < 0.6 ? firstMs : firstMs + stepMs * index,
    lastUsedAtMs: share < 0.4 ? null : firstMs + stepMs * index,
    createdAtMs: firstMs + stepMs * index,
    permissions: [share < 0.95 ? 'read:credential/prod-*' : 'write:defect'],
    roles: share < 0.5 ? [] : [{ roleId: 'rol_many', workspaceId: 'wsp_many' }],
  });
}

/** As many keys, their words and roles, by statements of many rows: one by one they would take minutes. */
export async function insertManyKeys(database: Database, projectId: string, count: number): Promise<void> {
  await database.run((knex) => insertRole(knex, projectId));
  for (let start = 0; start < count; start += KEYS_PER_TRANSACTION) {
    const length = Math.min(KEYS_PER_TRANSACTION, count - start);
    const keys = Array.from({ length }, (_, index) => numberedKey(projectId, start + index, count));
    const insert = (trx: Knex.Transaction, table: string, rows: object[]) =>
      trx.batchInsert(table, rows, ROWS_PER_STATEMENT);
    await database.transaction(async (trx) => {
      await insert(trx, 'api_keys', keys.map(fromApiKey));
      await insert(
        trx,
        'api_key_words',
        keys.flatMap((key) => wordsOf(key).map((word) => ({ project_id: projectId, word, key_id: key.id }))),
      );
      await insert(
        trx,
        'api_key_roles',
        keys.flatMap(({ id, roles }) =>
          roles.map(({ roleId, workspaceId }) => ({ key_id: id, role_id: roleId, workspace_id: workspaceId ?? '' })),
        ),
      );
    });
  }
}

async function insertRole(knex: Knex, projectId: string): Promise<void> {
  const common = { project_id: projectId, slug: 'many', name: 'Many', version: 1, created_at_ms: 1, updated_at_ms: 1 };
  await knex('roles').insert({ ...common, id: 'rol_many', permissions: '["read:defect"]', is_built_in: 0 });
  await knex('workspaces').insert({ ...common, id: 'wsp_many' });
}
