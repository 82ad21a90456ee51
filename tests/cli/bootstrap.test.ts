import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { serviceUrl } from '../support/services.ts';
import { type OpenSqlDatabase, sqlDatabases } from '../support/sql-databases.ts';
import { type Finished, makeFolder, runKeyturn, serveKeyturn } from './run-keyturn.ts';

// A test here is several processes, on a machine that may have others to run.
jest.setTimeout(120_000);

const undo: (() => unknown)[] = [];

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

const TABLES = ['projects', 'users', 'api_keys', 'setup_links', 'audit_events'];

/** All rows of what a bootstrap writes. */
function contents({ database }: OpenSqlDatabase): Promise<unknown> {
  return database.run(async (knex) => {
    const found = [];
    for (const table of TABLES) if (await knex.schema.hasTable(table)) found.push([table, await knex(table)]);
    return found;
  });
}

describe.each(sqlDatabases)('on $name', ({ openEmpty }) => {
  async function open(): Promise<{
    store: OpenSqlDatabase;
    keyturn(...args: string[]): Promise<Finished>;
    cwd: string;
  }> {
    const store = await openEmpty();
    const { folder: cwd, remove } = makeFolder();
    undo.push(remove, () => store.close());
    return { store, cwd, keyturn: (...args) => runKeyturn(args, { cwd, env: { DATABASE_URL: store.url } }) };
  }

  it('an empty store is migrated and gets its first key; a second run exits 1 and changes nothing', async () => {
    const { store, keyturn } = await open();
    const first = await keyturn('bootstrap', '--json', '--email', 'ada@example.com');
    expect(first).toMatchObject({ exitCode: 0, stderr: '' });
    expect(JSON.parse(first.stdout)).toEqual({
      project_id: expect.stringMatching(/^prj_/),
      client_id: expect.stringMatching(/^administrator_[0-9a-z]{25}$/),
      client_secret: expect.stringMatching(/^ktk_[0-9a-z]{25}_[0-9A-Za-z]{49}$/),
      setup_url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:8080\/console\/setup#kts_/),
    });
    const before = await contents(store);
    expect(JSON.stringify(before)).toContain('ada@example.com');
    expect(JSON.stringify(before)).not.toContain(JSON.parse(first.stdout).client_secret);

    const second = await keyturn('bootstrap', '--json');
    expect(second).toMatchObject({ exitCode: 1, stdout: '' });
    expect(JSON.parse(second.stderr)).toMatchObject({ code: 'store_not_empty' });
    expect(await contents(store)).toEqual(before);
  });

  it('of two bootstraps at once one wins', async () => {
    const { keyturn } = await open();
    const results = await Promise.all([keyturn('bootstrap', '--json'), keyturn('bootstrap', '--json')]);
    expect(results.map(({ exitCode }) => exitCode).sort()).toEqual([0, 1]);
  });

  it('migrate --status tells and changes nothing, migrate brings it to head, and again is no fault', async () => {
    const { keyturn } = await open();
    const status = async () => JSON.parse((await keyturn('migrate', '--status', '--json')).stdout);
    const { applied, pending } = await status();
    expect(applied).toEqual([]);
    expect(pending).not.toHaveLength(0);
    expect(await status()).toEqual({ applied, pending });
    expect(JSON.parse((await keyturn('migrate', '--json')).stdout)).toEqual({ applied: pending });
    expect(await status()).toEqual({ applied: pending, pending: [] });
    expect(await keyturn('migrate')).toEqual({ exitCode: 0, stdout: 'The schema is at head.\n', stderr: '' });
  });

  it('what bootstrap made works with serve', async () => {
    const { store, cwd, keyturn } = await open();
    const { client_id, client_secret } = JSON.parse((await keyturn('bootstrap', '--json')).stdout);
    const redisUrl = store.database.dialect === 'mysql' ? serviceUrl('redis') : null;
    const env = { DATABASE_URL: store.url, ...(redisUrl === null ? {} : { REDIS_URL: redisUrl }) };
    const service = await serveKeyturn({ cwd, env });
    undo.push(() => service.stop());
    expect(service.bootstrapped).toBeNull();
    const post = (form: Record<string, string>) =>
      fetch(`${service.url}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) });
    const exchanged = await post({ grant_type: 'client_credentials', client_id, client_secret });
    expect(exchanged.status).toBe(200);
    const refresh = {
      grant_type: 'refresh_token',
      refresh_token: ((await exchanged.json()) as { refresh_token: string }).refresh_token,
    };
    expect((await post(refresh)).status).toBe(200);
    const reused = await post(refresh);
    expect([reused.status, ((await reused.json()) as { error: string }).error]).toEqual([400, 'invalid_grant']);
  });
});

it('people read lines', async () => {
  const { folder: cwd, remove } = makeFolder();
  undo.push(remove);
  const { exitCode, stdout, stderr } = await runKeyturn(['bootstrap'], { cwd });
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^project_id +prj_\w+\nclient_id +administrator_\w+\nclient_secret +ktk_\w+\nsetup_url +http/);
  expect(stderr).toContain('shown only now');
});
