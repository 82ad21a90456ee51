import { type ApiKeyCache, forgettingChanges } from './api-keys/api-key-cache.ts';
import { createApiKeyManagement } from './api-keys/manage-api-keys.ts';
import type { Clock } from './clock.ts';
import type { Storage } from './compose.ts';
import { type Authorizer, createAuthorizer } from './http/authorize.ts';
import type { Operation } from './http/operation.ts';
import { createApiKeyOperations } from './http/operations/api-keys.ts';
import { meOperations } from './http/operations/me.ts';

/** The management API: who may call what, and every operation. */
export function composeManagement(
  { projects, apiKeys: storedApiKeys, secretHasher, audit }: Storage,
  { keyCache, clock, issuer }: { readonly keyCache: ApiKeyCache; readonly clock: Clock; readonly issuer: string },
): { readonly authorizer: Authorizer; readonly operations: readonly Operation[] } {
  const apiKeys = forgettingChanges(storedApiKeys, keyCache);
  const authorizer = createAuthorizer({ projects, apiKeys, identifyUser: async () => null, clock });
  const management = createApiKeyManagement({ apiKeys, secretHasher, audit, clock, issuer });
  return { authorizer, operations: [...meOperations, ...createApiKeyOperations({ management, clock })] };
}
