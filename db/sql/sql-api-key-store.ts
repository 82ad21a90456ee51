import type { Knex } from 'knex';
import type { ApiKey, ApiKeyForExchange } from '../../server/api-keys/api-key.ts';
import { ApiKeyNameTaken, type ApiKeyStore, type ApiKeyUse } from '../../server/api-keys/api-key-store.ts';
import type { Page, PageRequest } from '../../server/page.ts';
import {
  type ApiKeyRow,
  insertApiKey,
  keepPermissionSet,
  readRolesOfKeys,
  toApiKey,
  toApiKeyForExchange,
} from './api-key-row.ts';
import type { Database } from './database.ts';
import { violatesUnique } from './database-error.ts';
import { readPage } from './read-page.ts';
import { recordChange } from './sql-change-store.ts';

/** Uses written in one transaction: few enough to end in time on a slow server. */
const USES_PER_TRANSACTION = 200;
// Ids sort by creation.
const COLUMNS = { id: 'api_keys.id', sorts: { created_at: 'api_keys.id' } };

export class SqlApiKeyStore implements ApiKeyStore {
  readonly #database: Database;
  readonly #maxCounted: number;

  /** @param maxCounted as far as a list counts, so that its cost does not grow with the project. Default 10,000. */
  constructor(database: Database, { maxCounted = 10_000 } = {}) {
    this.#database = database;
    this.#maxCounted = maxCounted;
  }

  async insert(key: ApiKey): Promise<void> {
    await this.#database.run((knex) => keepPermissionSet(knex, key.effectivePermissions));
    return this.#database.transaction(async (trx) => {
      try {
        await insertApiKey(trx, key);
      } catch (error) {
        const isNameTaken = violatesUnique(error, 'api_keys_name', ['api_keys.project_id', 'api_keys.name']);
        throw isNameTaken ? new ApiKeyNameTaken(key.name) : error;
      }
    });
  }

  findByClientId(clientId: string): Promise<ApiKeyForExchange | null> {
    return this.#findForExchange('client_id', clientId);
  }

  findByClientIdSuffix(suffix: string): Promise<ApiKeyForExchange | null> {
    return this.#findForExchange('client_id_suffix', suffix);
  }

  findById(id: string): Promise<ApiKeyForExchange | null> {
    return this.#findForExchange('id', id);
  }

  findInProject(projectId: string, id: string): Promise<ApiKey | null> {
    return this.#database.run((knex) => readInProject(knex, projectId, id));
  }

  list(projectId: string, request: PageRequest<'created_at'>): Promise<Page<ApiKey>> {
    return this.#database.run(async (knex) => {
      const page = await readPage(knex, knex('api_keys').where({ project_id: projectId }), {
        columns: COLUMNS,
        request,
        select: 'api_keys.*',
        toItem: (row: ApiKeyRow) => row,
        maxCounted: this.#maxCounted,
      });
      return { ...page, items: await withRoles(knex, page.items) };
    });
  }

  setValidity(projectId: string, id: string, isValid: boolean, nowMs: number): Promise<ApiKey | null> {
    return this.#database.transaction(async (trx) => {
      const changedCount = await trx('api_keys')
        .where({ project_id: projectId, id })
        .update({ is_valid: Number(isValid), updated_at_ms: nowMs });
      if (changedCount === 0) return null;
      await recordChange(trx, id);
      return readInProject(trx, projectId, id);
    });
  }

  delete(projectId: string, id: string): Promise<boolean> {
    return this.#database.transaction(async (trx) => {
      const deletedCount = await trx('api_keys').where({ project_id: projectId, id }).delete();
      if (deletedCount > 0) await recordChange(trx, id);
      return deletedCount > 0;
    });
  }

  async findPermissionSet(digest: string): Promise<readonly string[] | null> {
    const row = await this.#database.run((knex) => knex('permission_sets').where({ digest }).first('permissions'));
    return row ? JSON.parse(row.permissions) : null;
  }

  async recordUses(uses: readonly ApiKeyUse[]): Promise<void> {
    // In order of id: instances that write at the same time take the rows in one order, and don't deadlock.
    const ordered = [...uses].sort((a, b) => (a.keyId < b.keyId ? -1 : 1));
    for (let start = 0; start < ordered.length; start += USES_PER_TRANSACTION) {
      const batch = ordered.slice(start, start + USES_PER_TRANSACTION);
      await this.#database.transaction(async (trx) => {
        for (const use of batch) await recordUse(trx, use);
      });
    }
  }

  async #findForExchange(column: 'id' | 'client_id' | 'client_id_suffix', value: string) {
    return this.#database.run(async (knex) => {
      const row = await knex('api_keys')
        .join('projects', 'projects.id', 'api_keys.project_id')
        .where(`api_keys.${column}`, value)
        .first('api_keys.*', {
          project_audiences: 'projects.audiences',
          has_roles: knex.raw('EXISTS (SELECT 1 FROM api_key_roles WHERE key_id = api_keys.id)'),
        });
      if (!row) return null;
      const roles = row.has_roles ? ((await readRolesOfKeys(knex, [row.id])).get(row.id) ?? []) : [];
      const key = toApiKeyForExchange(row, roles);
      // Roles may have been edited since the key was written: what is in force now is what sessions will name.
      if (roles.length > 0) await keepPermissionSet(knex, key.effectivePermissions);
      return key;
    });
  }
}

async function withRoles(knex: Knex, rows: readonly ApiKeyRow[]): Promise<ApiKey[]> {
  const roles = await readRolesOfKeys(
    knex,
    rows.map(({ id }) => id),
  );
  return rows.map((row) => toApiKey(row, roles.get(row.id) ?? []));
}

async function readInProject(knex: Knex, projectId: string, id: string): Promise<ApiKey | null> {
  const row = await knex('api_keys').where({ project_id: projectId, id }).first();
  return row ? ((await withRoles(knex, [row]))[0] ?? null) : null;
}

async function recordUse(trx: Knex.Transaction, use: ApiKeyUse): Promise<void> {
  const changes = {
    ...(use.usedAtMs !== null && { last_used_at_ms: use.usedAtMs, last_used_ip: use.usedIp }),
    ...(use.deniedAtMs !== null && { last_denied_at_ms: use.deniedAtMs, last_denied_reason: use.deniedReason }),
  };
  if (Object.keys(changes).length > 0) await trx('api_keys').where({ id: use.keyId }).update(changes);
}
