import { type ApiKeyCache, forgettingChanges } from './api-keys/api-key-cache.ts';
import { createApiKeyManagement } from './api-keys/manage-api-keys.ts';
import type { Clock } from './clock.ts';
import { composeAccessControl } from './compose-access-control.ts';
import type { People } from './compose-people.ts';
import type { Storage } from './compose-storage.ts';
import { type Authorizer, createAuthorizer } from './http/authorize.ts';
import type { Operation } from './http/operation.ts';
import { createApiKeyOperations } from './http/operations/api-keys.ts';
import { createAuditEventOperations } from './http/operations/audit-events.ts';
import { createExplainOperations } from './http/operations/explain-api-key.ts';
import { createKeySessionOperations } from './http/operations/key-sessions.ts';
import { createPublishedOperations } from './http/operations/published.ts';
import { createSigningKeyOperations } from './http/operations/signing-keys.ts';
import { createUsageOperations } from './http/operations/usage.ts';
import type { SessionStore } from './sessions/session-store.ts';

/** The management API: who may call what, and every operation. */
export function composeManagement(
  {
    projects,
    apiKeys: storedApiKeys,
    roles,
    workspaces,
    members,
    permissionCatalogs,
    secretHasher,
    ...storage
  }: Storage,
  {
    keyCache,
    sessions,
    clock,
    issuer,
    people,
  }: {
    readonly keyCache: ApiKeyCache;
    readonly sessions: SessionStore;
    readonly clock: Clock;
    readonly issuer: string;
    readonly people: People;
  },
): { readonly authorizer: Authorizer; readonly operations: readonly Operation[] } {
  const apiKeys = forgettingChanges(storedApiKeys, keyCache);
  const authorizer = createAuthorizer({ projects, apiKeys, identifyUser: people.identifyUser, clock });
  const management = createApiKeyManagement({
    apiKeys,
    roles,
    members,
    permissionCatalogs,
    secretHasher,
    clock,
    issuer,
  });
  return {
    authorizer,
    operations: [
      ...people.operations,
      ...composeAccessControl(
        { projects, workspaces, roles, members, users: storage.users, permissionCatalogs },
        { keyCache, clock, issuer },
      ),
      ...createApiKeyOperations({ management, clock }),
      ...createExplainOperations({ apiKeys, roles, clock }),
      ...createUsageOperations({ apiKeys, usage: storage.usage, clock }),
      ...createKeySessionOperations({ apiKeys, sessions, audit: storage.audit }),
      ...createAuditEventOperations(storage),
      ...createSigningKeyOperations({ signingKeys: storage.signingKeys, clock }),
      ...createPublishedOperations({ management, roles, workspaces }),
    ],
  };
}
