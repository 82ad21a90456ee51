import { AuditTrail } from '../../db/sql/audit-trail.ts';
import { beginProject } from '../../server/access-control/begin-project.ts';
import type { Project } from '../../server/access-control/project.ts';
import type { Installation } from '../../server/access-control/project-store.ts';
import type { ApiKey } from '../../server/api-keys/api-key.ts';
import type { DecideEdit, DeletedApiKey } from '../../server/api-keys/api-key-store.ts';
import { type AuditEvent, type AuditEventType, newAuditEvent } from '../../server/audit/audit-event.ts';
import { LOWER_ALPHANUMERIC, newId, randomText } from '../../server/random.ts';
import { newSetupLink } from '../../server/users/setup-link.ts';
import type { User } from '../../server/users/user.ts';
import type { DecideDelete } from '../../server/write.ts';
import { createFakeClock } from '../support/fake-clock.ts';

const CREATED_AT_MS = 1_763_652_000_000;
const NOBODY = { actorId: null, ip: null, requestId: null };

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
    secretCreatedAtMs: CREATED_AT_MS,
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

/** For stores that write audit events. */
export const aTrail = () => new AuditTrail(() => [{ id: 'test', key: Buffer.alloc(32, 7) }]);

export function anEvent(key: Pick<ApiKey, 'id' | 'projectId'>, type: AuditEventType = 'api_key.created'): AuditEvent {
  const object = { projectId: key.projectId, objectId: key.id };
  return newAuditEvent(createFakeClock(CREATED_AT_MS), type, NOBODY, object);
}

/** Changes these fields, whatever the key is. */
export const changing =
  (changes: Partial<ApiKey>): DecideEdit =>
  (current) => ({ object: { ...current, ...changes }, event: anEvent(current, 'api_key.updated') });

export const deleting: DecideDelete<DeletedApiKey> = (current) => anEvent(current, 'api_key.deleted');

/** What bootstrap writes, its project changed as told. */
export function anInstallation(projectChanges: Partial<Project> = {}): Installation {
  const user: User = {
    id: newId('usr'),
    email: 'admin@example.com',
    name: 'Administrator',
    permissions: ['*:keyturn-installation'],
    version: 1,
    createdAtMs: CREATED_AT_MS,
    updatedAtMs: CREATED_AT_MS,
  };
  const description = { slug: 'default', name: 'Default', description: null, audiences: [] };
  const context = { origin: NOBODY, clock: createFakeClock(CREATED_AT_MS) };
  const beginning = beginProject(description, user.id, context);
  const project: Project = { ...beginning.project, ...projectChanges };
  const roles = beginning.roles.map((role) => ({ ...role, projectId: project.id }));
  return {
    ...beginning,
    project,
    roles,
    user,
    apiKey: anApiKey({ projectId: project.id, ownerId: user.id, name: 'administrator' }),
    setupLink: newSetupLink(user.id, CREATED_AT_MS, 'https://keys.example').link,
  };
}
