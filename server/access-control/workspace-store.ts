import type { AuditEvent } from '../audit/audit-event.ts';
import type { Page, PageRequest } from '../page.ts';
import type { Decide, DecideDelete } from '../write.ts';
import type { Workspace } from './workspace.ts';

/** Workspaces of projects. Every method answers or throws {@link DependencyUnavailable} within about a second. */
export interface WorkspaceStore {
  /** By `wsp_…` or slug. */
  find(projectId: string, idOrSlug: string): Promise<Workspace | null>;
  list(projectId: string, page: PageRequest<'created_at' | 'name'>): Promise<Page<Workspace>>;
  /** Throws {@link SlugTaken}. */
  insert(workspace: Workspace, event: AuditEvent): Promise<void>;
  /** The workspace as it is afterwards; null when there is none. */
  update(projectId: string, idOrSlug: string, decide: Decide<Workspace>): Promise<Workspace | null>;
  /** False when there is none. Throws {@link ObjectInUse} while roles are given in it. */
  delete(projectId: string, idOrSlug: string, decide: DecideDelete<Workspace>): Promise<boolean>;
}
