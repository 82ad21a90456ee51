import type { Knex } from 'knex';
import type { Project } from '../../server/access-control/project.ts';
import type { Installation, ProjectStore } from '../../server/access-control/project-store.ts';
import { insertApiKey, keepPermissionSet } from './api-key-row.ts';
import type { Database } from './database.ts';
import { violatesUnique } from './database-error.ts';

interface ProjectRow {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly audiences: string;
  readonly created_at_ms: number;
}

export class SqlProjectStore implements ProjectStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
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
        await trx('projects').insert(fromProject(installation.project));
      } catch (error) {
        if (violatesUnique(error, 'projects_slug', ['projects.slug'])) return false;
        throw error;
      }
      await insertOwner(trx, installation);
      await insertApiKey(trx, apiKey);
      return true;
    });
  }
}

async function insertOwner(trx: Knex.Transaction, { user, setupLink }: Installation): Promise<void> {
  await trx('users').insert({ id: user.id, email: user.email, name: user.name, created_at_ms: user.createdAtMs });
  await trx('setup_links').insert({
    token_hash: setupLink.tokenHash,
    user_id: user.id,
    expires_at_ms: setupLink.expiresAtMs,
    used_at_ms: null,
  });
}

async function hasNoProject(knex: Knex): Promise<boolean> {
  return (await knex('projects').first('id')) === undefined;
}

function fromProject(project: Project): ProjectRow {
  return {
    id: project.id,
    slug: project.slug,
    name: project.name,
    audiences: JSON.stringify(project.audiences),
    created_at_ms: project.createdAtMs,
  };
}

function toProject(row: ProjectRow): Project {
  return {
    id: row.id,
    slug: row.slug,
    name: row.name,
    audiences: JSON.parse(row.audiences),
    createdAtMs: row.created_at_ms,
  };
}
