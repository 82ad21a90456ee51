import type { AuditEvent, AuditValue } from '../audit/audit-event.ts';
import type { ApiKey } from './api-key.ts';

type Described = Readonly<Record<string, AuditValue>>;

/** What can be set of a key, in the API's words, for the audit trail. */
export function describeApiKey(key: ApiKey): Described {
  return {
    name: key.name,
    description: key.description,
    owner_id: key.ownerId,
    permissions: key.permissions,
    roles: key.roles.map(({ roleId, workspaceId }) => ({ role_id: roleId, workspace_id: workspaceId })),
    ip_allowlist: key.ipAllowlist,
    expires_at: key.expiresAtMs === null ? null : new Date(key.expiresAtMs).toISOString(),
    is_valid: key.isValid,
    refresh_tokens: key.refreshTokens,
    refresh_requires_client_auth: key.refreshRequiresClientAuth,
  };
}

/** `before` and `after` of the members that differ; null: none does. */
export function changesBetween(before: Described, after: Described): AuditEvent['detail'] | null {
  const changed = Object.keys(after).filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  if (changed.length === 0) return null;
  const only = (described: Described) => Object.fromEntries(changed.map((name) => [name, described[name] ?? null]));
  return { before: only(before), after: only(after) };
}
