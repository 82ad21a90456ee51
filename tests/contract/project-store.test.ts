import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SqlApiKeyStore } from '../../db/sql/sql-api-key-store.ts';
import { SqlProjectStore } from '../../db/sql/sql-project-store.ts';
import { permissionSetDigest } from '../../server/api-keys/permission-set.ts';
import { inProcesses, type OpenSqlDatabase, sqlDatabases } from '../support/sql-databases.ts';
import { anInstallation } from './api-key-store-records.ts';

const TABLES = ['projects', 'users', 'setup_links', 'api_keys', 'permission_sets'];

describe.each(sqlDatabases)('ProjectStore on $name', ({ open }) => {
  let sql: OpenSqlDatabase;
  let store: SqlProjectStore;

  beforeEach(async () => {
    sql = await open();
    store = new SqlProjectStore(sql.database);
  });
  afterEach(() => sql.close());

  const rowCounts = () =>
    sql.database.run(async (knex) => {
      const counts: number[] = [];
      for (const table of TABLES) counts.push((await knex(table)).length);
      return counts;
    });

  it('writes project, user, key and set-up link into an empty store', async () => {
    const installation = anInstallation({ audiences: ['https://api.example'] });
    const { project, user, apiKey, setupLink } = installation;
    expect(await store.isEmpty()).toBe(true);
    expect(await store.bootstrap(installation)).toBe(true);

    expect(await store.isEmpty()).toBe(false);
    expect(await store.find(project.id)).toEqual(project);
    expect(await store.find('default')).toEqual(project);
    const apiKeys = new SqlApiKeyStore(sql.database);
    expect(await apiKeys.findById(apiKey.id)).toEqual({ ...apiKey, projectAudiences: ['https://api.example'] });
    expect(await apiKeys.findPermissionSet(permissionSetDigest(apiKey.permissions))).toEqual(apiKey.permissions);
    const [link] = await sql.database.run((knex) => knex('setup_links'));
    expect(link).toEqual({
      token_hash: setupLink.tokenHash,
      user_id: user.id,
      expires_at_ms: setupLink.expiresAtMs,
      used_at_ms: null,
    });
  });

  it('finds no other project, in no other case', async () => {
    await store.bootstrap(anInstallation());
    for (const other of ['Default', 'default ', 'prj_other', '%', '']) expect(await store.find(other)).toBeNull();
  });

  it('changes nothing when a project exists', async () => {
    const first = anInstallation({ slug: 'first' });
    await store.bootstrap(first);
    expect(await store.bootstrap(anInstallation())).toBe(false);
    expect(await rowCounts()).toEqual([1, 1, 1, 1, 1]);
    expect(await store.find('default')).toBeNull();
  });

  it('writes nothing when a part of it can not be written', async () => {
    const installation = anInstallation();
    const broken = { ...installation, apiKey: { ...installation.apiKey, projectId: 'prj_absent' } };
    await expect(store.bootstrap(broken)).rejects.toThrow('the database driver refused a statement');
    expect(await rowCounts()).toEqual([0, 0, 0, 0, 0]);
    expect(await store.bootstrap(installation)).toBe(true);
  });

  it('is bootstrapped by exactly one of four processes', async () => {
    const results = await inProcesses<boolean>(
      4,
      sql.url,
      {
        'db/sql/database.ts': 'openDatabase',
        'db/sql/sql-project-store.ts': 'SqlProjectStore',
        'tests/contract/api-key-store-records.ts': 'anInstallation',
      },
      `const database = openDatabase(url);
      report(await new SqlProjectStore(database).bootstrap(anInstallation()));
      await database.close();`,
    );
    expect(results.toSorted()).toEqual([false, false, false, true]);
    expect(await rowCounts()).toEqual([1, 1, 1, 1, 1]);
  });
});
