import type { Knex } from 'knex';
import { BUILT_IN_ROLES } from '../../server/access-control/built-in-roles.ts';
import { systemClock } from '../../server/clock.ts';
import { newId } from '../../server/random.ts';
import { addColumns } from './alter-table.ts';
import { tableOptions } from './table-options.ts';

/** Workspaces, roles, members and the permission catalog of each project. */
const TABLES: readonly (readonly [name: string, columns: string])[] = [
  [
    'workspaces',
    `id VARCHAR(64) NOT NULL PRIMARY KEY,
    project_id VARCHAR(64) NOT NULL,
    slug VARCHAR(64) NOT NULL,
    name VARCHAR(100) NOT NULL,
    description TEXT,
    version INTEGER NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    CONSTRAINT workspaces_slug UNIQUE (project_id, slug),
    CONSTRAINT workspaces_list UNIQUE (project_id, id),
    CONSTRAINT workspaces_project FOREIGN KEY (project_id) REFERENCES projects (id)`,
  ],
  [
    'roles',
    `id VARCHAR(64) NOT NULL PRIMARY KEY,
    project_id VARCHAR(64) NOT NULL,
    slug VARCHAR(64) NOT NULL,
    name VARCHAR(100) NOT NULL,
    description TEXT,
    permissions TEXT NOT NULL,
    is_built_in SMALLINT NOT NULL,
    version INTEGER NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    CONSTRAINT roles_slug UNIQUE (project_id, slug),
    CONSTRAINT roles_list UNIQUE (project_id, id),
    CONSTRAINT roles_project FOREIGN KEY (project_id) REFERENCES projects (id)`,
  ],
  // In both tables of assignments an empty workspace_id is the whole project.
  [
    'api_key_roles',
    `key_id VARCHAR(64) NOT NULL,
    role_id VARCHAR(64) NOT NULL,
    workspace_id VARCHAR(64) NOT NULL,
    PRIMARY KEY (key_id, role_id, workspace_id),
    CONSTRAINT api_key_roles_role UNIQUE (role_id, key_id, workspace_id),
    CONSTRAINT api_key_roles_workspace UNIQUE (workspace_id, key_id, role_id),
    CONSTRAINT api_key_roles_of_key FOREIGN KEY (key_id) REFERENCES api_keys (id) ON DELETE CASCADE,
    CONSTRAINT api_key_roles_of_role FOREIGN KEY (role_id) REFERENCES roles (id)`,
  ],
  [
    'members',
    `project_id VARCHAR(64) NOT NULL,
    user_id VARCHAR(64) NOT NULL,
    version INTEGER NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    PRIMARY KEY (project_id, user_id),
    CONSTRAINT members_user UNIQUE (user_id, project_id),
    CONSTRAINT members_of_project FOREIGN KEY (project_id) REFERENCES projects (id),
    CONSTRAINT members_of_user FOREIGN KEY (user_id) REFERENCES users (id)`,
  ],
  [
    'member_roles',
    `project_id VARCHAR(64) NOT NULL,
    user_id VARCHAR(64) NOT NULL,
    role_id VARCHAR(64) NOT NULL,
    workspace_id VARCHAR(64) NOT NULL,
    PRIMARY KEY (project_id, user_id, role_id, workspace_id),
    CONSTRAINT member_roles_role UNIQUE (role_id, user_id, workspace_id),
    CONSTRAINT member_roles_workspace UNIQUE (workspace_id, user_id, role_id),
    CONSTRAINT member_roles_of_member FOREIGN KEY (project_id, user_id)
      REFERENCES members (project_id, user_id) ON DELETE CASCADE,
    CONSTRAINT member_roles_of_role FOREIGN KEY (role_id) REFERENCES roles (id)`,
  ],
  [
    'permission_catalogs',
    `project_id VARCHAR(64) NOT NULL PRIMARY KEY,
    actions TEXT NOT NULL,
    resources MEDIUMTEXT NOT NULL,
    version INTEGER NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    CONSTRAINT permission_catalogs_project FOREIGN KEY (project_id) REFERENCES projects (id)`,
  ],
];

/** So far only bootstrap has made users: administrators of the whole installation, in its one project. */
const FIRST_USER_PERMISSIONS = JSON.stringify(['*:keyturn-installation']);

export async function up(knex: Knex): Promise<void> {
  const options = await tableOptions(knex);
  for (const [name, columns] of TABLES)
    await knex.raw(`CREATE TABLE IF NOT EXISTS ${name} (\n    ${columns}\n)${options}`);
  await addColumns(knex, 'projects', {
    description: 'TEXT',
    version: 'INTEGER NOT NULL DEFAULT 1',
    updated_at_ms: 'BIGINT',
  });
  await addColumns(knex, 'users', {
    permissions: 'TEXT',
    password_hash: 'VARCHAR(255)',
    last_sign_in_at_ms: 'BIGINT',
    version: 'INTEGER NOT NULL DEFAULT 1',
    updated_at_ms: 'BIGINT',
  });
  await addColumns(knex, 'setup_links', { created_at_ms: 'BIGINT', created_by: 'VARCHAR(64)' });
  await knex('users').whereNull('permissions').update({ permissions: FIRST_USER_PERMISSIONS });
  await knex('users')
    .whereNotNull('email')
    .update({ email: knex.raw('LOWER(email)') });
  for (const { id } of await knex('projects').select('id')) await giveBuiltInRoles(knex, id);
}

async function giveBuiltInRoles(knex: Knex, projectId: string): Promise<void> {
  const nowMs = systemClock.nowMs();
  const times = { created_at_ms: nowMs, updated_at_ms: nowMs };
  const known = new Set(await knex('roles').where({ project_id: projectId }).pluck('slug'));
  for (const { slug, name, description, permissions } of BUILT_IN_ROLES) {
    if (known.has(slug)) continue;
    await knex('roles').insert({
      id: newId('rol'),
      project_id: projectId,
      slug,
      name,
      description,
      permissions: JSON.stringify(permissions),
      is_built_in: 1,
      version: 1,
      ...times,
    });
  }
  const administrator = await knex('roles').where({ project_id: projectId, slug: 'administrator' }).first('id');
  for (const { id: userId } of await knex('users').select('id')) {
    const membership = { project_id: projectId, user_id: userId };
    if (await knex('members').where(membership).first('user_id')) continue;
    await knex('members').insert({ ...membership, version: 1, ...times });
    await knex('member_roles').insert({ ...membership, role_id: administrator.id, workspace_id: '' });
  }
}

export async function down(knex: Knex): Promise<void> {
  for (const [name] of TABLES.toReversed()) await knex.raw(`DROP TABLE IF EXISTS ${name}`);
}
