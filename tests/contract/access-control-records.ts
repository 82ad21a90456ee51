import { beginProject } from '../../server/access-control/begin-project.ts';
import type { Member } from '../../server/access-control/member.ts';
import type { ProjectBeginning } from '../../server/access-control/project-store.ts';
import type { Role } from '../../server/access-control/role.ts';
import type { Workspace } from '../../server/access-control/workspace.ts';
import { type AuditEvent, type AuditEventType, newAuditEvent } from '../../server/audit/audit-event.ts';
import type { PageRequest } from '../../server/page.ts';
import { newId } from '../../server/random.ts';
import { createFakeClock } from '../support/fake-clock.ts';

const NOW_MS = 1_763_652_000_000;
const clock = createFakeClock(NOW_MS);
const origin = { actorId: null, ip: null, requestId: null };
const versioned = { version: 1, createdAtMs: NOW_MS, updatedAtMs: NOW_MS };

export const aProjectBeginning = (slug: string, userId: string): ProjectBeginning =>
  beginProject({ slug, name: slug, description: null, audiences: [] }, userId, { origin, clock });

export const aWorkspace = (projectId: string, slug: string): Workspace => ({
  id: newId('wsp'),
  projectId,
  slug,
  name: `Workspace ${slug}`,
  description: null,
  ...versioned,
});

export const aRole = (projectId: string, slug: string, permissions: readonly string[] = ['read:a']): Role => ({
  id: newId('rol'),
  projectId,
  slug,
  name: `Role ${slug}`,
  description: null,
  permissions,
  isBuiltIn: false,
  ...versioned,
});

/** A user of no e-mail address, with their roles in the whole project. */
export const aMember = (projectId: string, userId: string, roles: readonly Role[]): Member => ({
  projectId,
  userId,
  email: null,
  name: userId,
  roles: roles.map(({ id: roleId }) => ({ roleId, workspaceId: null })),
  permissions: [...new Set(roles.flatMap(({ permissions }) => permissions))],
  ...versioned,
});

interface Named {
  readonly id?: string;
  readonly userId?: string;
  readonly projectId?: string;
}

export function anEventOf(type: AuditEventType, { id, userId, projectId = id }: Named): AuditEvent {
  return newAuditEvent(clock, type, origin, { projectId: projectId ?? null, objectId: id ?? userId ?? '' });
}

export const asPage = <Sort extends string>(
  sort: Sort,
  changes: Partial<PageRequest<Sort>> = {},
): PageRequest<Sort> => ({
  limit: 200,
  sort,
  isDescending: false,
  after: null,
  ...changes,
});
