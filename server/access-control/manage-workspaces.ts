import { changesBetween } from '../api-keys/describe-api-key.ts';
import { type AuditEvent, newAuditEvent } from '../audit/audit-event.ts';
import type { Clock } from '../clock.ts';
import { assertExpectedVersion, type ExpectedVersions } from '../object-version.ts';
import { newId } from '../random.ts';
import type { Actor } from './actor.ts';
import type { Workspace } from './workspace.ts';
import type { WorkspaceStore } from './workspace-store.ts';

export type WorkspaceDescription = Pick<Workspace, 'slug' | 'name' | 'description'>;
/** What is to be changed; what is absent stays. */
export type WorkspaceEdit = Partial<Pick<Workspace, 'name' | 'description'>>;

/** What people do with workspaces; each write is in the audit trail. */
export function createWorkspaceManagement({
  workspaces,
  clock,
}: {
  readonly workspaces: WorkspaceStore;
  readonly clock: Clock;
}) {
  return {
    /** @throws {SlugTaken} */
    async create(projectId: string, description: WorkspaceDescription, actor: Actor): Promise<Workspace> {
      const nowMs = clock.nowMs();
      const versioned = { version: 1, createdAtMs: nowMs, updatedAtMs: nowMs };
      const workspace: Workspace = { id: newId('wsp'), projectId, ...description, ...versioned };
      const detail = { after: describeWorkspace(workspace) };
      const object = { projectId, objectId: workspace.id, detail };
      await workspaces.insert(workspace, newAuditEvent(clock, 'workspace.created', actor, object));
      return workspace;
    },

    /**
     * Null when there is no such workspace.
     *
     * @throws {VersionMismatch}
     */
    update(
      projectId: string,
      idOrSlug: string,
      edit: WorkspaceEdit,
      { actor, expectedVersions }: { readonly actor: Actor; readonly expectedVersions: ExpectedVersions },
    ): Promise<Workspace | null> {
      return workspaces.update(projectId, idOrSlug, (current) => {
        assertExpectedVersion(current.version, expectedVersions);
        const object = { ...current, ...edit, updatedAtMs: clock.nowMs() };
        const detail = changesBetween(describeWorkspace(current), describeWorkspace(object));
        if (detail === null) return { object: current, event: null };
        const event = newAuditEvent(clock, 'workspace.updated', actor, { projectId, objectId: current.id, detail });
        return { object, event };
      });
    },

    /**
     * False when there is no such workspace.
     *
     * @throws {VersionMismatch | ObjectInUse}
     */
    delete(projectId: string, idOrSlug: string, actor: Actor, expectedVersions: ExpectedVersions): Promise<boolean> {
      return workspaces.delete(projectId, idOrSlug, (current) => {
        assertExpectedVersion(current.version, expectedVersions);
        const detail = { before: describeWorkspace(current) };
        return newAuditEvent(clock, 'workspace.deleted', actor, { projectId, objectId: current.id, detail });
      });
    },
  };
}

export type WorkspaceManagement = ReturnType<typeof createWorkspaceManagement>;

/** What can be set of a workspace, in the API's words, for the audit trail. */
function describeWorkspace({ slug, name, description }: Workspace): AuditEvent['detail'] {
  return { slug, name, description };
}
