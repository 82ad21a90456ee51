import type { Knex } from 'knex';
import type { Project } from '../../server/access-control/project.ts';
import {
  type Installation,
  LastProject,
  type ProjectBeginning,
  type ProjectStore,
} from '../../server/access-control/project-store.ts';
import { ObjectInUse, SlugTaken } from '../../server/access-control/role-store.ts';
import type { Page, PageRequest } from '../../server/page.ts';
import type { Decide, DecideDelete } from '../../server/write.ts';
import { insertApiKey, keepPermissionSet } from './api-key-row.ts';
import type { AuditTrail } from './audit-trail.ts';
import type { Database } from './database.ts';
import { violatesUnique } from './database-error.ts';
import { countUpTo, readPage } from './read-page.ts';
import { fromRole } from './role-row.ts';
import { recordChange } from './sql-change-store.ts';
import { fromAccount, insertLink } from './user-row.ts';

interface ProjectRow {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly description: string | null;
  readonly audiences: string;
  readonly version: number;
  readonly created_at_ms: number;
  readonly updated_at_ms: number | null;
}

// Ids sort by creation.
const COLUMNS = { id: 'projects.id', sorts: { created_at: 'projects.id', name: 'projects.name' } };
/** What goes with its project, those that refer to others first. */
const OWNED_TABLES = ['member_roles', 'members', 'roles', 'workspaces', 'permission_catalogs'] as const;

export class SqlProjectStore implements ProjectStore {
  readonly #database: Database;
  readonly #trail: AuditTrail;

  constructor(database: Database, trail: AuditTrail) {
    this.#database = database;
    this.#trail = trail;
  }

  async find(idOrSlug: string): Promise<Project | null> {
    const row = await this.#database.run((knex) =>
      // An id before a slug that looks like one.
      knex<ProjectRow>('projects')
        .where({ id: idOrSlug })
        .orWhere({ slug: idOrSlug })
        .orderByRaw('CASE WHEN id = ? THEN 0 ELSE 1 END', [idOrSlug])
        .first(),
    );
    return row ? toProject(row) : null;
  }

  list(ids: readonly string[] | null, request: PageRequest<'created_at' | 'name'>): Promise<Page<Project>> {
    return this.#database.run((knex) => {
      const query = ids === null ? knex('projects') : knex('projects').whereIn('projects.id', ids);
      return readPage(knex, query, { columns: COLUMNS, request, select: 'projects.*', toItem: toProject });
    });
  }

  insert(beginning: ProjectBeginning): Promise<void> {
    return this.#database.transaction(async (trx) => {
      const { administrator } = beginning;
      // The owner of an API key may have been deleted since: then nobody is a member yet.
      const user = await trx('users').where({ id: administrator.userId }).forShare().first('id');
      await insertProject(trx, beginning.project);
      await insertBeginning(trx, beginning, user !== undefined);
      await this.#trail.append(trx, beginning.events);
    });
  }

  update(id: string, decide: Decide<Project>): Promise<Project | null> {
    return this.#database.transaction(async (trx) => {
      const current = await lockProject(trx, id);
      if (current === null) return null;
      const { object, event } = decide(current);
      if (event === null) return current;
      const written = { ...object, version: current.version + 1 };
      await trx('projects').where({ id }).update(fromProject(written));
      await this.#trail.append(trx, [event]);
      if (JSON.stringify(written.audiences) !== JSON.stringify(current.audiences)) await recordChange(trx, id);
      return written;
    });
  }

  delete(id: string, decide: DecideDelete<Project>): Promise<boolean> {
    return this.#database.transaction(async (trx) => {
      const current = await lockProject(trx, id);
      if (current === null) return false;
      const event = decide(current);
      if ((await trx('projects').whereNot({ id }).forShare().first('id')) === undefined) throw new LastProject();
      await assertWithoutKeys(trx, id);
      for (const table of OWNED_TABLES) await trx(table).where({ project_id: id }).delete();
      await trx('projects').where({ id }).delete();
      await this.#trail.append(trx, [event]);
      return true;
    });
  }

  isEmpty(): Promise<boolean> {
    return this.#database.run(hasNoProject);
  }

  /**
   * Of two at once the second waits at the slug, which the first has in its open transaction, and then finds it taken.
   */
  async bootstrap(installation: Installation): Promise<boolean> {
    const { apiKey } = installation;
    await this.#database.run((knex) => keepPermissionSet(knex, apiKey.effectivePermissions));
    return this.#database.transaction(async (trx) => {
      if (!(await hasNoProject(trx))) return false;
      try {
        await insertProject(trx, installation.project);
      } catch (error) {
        if (error instanceof SlugTaken) return false;
        throw error;
      }
      await insertOwner(trx, installation);
      await insertBeginning(trx, installation, true);
      await insertApiKey(trx, apiKey);
      await this.#trail.append(trx, installation.events);
      return true;
    });
  }
}

async function lockProject(trx: Knex.Transaction, id: string): Promise<Project | null> {
  const row = await trx('projects').where({ id }).forUpdate().first();
  return row ? toProject(row) : null;
}

async function assertWithoutKeys(trx: Knex.Transaction, id: string): Promise<void> {
  const keys = () => trx('api_keys').where({ project_id: id });
  if ((await keys().forShare().first('id')) === undefined) return;
  throw new ObjectInUse((await countUpTo(trx, keys().select('id'))).totalCount, 0);
}

async function insertProject(trx: Knex.Transaction, project: Project): Promise<void> {
  try {
    await trx('projects').insert(fromProject(project));
  } catch (error) {
    throw violatesUnique(error, 'projects_slug', ['projects.slug']) ? new SlugTaken(project.slug) : error;
  }
}

async function insertBeginning(
  trx: Knex.Transaction,
  { project, roles, administrator: { userId, roleId } }: ProjectBeginning,
  hasAdministrator: boolean,
): Promise<void> {
  await trx('roles').insert(roles.map(fromRole));
  if (!hasAdministrator) return;
  const membership = { project_id: project.id, user_id: userId };
  const times = { created_at_ms: project.createdAtMs, updated_at_ms: project.createdAtMs };
  await trx('members').insert({ ...membership, version: 1, ...times });
  await trx('member_roles').insert({ ...membership, role_id: roleId, workspace_id: '' });
}

async function insertOwner(trx: Knex.Transaction, { user, setupLink }: Installation): Promise<void> {
  await trx('users').insert(fromAccount({ ...user, passwordHash: null, lastSignInAtMs: null }));
  await insertLink(trx, user.id, setupLink);
}

async function hasNoProject(knex: Knex): Promise<boolean> {
  return (await knex('projects').first('id')) === undefined;
}

function fromProject(project: Project): ProjectRow {
  return {
    id: project.id,
    slug: project.slug,
    name: project.name,
    description: project.description,
    audiences: JSON.stringify(project.audiences),
    version: project.version,
    created_at_ms: project.createdAtMs,
    updated_at_ms: project.updatedAtMs,
  };
}

function toProject(row: ProjectRow): Project {
  return {
    id: row.id,
    slug: row.slug,
    name: row.name,
    description: row.description,
    audiences: JSON.parse(row.audiences),
    version: row.version,
    createdAtMs: row.created_at_ms,
    // Null for those of before there was such a column.
    updatedAtMs: row.updated_at_ms ?? row.created_at_ms,
  };
}
