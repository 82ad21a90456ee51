import { changesBetween } from '../api-keys/describe-api-key.ts';
import { newAuditEvent } from '../audit/audit-event.ts';
import type { Clock } from '../clock.ts';
import { assertExpectedVersion, type ExpectedVersions } from '../object-version.ts';
import type { Actor } from './actor.ts';
import { beginProject, describeProject, type ProjectDescription } from './begin-project.ts';
import type { Project } from './project.ts';
import type { ProjectStore } from './project-store.ts';

/** What is to be changed; what is absent stays. */
export type ProjectEdit = Partial<Pick<Project, 'name' | 'description' | 'audiences'>>;

/** What people do with projects; each write is in the audit trail. */
export function createProjectManagement({
  projects,
  clock,
  onRightsChanged,
}: {
  readonly projects: ProjectStore;
  readonly clock: Clock;
  /** Keys of this project are to be read anew, however the write ended. */
  readonly onRightsChanged: (projectId: string) => void;
}) {
  return {
    /** @throws {SlugTaken} */
    async create(description: ProjectDescription, actor: Actor): Promise<Project> {
      const beginning = beginProject(description, actor.userId, { origin: actor, clock });
      await projects.insert(beginning);
      return beginning.project;
    },

    /**
     * Null when there is no such project.
     *
     * @throws {VersionMismatch}
     */
    async update(
      id: string,
      edit: ProjectEdit,
      actor: Actor,
      expectedVersions: ExpectedVersions,
    ): Promise<Project | null> {
      try {
        return await projects.update(id, (current) => {
          assertExpectedVersion(current.version, expectedVersions);
          const object = { ...current, ...edit, updatedAtMs: clock.nowMs() };
          const detail = changesBetween(describeProject(current), describeProject(object));
          if (detail === null) return { object: current, event: null };
          return {
            object,
            event: newAuditEvent(clock, 'project.updated', actor, { projectId: id, objectId: id, detail }),
          };
        });
      } finally {
        if (edit.audiences !== undefined) onRightsChanged(id);
      }
    },

    /**
     * False when there is no such project.
     *
     * @throws {VersionMismatch | ObjectInUse | LastProject}
     */
    delete(id: string, actor: Actor, expectedVersions: ExpectedVersions): Promise<boolean> {
      return projects.delete(id, (current) => {
        assertExpectedVersion(current.version, expectedVersions);
        const detail = { before: describeProject(current) };
        return newAuditEvent(clock, 'project.deleted', actor, { projectId: id, objectId: id, detail });
      });
    },
  };
}

export type ProjectManagement = ReturnType<typeof createProjectManagement>;
