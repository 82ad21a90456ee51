import type { Actor } from '../access-control/actor.ts';
import { assertGrantable } from '../access-control/grant-rule.ts';
import type { Project } from '../access-control/project.ts';
import { excessiveTokenLength, MAX_ACCESS_TOKEN_LENGTH } from '../access-tokens/access-token-claims.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { Clock } from '../clock.ts';
import type { Page, PageRequest } from '../page.ts';
import type { ApiKey } from './api-key.ts';
import type { ApiKeyStore } from './api-key-store.ts';
import { type ApiKeyDescription, makeApiKey, type NewApiKey } from './new-api-key.ts';
import type { SecretHasher } from './secret-hasher.ts';

/** Access tokens of the key would be larger than verifiers and HTTP servers take. */
export class TokenTooLarge extends Error {
  readonly length: number;

  constructor(length: number) {
    super(`access tokens would have ${length} characters; ${MAX_ACCESS_TOKEN_LENGTH} are the most`);
    this.name = 'TokenTooLarge';
    this.length = length;
  }
}

export type CreateApiKey = Omit<ApiKeyDescription, 'projectId' | 'ownerId' | 'createdBy'> & {
  /** Null: one is generated. */
  readonly chosenSecret: string | null;
};

/** What people do with API keys; each write is in the audit log. */
export function createApiKeyManagement({
  apiKeys,
  secretHasher,
  audit,
  clock,
  issuer,
}: {
  readonly apiKeys: ApiKeyStore;
  readonly secretHasher: SecretHasher;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly issuer: string;
}) {
  function assertTokenFits(
    { id: keyId, clientId, effectivePermissions: permissions, ipAllowlist }: ApiKey,
    project: Project,
  ): void {
    const { id: projectId, audiences: audience } = project;
    const length = excessiveTokenLength({ issuer, keyId, clientId, projectId, audience, permissions, ipAllowlist });
    if (length !== null) throw new TokenTooLarge(length);
  }

  return {
    /**
     * @throws {PermissionExceedsGrantor | TokenTooLarge | ApiKeyNameTaken | SecretHasherBusy | DependencyUnavailable}
     */
    async create(project: Project, { chosenSecret, ...wanted }: CreateApiKey, actor: Actor): Promise<NewApiKey> {
      assertGrantable(wanted.effectivePermissions, actor);
      const description = { ...wanted, projectId: project.id, ownerId: actor.userId, createdBy: actor.actorId };
      const made = await makeApiKey(description, chosenSecret, { clock, secretHasher });
      assertTokenFits(made.apiKey, project);
      await apiKeys.insert(made.apiKey);
      await audit.record('api_key.created', actor, { projectId: project.id, objectId: made.apiKey.id });
      return made;
    },

    list(project: Project, page: PageRequest<'created_at'>): Promise<Page<ApiKey>> {
      return apiKeys.list(project.id, page);
    },

    /** Null when the project has no such key. */
    find(project: Project, id: string): Promise<ApiKey | null> {
      return apiKeys.findInProject(project.id, id);
    },

    /** Revokes (false) or restores (true); null when the project has no such key. */
    async setValidity(project: Project, id: string, isValid: boolean, actor: Actor): Promise<ApiKey | null> {
      if (isValid) {
        // Restoring hands the key's permissions out anew.
        const key = await apiKeys.findInProject(project.id, id);
        assertGrantable(key?.effectivePermissions ?? [], actor);
      }
      const key = await apiKeys.setValidity(project.id, id, isValid, clock.nowMs());
      if (key === null) return null;
      await audit.record(isValid ? 'api_key.restored' : 'api_key.revoked', actor, {
        projectId: project.id,
        objectId: id,
      });
      return key;
    },

    /** False when the project has no such key. */
    async delete(project: Project, id: string, actor: Actor): Promise<boolean> {
      const isDeleted = await apiKeys.delete(project.id, id);
      if (isDeleted) await audit.record('api_key.deleted', actor, { projectId: project.id, objectId: id });
      return isDeleted;
    },
  };
}

export type ApiKeyManagement = ReturnType<typeof createApiKeyManagement>;
