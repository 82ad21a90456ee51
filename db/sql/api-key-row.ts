import { clientIdSuffixOf } from '@keyturn/lib/protocol';
import type { Knex } from 'knex';
import type { ApiKey, ApiKeyForExchange } from '../../server/api-keys/api-key.ts';
import { permissionSetDigest } from '../../server/api-keys/permission-set.ts';

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
}

export type ApiKeyForExchangeRow = ApiKeyRow & { readonly project_audiences: string };

/** The row of a new key, and its permission set where that is new too. For use in a transaction. */
export async function insertApiKey(trx: Knex.Transaction, key: ApiKey): Promise<void> {
  const digest = permissionSetDigest(key.permissions);
  const isKnown = await trx('permission_sets').where({ digest }).first('digest');
  if (!isKnown) {
    // A parallel transaction may add the same set: the name stands for the content, so either row will do.
    const set = { digest, permissions: JSON.stringify(key.permissions) };
    await trx('permission_sets').insert(set).onConflict('digest').merge({ digest });
  }
  await trx('api_keys').insert(fromApiKey(key));
}

function fromApiKey(key: ApiKey): ApiKeyRow {
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
  };
}

export function toApiKey(row: ApiKeyRow): ApiKey {
  return {
    id: row.id,
    projectId: row.project_id,
    clientId: row.client_id,
    name: row.name,
    description: row.description,
    ownerId: row.owner_id,
    permissions: JSON.parse(row.permissions),
    ipAllowlist: JSON.parse(row.ip_allowlist),
    expiresAtMs: row.expires_at_ms,
    isValid: row.is_valid !== 0,
    secretHash: row.secret_hash,
    hint: row.hint,
    secretVersion: row.secret_version,
    refreshTokens: row.refresh_tokens !== 0,
    refreshRequiresClientAuth: row.refresh_requires_client_auth !== 0,
    createdAtMs: row.created_at_ms,
    createdBy: row.created_by,
    updatedAtMs: row.updated_at_ms,
    lastUsedAtMs: row.last_used_at_ms,
    lastUsedIp: row.last_used_ip,
    lastDeniedAtMs: row.last_denied_at_ms,
    lastDeniedReason: row.last_denied_reason,
  };
}

export function toApiKeyForExchange(row: ApiKeyForExchangeRow): ApiKeyForExchange {
  return { ...toApiKey(row), projectAudiences: JSON.parse(row.project_audiences) };
}
