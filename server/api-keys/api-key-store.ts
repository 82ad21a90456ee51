import type { Page, PageRequest } from '../page.ts';
import type { ApiKey, ApiKeyForExchange } from './api-key.ts';

export interface ApiKeyUse {
  readonly keyId: string;
  readonly usedAtMs: number | null;
  readonly usedIp: string | null;
  readonly deniedAtMs: number | null;
  readonly deniedReason: string | null;
}

/** The name is taken in this project. */
export class ApiKeyNameTaken extends Error {
  readonly apiKeyName: string;

  constructor(apiKeyName: string) {
    super('an API key of this name exists in the project');
    this.name = 'ApiKeyNameTaken';
    this.apiKeyName = apiKeyName;
  }
}

/**
 * Where API keys live. Every method answers or throws {@link DependencyUnavailable} within about a second. What an
 * acknowledged write changed is seen by every later read of every instance; what it changed of a key that exists is also
 * numbered for those that cache (see {@link ChangeStore}), in the same transaction.
 */
export interface ApiKeyStore {
  /** Writes the key and, in the same transaction, its permission set. Throws {@link ApiKeyNameTaken}. */
  insert(key: ApiKey): Promise<void>;
  /** By the public client_id. */
  findByClientId(clientId: string): Promise<ApiKeyForExchange | null>;
  /** By the 25 random characters that end a client_id and stand in a generated secret. */
  findByClientIdSuffix(suffix: string): Promise<ApiKeyForExchange | null>;
  /** By `key_…`, whatever the project. */
  findById(id: string): Promise<ApiKeyForExchange | null>;
  /** By `key_…` within one project; null for another project's key. */
  findInProject(projectId: string, id: string): Promise<ApiKey | null>;
  list(projectId: string, page: PageRequest<'created_at'>): Promise<Page<ApiKey>>;
  /** The key as it is after the change, or null when there is none in that project. */
  setValidity(projectId: string, id: string, isValid: boolean, nowMs: number): Promise<ApiKey | null>;
  /** True when there was one. */
  delete(projectId: string, id: string): Promise<boolean>;
  /** The permissions of a set that was once in force (see {@link permissionSetDigest}); null when unknown. */
  findPermissionSet(digest: string): Promise<readonly string[] | null>;
  /**
   * Writes last use and last denial of many keys; a null time leaves what is stored of that use or denial, another time
   * moves it together with its address or reason, null included. Deleted keys are passed over.
   */
  recordUses(uses: readonly ApiKeyUse[]): Promise<void>;
}
