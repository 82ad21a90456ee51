/** What each filter of a list of API keys means in SQL: a condition on a key, and an index that names the keys it holds for. */
import type { Knex } from 'knex';
import type { ApiKeyFilter } from '../../server/api-keys/api-key-store.ts';
import { byIndex } from './by-index.ts';

/** No letter or digit, so in no word, and above all of them in both databases, which compare by code point. */
const ABOVE_EVERY_LETTER = '\u{10FFFF}';

export interface SqlCondition {
  readonly sql: string;
  readonly bindings: readonly (string | number)[];
}

export interface FilterPart {
  readonly name: keyof ApiKeyFilter;
  /** Of a row of api_keys. */
  readonly condition: SqlCondition;
  /**
   * Ids of the keys that it holds for, some perhaps more than once, as entries of one index: as few are read as are asked
   * for.
   */
  readonly ids: (knex: Knex, limit: number) => Promise<string[]>;
  /** They are keys of the project, and no others. */
  readonly isOfProject: boolean;
}

/** The parts of a filter but the permission, which no index knows; those that mostly hold for few keys come first. */
export function filterParts(projectId: string, filter: ApiKeyFilter): FilterPart[] {
  const { id, words = [], ownerId, isValid, expiresBeforeMs, unusedSinceMs, roleId, workspaceId } = filter;
  const parts: FilterPart[] = words.map((word) => wordPart(projectId, word));
  const ofKeys = (name: keyof ApiKeyFilter, index: string, sql: string, value: string | number) =>
    parts.push({
      name,
      condition: { sql, bindings: [value] },
      isOfProject: true,
      ids: (knex, limit) =>
        byIndex(knex, 'api_keys', index)
          .where({ project_id: projectId })
          .whereRaw(sql, [value])
          .limit(limit)
          .pluck('id'),
    });
  if (id !== undefined)
    parts.unshift({
      name: 'id',
      condition: { sql: 'api_keys.id = ?', bindings: [id] },
      isOfProject: false,
      ids: async () => [id],
    });
  if (roleId !== undefined) parts.push(assignmentPart(projectId, 'roleId', filter));
  if (workspaceId !== undefined) parts.push(assignmentPart(projectId, 'workspaceId', filter));
  if (ownerId !== undefined) ofKeys('ownerId', 'api_keys_owner', 'api_keys.owner_id = ?', ownerId);
  if (expiresBeforeMs !== undefined)
    ofKeys('expiresBeforeMs', 'api_keys_expiry', 'api_keys.expires_at_ms < ?', expiresBeforeMs);
  if (unusedSinceMs !== undefined)
    ofKeys('unusedSinceMs', 'api_keys_idle', 'api_keys.idle_since_ms < ?', unusedSinceMs);
  if (isValid !== undefined) ofKeys('isValid', 'api_keys_validity', 'api_keys.is_valid = ?', Number(isValid));
  return parts;
}

function wordPart(projectId: string, word: string): FilterPart {
  const range = [word, word + ABOVE_EVERY_LETTER];
  return {
    name: 'words',
    condition: {
      sql: 'EXISTS (SELECT 1 FROM api_key_words AS named WHERE named.key_id = api_keys.id AND named.word >= ? AND named.word < ?)',
      bindings: range,
    },
    isOfProject: true,
    ids: (knex, limit) =>
      byIndex(knex, 'api_key_words', 'PRIMARY')
        .where({ project_id: projectId })
        .whereRaw('word >= ? AND word < ?', range)
        .limit(limit)
        .pluck('key_id'),
  };
}

const ASSIGNMENTS = {
  roleId: { table: 'roles', column: 'role_id', index: 'api_key_roles_role' },
  workspaceId: { table: 'workspaces', column: 'workspace_id', index: 'api_key_roles_workspace' },
} as const;

/** A role and a workspace, where both are given, are those of one assignment. */
function assignmentPart(projectId: string, name: keyof typeof ASSIGNMENTS, filter: ApiKeyFilter): FilterPart {
  const { table, column, index } = ASSIGNMENTS[name];
  const given = Object.entries({ role_id: filter.roleId, workspace_id: filter.workspaceId }).flatMap(
    ([assigned, value]) => (value === undefined ? [] : [{ assigned, value }]),
  );
  const conditions = given.map(({ assigned }) => `assigned.${assigned} = ?`).join(' AND ');
  const own = filter[name] ?? '';
  return {
    name,
    condition: {
      sql: `EXISTS (SELECT 1 FROM api_key_roles AS assigned WHERE assigned.key_id = api_keys.id AND ${conditions})`,
      bindings: given.map(({ value }) => value),
    },
    isOfProject: true,
    ids: (knex, limit) =>
      byIndex(knex, 'api_key_roles', index)
        .where(column, own)
        // Of another project nobody learns even how many keys have its role.
        .whereRaw('EXISTS (SELECT 1 FROM ?? WHERE id = ? AND project_id = ?)', [table, own, projectId])
        .limit(limit)
        .pluck('key_id'),
  };
}
