import { clientIdSuffixOf } from '@keyturn/lib/protocol';
import type { Knex } from 'knex';
import type { ResolvedAssignment } from '../../server/access-control/role.ts';
import { effectivePermissions, type RoleAssignment } from '../../server/access-control/role-assignment.ts';
import { UnknownAssignment } from '../../server/access-control/role-store.ts';
import type { ApiKey, ApiKeyForExchange, PreviousSecret } from '../../server/api-keys/api-key.ts';
import { permissionSetDigest } from '../../server/api-keys/permission-set.ts';
import { wordsOf } from '../../server/api-keys/search-words.ts';
import { byIndex } from './by-index.ts';

export interface ApiKeyRow {
  readonly id: string;
  readonly project_id: string;
  readonly client_id: string;
  readonly client_id_suffix: string;
  readonly name: string;
  readonly description: string | null;
  readonly owner_id: string;
  readonly permissions: string;
  readonly ip_allowlist: string;
  readonly expires_at_ms: number | null;
  readonly is_valid: number;
  readonly secret_hash: string;
  readonly secret_version: number;
  readonly hint: string;
  readonly refresh_tokens: number;
  readonly refresh_requires_client_auth: number;
  readonly created_at_ms: number;
  readonly created_by: string | null;
  readonly updated_at_ms: number;
  readonly last_used_at_ms: number | null;
  readonly last_used_ip: string | null;
  readonly last_denied_at_ms: number | null;
  readonly last_denied_reason: string | null;
  readonly version: number;
  readonly secret_created_at_ms: number | null;
  readonly secret_last_used_at_ms: number | null;
  readonly previous_secret_hash: string | null;
  readonly previous_hint: string | null;
  readonly previous_secret_created_at_ms: number | null;
  readonly previous_secret_expires_at_ms: number | null;
  readonly previous_secret_last_used_at_ms: number | null;
}

/** A role that a key or a member has, joined with the role and its workspace. */
export interface AssignedRoleRow {
  readonly role_id: string;
  /** Empty: the whole project. */
  readonly workspace_id: string;
  readonly workspace_slug: string | null;
  readonly permissions: string;
  readonly role_updated_at_ms: number;
}

/** The row of a new key, its roles and its search words. For use in a transaction, after {@link keepPermissionSet}. */
export async function insertApiKey(trx: Knex.Transaction, key: ApiKey): Promise<void> {
  await trx('api_keys').insert(fromApiKey(key));
  await insertRoles(trx, key);
  await insertWords(trx, key);
}

/** Writes a key over what it is now. For use in a transaction that has locked its row. */
export async function updateApiKey(trx: Knex.Transaction, current: ApiKey, key: ApiKey): Promise<void> {
  const { id, ...columns } = fromApiKey(key);
  await trx('api_keys').where({ id }).update(columns);
  if (!isSame(current.roles, key.roles)) {
    // Not for a new key, which has none: deleting nothing locks the gap, and keys made at once would wait for each other.
    await trx('api_key_roles').where({ key_id: id }).delete();
    await insertRoles(trx, key);
  }
  if (current.name !== key.name) {
    await trx('api_key_words').where({ key_id: id }).delete();
    await insertWords(trx, key);
  }
  if (!isSame(current.effectivePermissions, key.effectivePermissions))
    await putPermissionSet(trx, key.effectivePermissions);
}

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/**
 * Keeps a set of permissions that is about to be in force, because sessions name it by its digest alone. Content decides
 * the name, so it matters neither that two instances write at once nor whether the write that follows takes place.
 */
export async function keepPermissionSet(knex: Knex, permissions: readonly string[]): Promise<void> {
  const digest = permissionSetDigest(permissions);
  if (!(await knex('permission_sets').where({ digest }).first('digest'))) await putPermissionSet(knex, permissions);
}

/** As {@link keepPermissionSet}, without the look before, which has no place in a transaction that writes. */
async function putPermissionSet(knex: Knex, permissions: readonly string[]): Promise<void> {
  const digest = permissionSetDigest(permissions);
  const set = { digest, permissions: JSON.stringify(permissions) };
  await knex('permission_sets').insert(set).onConflict('digest').merge({ digest });
}

async function insertRoles(trx: Knex.Transaction, { id, roles }: Pick<ApiKey, 'id' | 'roles'>): Promise<void> {
  await lockAssigned(trx, roles);
  const rows = roles.map(({ roleId, workspaceId }) => ({
    key_id: id,
    role_id: roleId,
    workspace_id: workspaceId ?? '',
  }));
  if (rows.length > 0) await trx('api_key_roles').insert(rows);
}

/**
 * The roles and workspaces of assignments stay until the transaction is over.
 *
 * @throws {UnknownAssignment} for one that has been deleted since it was looked up
 */
export async function lockAssigned(trx: Knex.Transaction, roles: readonly RoleAssignment[]): Promise<void> {
  const existing = async (table: string, ids: readonly string[]) =>
    new Set<string>(ids.length === 0 ? [] : await trx(table).whereIn('id', ids).orderBy('id').forShare().pluck('id'));
  const roleIds = await existing('roles', [...new Set(roles.map(({ roleId }) => roleId))]);
  const workspaceIds = await existing('workspaces', [
    ...new Set(roles.flatMap(({ workspaceId }) => workspaceId ?? [])),
  ]);
  for (const [index, { roleId, workspaceId }] of roles.entries()) {
    if (!roleIds.has(roleId)) throw new UnknownAssignment(index, 'role', roleId);
    if (workspaceId !== null && !workspaceIds.has(workspaceId))
      throw new UnknownAssignment(index, 'workspace', workspaceId);
  }
}

async function insertWords(trx: Knex.Transaction, key: ApiKey): Promise<void> {
  await trx('api_key_words').insert(wordsOf(key).map((word) => ({ project_id: key.projectId, word, key_id: key.id })));
}

/** Roles of many keys at once, by key. */
export async function readRolesOfKeys(
  knex: Knex,
  keyIds: readonly string[],
): Promise<ReadonlyMap<string, readonly AssignedRoleRow[]>> {
  const byKey = new Map<string, AssignedRoleRow[]>();
  if (keyIds.length === 0) return byKey;
  for (const row of await rolesOfKeys(knex, keyIds)) byKey.set(row.key_id, [...(byKey.get(row.key_id) ?? []), row]);
  return byKey;
}

/** Roles of a key that is about to be written: nobody edits them until the transaction is over. */
export async function lockRolesOfKey(trx: Knex.Transaction, keyId: string): Promise<readonly AssignedRoleRow[]> {
  return rolesOfKeys(trx, [keyId]).forShare();
}

type AssignedRoleOfKeyRow = AssignedRoleRow & { readonly key_id: string };

function rolesOfKeys(
  knex: Knex,
  keyIds: readonly string[],
): Knex.QueryBuilder<AssignedRoleOfKeyRow, AssignedRoleOfKeyRow[]> {
  // The optimiser begins with the roles, which are few, and then reads every key that has one.
  return byIndex(knex, 'api_key_roles', 'PRIMARY')
    .join('roles', 'roles.id', 'api_key_roles.role_id')
    .leftJoin('workspaces', 'workspaces.id', 'api_key_roles.workspace_id')
    .whereIn('api_key_roles.key_id', keyIds)
    .orderBy(['api_key_roles.role_id', 'api_key_roles.workspace_id'])
    .select('api_key_roles.*', {
      permissions: 'roles.permissions',
      role_updated_at_ms: 'roles.updated_at_ms',
      workspace_slug: 'workspaces.slug',
    });
}

export const toAssignment = ({ role_id: roleId, workspace_id: workspaceId }: AssignedRoleRow): RoleAssignment => ({
  roleId,
  workspaceId: workspaceId || null,
});

/** The assignment with what it gives: nothing in a workspace that is gone, rather than everywhere. */
export function toResolvedAssignment(row: AssignedRoleRow): ResolvedAssignment {
  const isGone = row.workspace_id !== '' && row.workspace_slug === null;
  return {
    ...toAssignment(row),
    permissions: isGone ? [] : JSON.parse(row.permissions),
    workspaceSlug: row.workspace_slug,
  };
}

/** Own permissions and those of the roles, worked in. */
export function effectiveOf(own: readonly string[], roles: readonly AssignedRoleRow[]): readonly string[] {
  return effectivePermissions(own, roles.map(toResolvedAssignment));
}

/** The row of a key; its roles stand in a table of their own. */
export function fromApiKey(key: ApiKey): ApiKeyRow {
  const clientIdSuffix = clientIdSuffixOf(key.clientId);
  if (clientIdSuffix === null)
    throw new RangeError('a client_id has the form <name>_<25 lower-case letters and digits>');
  return {
    id: key.id,
    project_id: key.projectId,
    client_id: key.clientId,
    client_id_suffix: clientIdSuffix,
    name: key.name,
    description: key.description,
    owner_id: key.ownerId,
    permissions: JSON.stringify(key.permissions),
    ip_allowlist: JSON.stringify(key.ipAllowlist),
    expires_at_ms: key.expiresAtMs,
    is_valid: Number(key.isValid),
    secret_hash: key.secretHash,
    secret_version: key.secretVersion,
    hint: key.hint,
    refresh_tokens: Number(key.refreshTokens),
    refresh_requires_client_auth: Number(key.refreshRequiresClientAuth),
    created_at_ms: key.createdAtMs,
    created_by: key.createdBy,
    updated_at_ms: key.updatedAtMs,
    last_used_at_ms: key.lastUsedAtMs,
    last_used_ip: key.lastUsedIp,
    last_denied_at_ms: key.lastDeniedAtMs,
    last_denied_reason: key.lastDeniedReason,
    version: key.version,
    secret_created_at_ms: key.secretCreatedAtMs,
    secret_last_used_at_ms: key.secretLastUsedAtMs,
    previous_secret_hash: key.previousSecret?.hash ?? null,
    previous_hint: key.previousSecret?.hint ?? null,
    previous_secret_created_at_ms: key.previousSecret?.createdAtMs ?? null,
    previous_secret_expires_at_ms: key.previousSecret?.expiresAtMs ?? null,
    previous_secret_last_used_at_ms: key.previousSecret?.lastUsedAtMs ?? null,
  };
}

export function toApiKey(row: ApiKeyRow, roles: readonly AssignedRoleRow[]): ApiKey {
  const permissions: readonly string[] = JSON.parse(row.permissions);
  return {
    id: row.id,
    projectId: row.project_id,
    clientId: row.client_id,
    name: row.name,
    description: row.description,
    ownerId: row.owner_id,
    permissions,
    roles: roles.map(toAssignment),
    effectivePermissions: effectiveOf(permissions, roles),
    ipAllowlist: JSON.parse(row.ip_allowlist),
    expiresAtMs: row.expires_at_ms,
    isValid: row.is_valid !== 0,
    secretHash: row.secret_hash,
    hint: row.hint,
    secretVersion: row.secret_version,
    // Null for keys of the version before this one: their only secret came with them.
    secretCreatedAtMs: row.secret_created_at_ms ?? row.created_at_ms,
    secretLastUsedAtMs: row.secret_last_used_at_ms,
    previousSecret: toPreviousSecret(row),
    refreshTokens: row.refresh_tokens !== 0,
    refreshRequiresClientAuth: row.refresh_requires_client_auth !== 0,
    version: row.version,
    createdAtMs: row.created_at_ms,
    createdBy: row.created_by,
    updatedAtMs: row.updated_at_ms,
    lastUsedAtMs: row.last_used_at_ms,
    lastUsedIp: row.last_used_ip,
    lastDeniedAtMs: row.last_denied_at_ms,
    lastDeniedReason: row.last_denied_reason,
  };
}

function toPreviousSecret(row: ApiKeyRow): PreviousSecret | null {
  const { previous_secret_hash: hash, previous_secret_expires_at_ms: expiresAtMs } = row;
  if (hash === null || expiresAtMs === null) return null;
  return {
    hash,
    expiresAtMs,
    hint: row.previous_hint ?? '',
    createdAtMs: row.previous_secret_created_at_ms ?? row.created_at_ms,
    lastUsedAtMs: row.previous_secret_last_used_at_ms,
  };
}

export function toApiKeyForExchange(
  row: ApiKeyRow & { readonly project_audiences: string },
  roles: readonly AssignedRoleRow[],
): ApiKeyForExchange {
  const changes = [row.updated_at_ms, ...roles.map(({ role_updated_at_ms: updatedAtMs }) => updatedAtMs)];
  return {
    ...toApiKey(row, roles),
    projectAudiences: JSON.parse(row.project_audiences),
    rightsChangedAtMs: Math.max(...changes),
  };
}
