import type { Project } from '../../server/access-control/project.ts';
import type { Installation } from '../../server/access-control/project-store.ts';
import type { ApiKey } from '../../server/api-keys/api-key.ts';
import { LOWER_ALPHANUMERIC, newId, randomText } from '../../server/random.ts';

const CREATED_AT_MS = 1_763_652_000_000;

/** A key with a name and client_id of its own. */
export function anApiKey(changes: Partial<ApiKey> = {}): ApiKey {
  const suffix = randomText(25, LOWER_ALPHANUMERIC);
  return {
    id: newId('key'),
    projectId: 'prj_none',
    clientId: `ci-runner_${suffix}`,
    name: `ci-runner ${suffix}`,
    description: null,
    ownerId: 'usr_none',
    permissions: ['read:credential'],
    roles: [],
    effectivePermissions: changes.permissions ?? ['read:credential'],
    ipAllowlist: [],
    expiresAtMs: null,
    isValid: true,
    secretHash: 'sha256:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
    hint: '9fQz',
    secretVersion: 1,
    secretLastUsedAtMs: null,
    previousSecret: null,
    version: 1,
    refreshTokens: true,
    refreshRequiresClientAuth: false,
    createdAtMs: CREATED_AT_MS,
    createdBy: null,
    updatedAtMs: CREATED_AT_MS,
    lastUsedAtMs: null,
    lastUsedIp: null,
    lastDeniedAtMs: null,
    lastDeniedReason: null,
    ...changes,
  };
}

/** What bootstrap writes, its project changed as told. */
export function anInstallation(projectChanges: Partial<Project> = {}): Installation {
  const project: Project = {
    id: newId('prj'),
    slug: 'default',
    name: 'Default',
    audiences: [],
    createdAtMs: CREATED_AT_MS,
    ...projectChanges,
  };
  const user = { id: newId('usr'), email: 'admin@example.com', name: 'Administrator', createdAtMs: CREATED_AT_MS };
  return {
    project,
    user,
    apiKey: anApiKey({ projectId: project.id, ownerId: user.id, name: 'administrator' }),
    setupLink: { tokenHash: randomText(43, LOWER_ALPHANUMERIC), expiresAtMs: CREATED_AT_MS + 86_400_000 },
  };
}
