import type { PermissionCatalog } from '../../server/access-control/permission-catalog.ts';
import type { PermissionCatalogStore } from '../../server/access-control/permission-catalog-store.ts';
import type { Decide } from '../../server/write.ts';
import type { AuditTrail } from './audit-trail.ts';
import type { Database } from './database.ts';

interface CatalogRow {
  readonly project_id: string;
  readonly actions: string;
  readonly resources: string;
  readonly version: number;
  readonly updated_at_ms: number;
}

export class SqlPermissionCatalogStore implements PermissionCatalogStore {
  readonly #database: Database;
  readonly #trail: AuditTrail;

  constructor(database: Database, trail: AuditTrail) {
    this.#database = database;
    this.#trail = trail;
  }

  async find(projectId: string): Promise<PermissionCatalog> {
    const row = await this.#database.run((knex) =>
      knex<CatalogRow>('permission_catalogs').where({ project_id: projectId }).first(),
    );
    return toCatalog(projectId, row);
  }

  replace(projectId: string, decide: Decide<PermissionCatalog>): Promise<PermissionCatalog | null> {
    return this.#database.transaction(async (trx) => {
      // A catalog that was never written has no row to lock.
      const project = await trx('projects').where({ id: projectId }).forUpdate().first('id');
      if (project === undefined) return null;
      const row = await trx<CatalogRow>('permission_catalogs').where({ project_id: projectId }).forUpdate().first();
      const current = toCatalog(projectId, row);
      const { object, event } = decide(current);
      if (event === null) return current;
      const written = { ...object, version: current.version + 1 };
      await trx('permission_catalogs').insert(fromCatalog(written)).onConflict('project_id').merge();
      await this.#trail.append(trx, [event]);
      return written;
    });
  }
}

function fromCatalog(catalog: PermissionCatalog): CatalogRow {
  return {
    project_id: catalog.projectId,
    actions: JSON.stringify(catalog.actions),
    resources: JSON.stringify(catalog.resources),
    version: catalog.version,
    updated_at_ms: catalog.updatedAtMs ?? 0,
  };
}

function toCatalog(projectId: string, row: CatalogRow | undefined): PermissionCatalog {
  if (row === undefined) return { projectId, actions: [], resources: [], version: 0, updatedAtMs: null };
  return {
    projectId,
    actions: JSON.parse(row.actions),
    resources: JSON.parse(row.resources),
    version: row.version,
    updatedAtMs: row.updated_at_ms,
  };
}
