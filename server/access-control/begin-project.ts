import { type AuditEvent, type AuditOrigin, newAuditEvent } from '../audit/audit-event.ts';
import type { Clock } from '../clock.ts';
import { newId } from '../random.ts';
import { BUILT_IN_ROLES } from './built-in-roles.ts';
import type { Project } from './project.ts';
import type { ProjectBeginning } from './project-store.ts';
import type { Role } from './role.ts';

export type ProjectDescription = Pick<Project, 'slug' | 'name' | 'description' | 'audiences'>;

/**
 * A new project with its built-in roles. Whoever creates it is its first administrator: the one thing that gives more than
 * is held, in a project where there is nothing yet.
 *
 * @param administratorId `usr_…`
 */
export function beginProject(
  description: ProjectDescription,
  administratorId: string,
  { origin, clock }: { readonly origin: AuditOrigin; readonly clock: Clock },
): ProjectBeginning {
  const nowMs = clock.nowMs();
  const versioned = { version: 1, createdAtMs: nowMs, updatedAtMs: nowMs };
  const project: Project = { id: newId('prj'), ...description, ...versioned };
  const roles = BUILT_IN_ROLES.map(
    (role): Role => ({ id: newId('rol'), projectId: project.id, ...role, isBuiltIn: true, ...versioned }),
  );
  const administrator = roles.find(({ slug }) => slug === 'administrator');
  if (administrator === undefined) throw new Error('Administrator is a built-in role');
  const detail = { after: describeProject(project) };
  const event = newAuditEvent(clock, 'project.created', origin, {
    projectId: project.id,
    objectId: project.id,
    detail,
  });
  return {
    project,
    roles,
    administrator: { userId: administratorId, roleId: administrator.id },
    events: [event],
  };
}

/** What can be set of a project, in the API's words, for the audit trail. */
export function describeProject({ slug, name, description, audiences }: Project): AuditEvent['detail'] {
  return { slug, name, description, audiences };
}
