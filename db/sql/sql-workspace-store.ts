import type { Knex } from 'knex';
import type { Workspace } from '../../server/access-control/workspace.ts';
import type { WorkspaceStore } from '../../server/access-control/workspace-store.ts';
import type { AuditEvent } from '../../server/audit/audit-event.ts';
import type { Page, PageRequest } from '../../server/page.ts';
import type { Decide, DecideDelete } from '../../server/write.ts';
import { assertUnassigned } from './assigned-roles.ts';
import type { AuditTrail } from './audit-trail.ts';
import type { Database } from './database.ts';
import { readPage } from './read-page.ts';
import { insertSlugged, sluggedRow } from './slugged-rows.ts';

interface WorkspaceRow {
  readonly id: string;
  readonly project_id: string;
  readonly slug: string;
  readonly name: string;
  readonly description: string | null;
  readonly version: number;
  readonly created_at_ms: number;
  readonly updated_at_ms: number;
}

// Ids sort by creation.
const COLUMNS = { id: 'workspaces.id', sorts: { created_at: 'workspaces.id', name: 'workspaces.name' } };

export class SqlWorkspaceStore implements WorkspaceStore {
  readonly #database: Database;
  readonly #trail: AuditTrail;

  constructor(database: Database, trail: AuditTrail) {
    this.#database = database;
    this.#trail = trail;
  }

  async find(projectId: string, idOrSlug: string): Promise<Workspace | null> {
    const row = await this.#database.run((knex) => sluggedRow(knex, 'workspaces', projectId, idOrSlug).first());
    return row ? toWorkspace(row) : null;
  }

  list(projectId: string, request: PageRequest<'created_at' | 'name'>): Promise<Page<Workspace>> {
    return this.#database.run((knex) =>
      readPage(knex, knex('workspaces').where({ project_id: projectId }), {
        columns: COLUMNS,
        request,
        select: 'workspaces.*',
        toItem: toWorkspace,
      }),
    );
  }

  insert(workspace: Workspace, event: AuditEvent): Promise<void> {
    return this.#database.transaction(async (trx) => {
      await insertSlugged(trx, 'workspaces', fromWorkspace(workspace));
      await this.#trail.append(trx, [event]);
    });
  }

  update(projectId: string, idOrSlug: string, decide: Decide<Workspace>): Promise<Workspace | null> {
    return this.#database.transaction(async (trx) => {
      const current = await lockWorkspace(trx, projectId, idOrSlug);
      if (current === null) return null;
      const { object, event } = decide(current);
      if (event === null) return current;
      const written = { ...object, version: current.version + 1 };
      await trx('workspaces').where({ id: current.id }).update(fromWorkspace(written));
      await this.#trail.append(trx, [event]);
      return written;
    });
  }

  delete(projectId: string, idOrSlug: string, decide: DecideDelete<Workspace>): Promise<boolean> {
    return this.#database.transaction(async (trx) => {
      const current = await lockWorkspace(trx, projectId, idOrSlug);
      if (current === null) return false;
      const event = decide(current);
      await assertUnassigned(trx, { workspace_id: current.id });
      await trx('workspaces').where({ id: current.id }).delete();
      await this.#trail.append(trx, [event]);
      return true;
    });
  }
}

async function lockWorkspace(trx: Knex.Transaction, projectId: string, idOrSlug: string): Promise<Workspace | null> {
  const row = await sluggedRow(trx, 'workspaces', projectId, idOrSlug).forUpdate().first();
  return row ? toWorkspace(row) : null;
}

function fromWorkspace(workspace: Workspace): WorkspaceRow {
  return {
    id: workspace.id,
    project_id: workspace.projectId,
    slug: workspace.slug,
    name: workspace.name,
    description: workspace.description,
    version: workspace.version,
    created_at_ms: workspace.createdAtMs,
    updated_at_ms: workspace.updatedAtMs,
  };
}

function toWorkspace(row: WorkspaceRow): Workspace {
  return {
    id: row.id,
    projectId: row.project_id,
    slug: row.slug,
    name: row.name,
    description: row.description,
    version: row.version,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
  };
}
