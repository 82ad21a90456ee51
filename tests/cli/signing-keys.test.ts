import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { composeStorage } from '../../server/compose-storage.ts';
import { parseConfig } from '../../server/config.ts';
import { createLogger } from '../../server/logging.ts';
import { type OpenSqlDatabase, sqlDatabases } from '../support/sql-databases.ts';
import { makeFolder, runKeyturn } from './run-keyturn.ts';

// A test here is several processes, on a machine that may have others to run.
jest.setTimeout(120_000);

const undo: (() => unknown)[] = [];

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

const masterKey = () => randomBytes(32).toString('base64');

/** What makes the first key. */
async function loadAsTheServiceDoes(settings: Record<string, string>): Promise<void> {
  const storage = composeStorage(parseConfig(settings), { logger: createLogger('silent') });
  await storage.signingKeys.load();
  await storage.close();
}

interface Installation {
  readonly store: OpenSqlDatabase;
  keyturn(args: readonly string[], env?: Record<string, string>): ReturnType<typeof runKeyturn>;
  list(): Promise<Record<string, string | null>[]>;
}

describe.each(sqlDatabases)('on $name', ({ open }) => {
  /** With the first key that the service makes. */
  async function install({ isServed = true } = {}): Promise<Installation> {
    const store = await open();
    const { folder: cwd, remove } = makeFolder();
    undo.push(remove, () => store.close());
    const settings = { DATABASE_URL: store.url, KEYTURN_MASTER_KEY: masterKey() };
    if (isServed) await loadAsTheServiceDoes(settings);
    const keyturn = (args: readonly string[], env = {}) =>
      runKeyturn(['signing-keys', ...args, '--json'], { cwd, env: { ...settings, ...env } });
    return { store, keyturn, list: async () => JSON.parse((await keyturn(['list'])).stdout) };
  }

  it('rotate says when the new key takes over; a second one has to wait; revoke takes a key out', async () => {
    const { store, keyturn, list } = await install();
    const [first] = await list();
    expect(first).toMatchObject({ state: 'active', algorithm: 'ES256', retiring_from: null, retired_from: null });

    const rotated = await keyturn(['rotate']);
    expect(rotated).toMatchObject({ exitCode: 0, stderr: '' });
    const added = JSON.parse(rotated.stdout);
    expect(added).toMatchObject({ state: 'pending', algorithm: 'ES256' });
    const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
    expect(added.active_from).toMatch(RFC_3339);
    expect(Date.parse(added.active_from) - Date.parse(added.created_at)).toBe(900_000);
    expect(await list()).toEqual([
      { ...first, retiring_from: added.active_from, retired_from: expect.anything() },
      added,
    ]);

    const again = await keyturn(['rotate']);
    expect(again).toMatchObject({ exitCode: 1, stdout: '' });
    expect(JSON.parse(again.stderr)).toMatchObject({ code: 'signing_key_pending', kid: added.kid });

    const revoked = await keyturn(['revoke', String(first?.['kid'])]);
    expect(JSON.parse(revoked.stdout)).toMatchObject({ kid: first?.['kid'], state: 'retired' });
    expect((await list()).map(({ state }) => state)).toEqual(['retired', 'active']);
    expect(JSON.parse((await keyturn(['revoke', String(first?.['kid'])])).stderr)).toMatchObject({ code: 'not_found' });

    const types = await store.database.run((knex) => knex('audit_events').pluck('type'));
    expect(types.sort()).toEqual(['signing_key.created', 'signing_key.revoked', 'signing_key.rotated']);
  });

  it('list changes nothing, whatever the settings ask for', async () => {
    const { keyturn, list } = await install();
    const before = await list();
    expect(await keyturn(['list'], { KEYTURN_SIGNING_ALG: 'EdDSA' })).toMatchObject({ exitCode: 0 });
    expect(await list()).toEqual(before);
  });

  it('a master key that is not the service’s changes nothing', async () => {
    const { keyturn, list } = await install();
    const before = await list();
    for (const args of [['rotate'], ['revoke', String(before[0]?.['kid'])]]) {
      const { exitCode, stderr } = await keyturn(args, { KEYTURN_MASTER_KEY: masterKey() });
      expect(exitCode).toBe(1);
      expect(JSON.parse(stderr)).toMatchObject({ code: 'master_key_mismatch' });
    }
    expect(await list()).toEqual(before);
  });

  it('an empty list is no fault', async () => {
    expect(await (await install({ isServed: false })).keyturn(['list'])).toEqual({
      exitCode: 0,
      stdout: '[]\n',
      stderr: '',
    });
  });
});

it('a schema that is not at head is named', async () => {
  const { folder: cwd, remove } = makeFolder();
  undo.push(remove);
  const { exitCode, stderr } = await runKeyturn(['signing-keys', 'list'], { cwd });
  expect(exitCode).toBe(1);
  expect(stderr).toContain('run keyturn migrate');
});
