import type { Knex } from 'knex';
import type { ApiKey, ApiKeyForExchange } from '../../server/api-keys/api-key.ts';
import {
  type ApiKeyFilter,
  ApiKeyNameTaken,
  type ApiKeySort,
  type ApiKeyStore,
  type ApiKeyUse,
  type DecideEdit,
  type DeletedApiKey,
  type SecretUse,
} from '../../server/api-keys/api-key-store.ts';
import type { AuditEvent } from '../../server/audit/audit-event.ts';
import type { Page, PageRequest } from '../../server/page.ts';
import type { DecideDelete } from '../../server/write.ts';
import {
  type ApiKeyRow,
  insertApiKey,
  keepPermissionSet,
  lockRolesOfKey,
  readRolesOfKeys,
  toApiKey,
  toApiKeyForExchange,
  toResolvedAssignment,
  updateApiKey,
} from './api-key-row.ts';
import type { AuditTrail } from './audit-trail.ts';
import type { Database } from './database.ts';
import { violatesUnique } from './database-error.ts';
import { listApiKeys } from './list-api-keys.ts';
import { recordChanges } from './sql-change-store.ts';

/** Uses written in one transaction: few enough to end in time on a slow server. */
const USES_PER_TRANSACTION = 200;

export class SqlApiKeyStore implements ApiKeyStore {
  readonly #database: Database;
  readonly #trail: AuditTrail;
  readonly #maxCounted: number;

  /** @param maxCounted as far as a list counts, so that its cost does not grow with the project. Default 1,000. */
  constructor(database: Database, trail: AuditTrail, { maxCounted = 1_000 } = {}) {
    this.#database = database;
    this.#trail = trail;
    this.#maxCounted = maxCounted;
  }

  insert(key: ApiKey, event: AuditEvent): Promise<void> {
    return this.insertAll([key], [event]);
  }

  async insertAll(keys: readonly ApiKey[], events: readonly AuditEvent[]): Promise<void> {
    await this.#database.run(async (knex) => {
      for (const { effectivePermissions } of keys) await keepPermissionSet(knex, effectivePermissions);
    });
    return this.#database.transaction(async (trx) => {
      for (const key of keys) await refusingTakenName(key, () => insertApiKey(trx, key));
      await this.#trail.append(trx, events);
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

  list(projectId: string, filter: ApiKeyFilter, request: PageRequest<ApiKeySort>): Promise<Page<ApiKey>> {
    const maxCounted = this.#maxCounted;
    return this.#database.run(async (knex) => {
      const page = await listApiKeys({ knex, projectId, filter, request, maxCounted });
      return { ...page, items: await withRoles(knex, page.items) };
    });
  }

  update(projectId: string, id: string, decide: DecideEdit): Promise<ApiKey | null> {
    return this.#database.transaction(async (trx) => {
      const row = await trx('api_keys').where({ project_id: projectId, id }).forUpdate().first();
      if (!row) return null;
      const roles = await lockRolesOfKey(trx, id);
      const current = toApiKey(row, roles);
      const { object, event } = decide(current, roles.map(toResolvedAssignment));
      if (event === null) return current;
      const written = { ...object, version: current.version + 1 };
      await refusingTakenName(written, () => updateApiKey(trx, current, written));
      await this.#trail.append(trx, [event]);
      await recordChanges(trx, [id]);
      return written;
    });
  }

  delete(projectId: string, ids: readonly string[], decide: DecideDelete<DeletedApiKey>): Promise<ReadonlySet<string>> {
    return this.#database.transaction(async (trx) => {
      // In order of id, as all that lock many keys: two of them never wait for each other.
      const rows: DeletedRow[] = await trx('api_keys')
        .where({ project_id: projectId })
        // knex would make a tuple of an array.
        .whereIn(
          'id',
          ids.filter((id) => typeof id === 'string'),
        )
        .orderBy('id')
        .forUpdate()
        .select('id', 'client_id', 'name', 'version');
      const events = rows.map(({ client_id: clientId, ...row }) => decide({ ...row, projectId, clientId }));
      const deleted = rows.map(({ id }) => id);
      if (deleted.length > 0) await trx('api_keys').whereIn('id', deleted).delete();
      await this.#trail.append(trx, events);
      await recordChanges(trx, deleted);
      return new Set(deleted);
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

type DeletedRow = Pick<ApiKeyRow, 'id' | 'client_id' | 'name' | 'version'>;

/** @throws {ApiKeyNameTaken} */
async function refusingTakenName({ name }: ApiKey, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    const isNameTaken = violatesUnique(error, 'api_keys_name', ['api_keys.project_id', 'api_keys.name']);
    throw isNameTaken ? new ApiKeyNameTaken(name) : error;
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
    ...(use.secretUses.length > 0 && secretChanges(trx, use.secretUses)),
  };
  if (Object.keys(changes).length > 0) await trx('api_keys').where({ id: use.keyId }).update(changes);
}

/** The key may have been regenerated since: a secret that it no longer has is passed over. */
function secretChanges(knex: Knex, uses: readonly SecretUse[]) {
  const lastUse = (column: string, isThatSecret: string) => {
    const cases = uses.map(() => `WHEN ${isThatSecret} THEN ?`).join(' ');
    const values = uses.flatMap(({ secretVersion, usedAtMs }) => [secretVersion, usedAtMs]);
    return knex.raw(`CASE ${cases} ELSE ${column} END`, values);
  };
  const isPrevious = 'previous_secret_hash IS NOT NULL AND secret_version = ? + 1';
  return {
    secret_last_used_at_ms: lastUse('secret_last_used_at_ms', 'secret_version = ?'),
    previous_secret_last_used_at_ms: lastUse('previous_secret_last_used_at_ms', isPrevious),
  };
}
