import { type ApiKeyDescription, makeApiKey } from '../api-keys/new-api-key.ts';
import type { SecretHasher } from '../api-keys/secret-hasher.ts';
import { newAuditEvent } from '../audit/audit-event.ts';
import type { Clock } from '../clock.ts';
import { newId } from '../random.ts';
import { newSetupLink } from '../users/setup-link.ts';
import { normalizeEmail, type User } from '../users/user.ts';
import { beginProject } from './begin-project.ts';
import type { Project } from './project.ts';
import type { ProjectStore } from './project-store.ts';

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
  const user = firstUser(email, clock.nowMs());
  const origin = { actorId: null, ip: null, requestId: null };
  const description = { slug: 'default', name: 'Default', description: null, audiences: [] };
  const beginning = beginProject(description, user.id, { origin, clock });
  const { project } = beginning;
  const { apiKey, clientSecret } = await makeApiKey(firstKey(project, user), null, { clock, secretHasher });
  const { link: setupLink, url: setupUrl } = newSetupLink(user.id, clock.nowMs(), issuer);
  const events = [
    ...beginning.events,
    newAuditEvent(clock, 'user.created', origin, { projectId: null, objectId: user.id }),
    newAuditEvent(clock, 'api_key.created', origin, { projectId: project.id, objectId: apiKey.id }),
  ];
  const isDone = await projects.bootstrap({ ...beginning, events, user, apiKey, setupLink });
  return isDone ? { projectId: project.id, clientId: apiKey.clientId, clientSecret, setupUrl } : null;
}

const firstUser = (email: string | null, nowMs: number): User => ({
  id: newId('usr'),
  email: email === null ? null : normalizeEmail(email),
  name: email ?? 'Administrator',
  permissions: ['*:keyturn-installation'],
  version: 1,
  createdAtMs: nowMs,
  updatedAtMs: nowMs,
});

const firstKey = (project: Project, owner: User): ApiKeyDescription => ({
  projectId: project.id,
  name: 'administrator',
  description: 'Made at installation; holds every permission',
  ownerId: owner.id,
  permissions: ADMINISTRATOR_PERMISSIONS,
  roles: [],
  effectivePermissions: ADMINISTRATOR_PERMISSIONS,
  ipAllowlist: [],
  expiresAtMs: null,
  refreshTokens: true,
  refreshRequiresClientAuth: false,
  createdBy: null,
});
