import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Knex } from 'knex';
import { migrationNames, migrationSource } from '../../db/migrations/index.ts';
import { openDatabase } from '../../db/sql/database.ts';
import { MIGRATION_LOCK_SQL, migrateToHead, migrationStatus } from '../../db/sql/migrate.ts';
import { SqlApiKeyStore } from '../../db/sql/sql-api-key-store.ts';
import { SqlChangeStore } from '../../db/sql/sql-change-store.ts';
import { SqlMemberStore } from '../../db/sql/sql-member-store.ts';
import { SqlProjectStore } from '../../db/sql/sql-project-store.ts';
import { SqlRoleStore } from '../../db/sql/sql-role-store.ts';
import { SqlUserStore } from '../../db/sql/sql-user-store.ts';
import type { Installation } from '../../server/access-control/project-store.ts';
import type { Role } from '../../server/access-control/role.ts';
import { inProcesses, type OpenSqlDatabase, sqlDatabases } from '../support/sql-databases.ts';
import { asPage } from './access-control-records.ts';
import { anInstallation, aTrail, changing } from './api-key-store-records.ts';

const MODULES = { 'db/sql/database.ts': 'openDatabase', 'db/sql/migrate.ts': 'migrateToHead' };
const MIGRATE = `const database = openDatabase(url);
  report(await migrateToHead(database));
  await database.close();`;
const TABLES = [
  'api_key_roles',
  'api_key_words',
  'api_keys',
  'audit_chain',
  'audit_events',
  'changes',
  'console_sessions',
  'counters',
  'key_usage',
  'member_roles',
  'members',
  'permission_catalogs',
  'permission_sets',
  'projects',
  'roles',
  'sessions',
  'setup_links',
  'sign_in_attempts',
  'signing_keys',
  'usage_batches',
  'users',
  'workspaces',
];

async function tableNames(knex: Knex): Promise<string[]> {
  const isSqlite = String(knex.client.driverName) === 'better-sqlite3';
  const names: string[] = isSqlite
    ? await knex('sqlite_master').where({ type: 'table' }).pluck('name')
    : await knex('information_schema.tables').whereRaw('table_schema = DATABASE()').pluck('table_name');
  return names.filter((name) => !/^(knex_|sqlite_)/.test(name)).sort();
}

/** The rows that version 0.1 wrote into an empty store, in the columns that it knew. */
async function bootstrapAsFirstVersion(knex: Knex, { project, user, apiKey }: Installation): Promise<void> {
  await knex('projects').insert({
    id: project.id,
    slug: project.slug,
    name: project.name,
    audiences: JSON.stringify(project.audiences),
    created_at_ms: project.createdAtMs,
  });
  await knex('users').insert({ id: user.id, email: user.email, name: user.name, created_at_ms: user.createdAtMs });
  await knex('api_keys').insert({
    id: apiKey.id,
    project_id: apiKey.projectId,
    client_id: apiKey.clientId,
    client_id_suffix: apiKey.clientId.slice(-25),
    name: apiKey.name,
    owner_id: apiKey.ownerId,
    permissions: JSON.stringify(apiKey.permissions),
    ip_allowlist: JSON.stringify(apiKey.ipAllowlist),
    is_valid: 1,
    secret_hash: apiKey.secretHash,
    secret_version: apiKey.secretVersion,
    hint: apiKey.hint,
    refresh_tokens: 1,
    refresh_requires_client_auth: 0,
    created_at_ms: apiKey.createdAtMs,
    updated_at_ms: apiKey.updatedAtMs,
  });
}

describe.each(sqlDatabases)('Migrations on $name', ({ name, openEmpty }) => {
  let sql: OpenSqlDatabase;

  beforeEach(async () => {
    sql = await openEmpty();
  });
  afterEach(() => sql.close());

  it('bring an empty store to head once', async () => {
    expect(await migrationStatus(sql.database)).toEqual({ applied: [], pending: migrationNames });
    expect(await migrateToHead(sql.database)).toEqual({ applied: migrationNames });
    expect(await migrationStatus(sql.database)).toEqual({ applied: migrationNames, pending: [] });
    expect(await migrateToHead(sql.database)).toEqual({ applied: [] });
    expect(await sql.database.run(tableNames)).toEqual(TABLES);
  });

  it('run once when five processes start at once', async () => {
    const results = await inProcesses<{ applied: string[] }>(5, sql.url, MODULES, MIGRATE);
    expect(results).toHaveLength(5);
    expect(results.flatMap((result) => result.applied)).toEqual(migrationNames);
    expect(await sql.database.run(tableNames)).toEqual(TABLES);
    expect(await sql.database.run((knex) => knex('knex_migrations').pluck('name'))).toEqual(migrationNames);
    expect(await sql.database.run((knex) => knex('knex_migrations_lock').pluck('is_locked'))).toEqual([0]);
  });

  it('go on after a crash in the middle', async () => {
    await migrateToHead(sql.database);
    // What a crash leaves: some tables, no record of the migration, knex's lock taken.
    await sql.database.run(async (knex) => {
      await knex.raw('DROP TABLE audit_events');
      await knex('knex_migrations').delete();
      await knex('knex_migrations_lock').update({ is_locked: 1 });
    });
    expect(await migrateToHead(sql.database)).toEqual({ applied: migrationNames });
    expect(await sql.database.run(tableNames)).toEqual(TABLES);
  });

  it('take no notice of those of a newer version', async () => {
    await migrateToHead(sql.database);
    const newer = { name: '9999_newer', batch: 2, migration_time: null };
    await sql.database.run((knex) => knex('knex_migrations').insert(newer));
    expect(await migrationStatus(sql.database)).toEqual({ applied: migrationNames, pending: [] });
    expect(await migrateToHead(sql.database)).toEqual({ applied: [] });
  });

  describe('of version 0.1', () => {
    const firstOnly: Knex.MigratorConfig = {
      migrationSource: { ...migrationSource, getMigrations: async () => migrationNames.slice(0, 1) },
      disableMigrationsListValidation: true,
      disableTransactions: true,
    };
    const asFirstVersion = () => sql.database.transactionWithoutLimits((trx) => trx.migrate.latest(firstOnly));

    it('leave what it stored as it was, and number what is changed from then on', async () => {
      await asFirstVersion();
      expect(await migrationStatus(sql.database)).toMatchObject({ applied: ['0001_first_tables'] });
      const installation = anInstallation();
      const { apiKey, project } = installation;
      await sql.database.run((knex) => bootstrapAsFirstVersion(knex, installation));
      const [keys, changes] = [new SqlApiKeyStore(sql.database, aTrail()), new SqlChangeStore(sql.database)];

      expect((await migrateToHead(sql.database)).applied).toEqual(migrationNames.slice(1));
      expect(await keys.findInProject(project.id, apiKey.id)).toEqual(apiKey);
      expect(await changes.latest()).toBe(0);
      await keys.update(project.id, apiKey.id, changing({ isValid: false }));
      expect(await changes.changedObjects(0, 1)).toEqual([apiKey.id]);
    });

    it('give its project the built-in roles, and its user the administration', async () => {
      await asFirstVersion();
      const installation = anInstallation();
      const { project, user, roles } = installation;
      await sql.database.run((knex) => bootstrapAsFirstVersion(knex, installation));
      await migrateToHead(sql.database);
      expect(await new SqlProjectStore(sql.database, aTrail()).find('default')).toEqual(project);
      const stored = await new SqlRoleStore(sql.database, aTrail()).list(project.id, asPage('created_at'));
      const known = ({ slug, permissions, isBuiltIn }: Role) => ({ slug, permissions, isBuiltIn });
      expect(stored.items.map(known)).toEqual(roles.map(known));
      expect(await new SqlMemberStore(sql.database, aTrail()).find(project.id, user.id)).toMatchObject({
        roles: [{ roleId: stored.items[0]?.id, workspaceId: null }],
        permissions: ['*:*', '*:keyturn'],
      });
      const { permissions } = user;
      expect(await new SqlUserStore(sql.database, aTrail()).find(user.id)).toMatchObject({ permissions });
    });

    // During a rolling update. What that version changes is not numbered: newer instances see it within a minute.
    it('are not in its way when it meets them: it applies nothing, and its statements run as ever', async () => {
      await migrateToHead(sql.database);
      const [, applied] = await asFirstVersion();
      expect(applied).toEqual([]);
      const installation = anInstallation();
      await sql.database.run((knex) => bootstrapAsFirstVersion(knex, installation));
      const rowOf = (knex: Knex) => knex('api_keys').where({ id: installation.apiKey.id });
      const revoking = (trx: Knex) => rowOf(trx).update({ is_valid: 0, updated_at_ms: 5 });
      expect(await sql.database.transaction(revoking)).toBe(1);
      expect(await sql.database.run((knex) => rowOf(knex).delete())).toBe(1);
      expect(await new SqlChangeStore(sql.database).latest()).toBe(0);
    });
  });

  it('lock nothing at head', async () => {
    await migrateToHead(sql.database);
    const holder = openDatabase(sql.url);
    const atHead = await holder.transaction(async (trx) => {
      // The transaction itself is SQLite's lock: nobody else can write while it is open.
      if (name === 'MariaDB') await trx.raw(`SELECT GET_LOCK(${MIGRATION_LOCK_SQL}, 0)`);
      return migrateToHead(sql.database);
    });
    expect(atHead).toEqual({ applied: [] });
    await holder.close();
  });

  it('tell apart names that differ in case, accents or padding', async () => {
    await migrateToHead(sql.database);
    const names = ['name', 'Name', 'námé', 'name '];
    await sql.database.run((knex) =>
      knex('projects').insert(names.map((id) => ({ id, slug: id, name: id, audiences: '[]', created_at_ms: 1 }))),
    );
    expect(await sql.database.run((knex) => knex('projects').where({ slug: 'name' }).pluck('id'))).toEqual(['name']);
  });
});
