import { createHash } from 'node:crypto';
import { makeApiKey } from '../api-keys/new-api-key.ts';
import type { SecretHasher } from '../api-keys/secret-hasher.ts';
import type { Clock } from '../clock.ts';
import { newId, randomBase64url } from '../random.ts';
import type { ProjectStore } from './project-store.ts';

const SETUP_LINK_DAYS = 7;
const DAY_MS = 86_400_000;

/** All that an installation can hand out; every other key's permissions are covered by these. */
export const ADMINISTRATOR_PERMISSIONS = ['*:*', '*:keyturn', '*:keyturn-installation'] as const;

export interface Bootstrapped {
  readonly projectId: string;
  readonly clientId: string;
  /** To be shown once. */
  readonly clientSecret: string;
  /** One-time link by which the first administrator sets up access to the console. */
  readonly setupUrl: string;
}

/**
 * Gives an empty store its first contents: the project `default`, a user, an administrator key, a set-up link. Null, and
 * nothing changed, when the store is not empty.
 *
 * @throws {DependencyUnavailable}
 */
export async function bootstrap(
  { projects, clock, secretHasher }: { projects: ProjectStore; clock: Clock; secretHasher: SecretHasher },
  { issuer, email }: { readonly issuer: string; readonly email: string | null },
): Promise<Bootstrapped | null> {
  const createdAtMs = clock.nowMs();
  const project = { id: newId('prj'), slug: 'default', name: 'Default', audiences: [], createdAtMs };
  const user = { id: newId('usr'), email, name: email ?? 'Administrator', createdAtMs };
  const { apiKey, clientSecret } = await makeApiKey(
    {
      projectId: project.id,
      name: 'administrator',
      description: 'Made at installation; holds every permission',
      ownerId: user.id,
      permissions: ADMINISTRATOR_PERMISSIONS,
      roles: [],
      effectivePermissions: ADMINISTRATOR_PERMISSIONS,
      ipAllowlist: [],
      expiresAtMs: null,
      refreshTokens: true,
      refreshRequiresClientAuth: false,
      createdBy: null,
    },
    null,
    { clock, secretHasher },
  );
  const linkToken = `kts_${randomBase64url(32)}`;
  const isDone = await projects.bootstrap({
    project,
    user,
    apiKey,
    setupLink: {
      tokenHash: createHash('sha256').update(linkToken).digest('base64url'),
      expiresAtMs: createdAtMs + SETUP_LINK_DAYS * DAY_MS,
    },
  });
  if (!isDone) return null;
  // In the fragment, which no browser sends and no log sees.
  const setupUrl = `${issuer}/console/setup#${linkToken}`;
  return { projectId: project.id, clientId: apiKey.clientId, clientSecret, setupUrl };
}
