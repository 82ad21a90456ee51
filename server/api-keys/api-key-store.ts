import type { ResolvedAssignment } from '../access-control/role.ts';
import type { AuditEvent } from '../audit/audit-event.ts';
import type { Page, PageRequest } from '../page.ts';
import type { DecideDelete, Write } from '../write.ts';
import type { ApiKey, ApiKeyForExchange } from './api-key.ts';

export interface ApiKeyUse {
  readonly keyId: string;
  readonly usedAtMs: number | null;
  readonly usedIp: string | null;
  readonly deniedAtMs: number | null;
  readonly deniedReason: string | null;
  /** Which secrets proved it, and when last; uses that none proved are not in it. */
  readonly secretUses: readonly SecretUse[];
}

export interface SecretUse {
  /** {@link ApiKey.secretVersion} as it was when that was the current secret. */
  readonly secretVersion: number;
  readonly usedAtMs: number;
}

/** What the keys of a list have in common; all that is given must be so. */
export interface ApiKeyFilter {
  /** `key_…` */
  readonly id?: string | undefined;
  /** Beginnings of words ({@link searchWords}), each of some word of the key ({@link wordsOf}). */
  readonly words?: readonly string[] | undefined;
  readonly ownerId?: string | undefined;
  readonly isValid?: boolean | undefined;
  /** Its expiry is before this. */
  readonly expiresBeforeMs?: number | undefined;
  /** Last used before this; a key that was never used, created before it. */
  readonly unusedSinceMs?: number | undefined;
  /** Its effective permissions cover this one. */
  readonly permission?: string | undefined;
  /** Has this role; with {@link workspaceId}, in that workspace. */
  readonly roleId?: string | undefined;
  /** Has a role in this workspace. */
  readonly workspaceId?: string | undefined;
}

export type ApiKeySort = 'created_at' | 'name' | 'last_used_at' | 'expires_at';

/** The name is taken in this project. */
export class ApiKeyNameTaken extends Error {
  readonly apiKeyName: string;

  constructor(apiKeyName: string) {
    super('an API key of this name exists in the project');
    this.name = 'ApiKeyNameTaken';
    this.apiKeyName = apiKeyName;
  }
}

/** As {@link Decide}. `assigned` are the roles that the key has, with what they give. */
export type DecideEdit = (current: ApiKey, assigned: readonly ResolvedAssignment[]) => Write<ApiKey>;

/** What is read of a key that is to be deleted. */
export type DeletedApiKey = Pick<ApiKey, 'id' | 'projectId' | 'clientId' | 'name' | 'version'>;

/**
 * Where API keys live. Every method answers or throws {@link DependencyUnavailable} within about a second. What an
 * acknowledged write changed is seen by every later read of every instance; what it changed of a key that exists is also
 * numbered for those that cache (see {@link ChangeStore}), in the same transaction as the audit event that tells of it.
 */
export interface ApiKeyStore {
  /** Throws {@link ApiKeyNameTaken}, and {@link UnknownAssignment} for a role or workspace that has just been deleted. */
  insert(key: ApiKey, event: AuditEvent): Promise<void>;
  /** As {@link insert}, of many: all of them, or none. */
  insertAll(keys: readonly ApiKey[], events: readonly AuditEvent[]): Promise<void>;
  /** By the public client_id. */
  findByClientId(clientId: string): Promise<ApiKeyForExchange | null>;
  /** By the 25 random characters that end a client_id and stand in a generated secret. */
  findByClientIdSuffix(suffix: string): Promise<ApiKeyForExchange | null>;
  /** By `key_…`, whatever the project. */
  findById(id: string): Promise<ApiKeyForExchange | null>;
  /** By `key_…` within one project; null for another project's key. */
  findInProject(projectId: string, id: string): Promise<ApiKey | null>;
  /**
   * Costs no more in a large project than in a small one. So a filter by permission, and filters that each let over a
   * thousand keys pass, look at five hundred keys at a time in the order of the list: such a page may be short, even empty,
   * and still have a next one.
   */
  list(projectId: string, filter: ApiKeyFilter, page: PageRequest<ApiKeySort>): Promise<Page<ApiKey>>;
  /**
   * The key as it is afterwards, null when there is none in that project. Passes on what `decide` throws. Throws as
   * {@link insert}.
   */
  update(projectId: string, id: string, decide: DecideEdit): Promise<ApiKey | null>;
  /** All in one transaction; those of `ids` that were there and are gone. Passes on what `decide` throws. */
  delete(projectId: string, ids: readonly string[], decide: DecideDelete<DeletedApiKey>): Promise<ReadonlySet<string>>;
  /** The permissions of a set that was once in force (see {@link permissionSetDigest}); null when unknown. */
  findPermissionSet(digest: string): Promise<readonly string[] | null>;
  /**
   * Writes last use and last denial of many keys; a null time leaves what is stored of that use or denial, another time
   * moves it together with its address or reason, null included. Last use of a secret is written while the key has it, as
   * the current or the previous one. Deleted keys are passed over.
   */
  recordUses(uses: readonly ApiKeyUse[]): Promise<void>;
}
