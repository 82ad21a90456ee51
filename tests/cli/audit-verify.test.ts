import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { composeStorage } from '../../server/compose-storage.ts';
import { parseConfig } from '../../server/config.ts';
import { createLogger } from '../../server/logging.ts';
import { sqlDatabases } from '../support/sql-databases.ts';
import { makeFolder, runKeyturn } from './run-keyturn.ts';

// A test here is several processes, on a machine that may have others to run.
jest.setTimeout(120_000);

const undo: (() => unknown)[] = [];

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

describe.each(sqlDatabases)('audit verify on $name', ({ open }) => {
  /** A store with a signing key and `count` events beside that of its making. */
  async function install(count: number) {
    const store = await open();
    const { folder: cwd, remove } = makeFolder();
    undo.push(remove, () => store.close());
    const settings = { DATABASE_URL: store.url, KEYTURN_MASTER_KEY: randomBytes(32).toString('base64') };
    const storage = composeStorage(parseConfig(settings), { logger: createLogger('silent') });
    await storage.signingKeys.load();
    for (let made = 0; made < count; made += 1) {
      const origin = { actorId: 'usr_1', ip: '203.0.113.7', requestId: null };
      await storage.audit.recordNow('api_key.denied', origin, { projectId: 'prj_1', objectId: `key_${made}` });
    }
    await storage.close();
    const verify = (args: readonly string[] = [], env = {}) =>
      runKeyturn(['audit', 'verify', ...args], { cwd, env: { ...settings, ...env } });
    return { store, verify };
  }

  it('passes with a count and the head, and fails naming the row that was changed by hand', async () => {
    const { store, verify } = await install(4);
    const whole = await verify(['--json']);
    expect(whole).toMatchObject({ exitCode: 0, stderr: '' });
    const { head, ...counts } = JSON.parse(whole.stdout);
    expect(counts).toEqual({ verified_count: 5, unchained_count: 0 });
    expect(head).toEqual({ sequence: 5, mac: expect.stringMatching(/^[0-9a-f]{8}\..{43}$/) });
    const anchor = ['--since-sequence', String(head.sequence), '--mac', head.mac];
    const said = await verify(anchor);
    expect(said.exitCode).toBe(0);
    expect(said.stdout).toBe(`5 events verified\nhead: sequence 5 mac ${head.mac}\n`);

    await store.database.run(async (knex) => {
      await knex('audit_events').where({ sequence: 5 }).delete();
      const { sequence, mac } = await knex('audit_events').where({ sequence: 4 }).first();
      await knex('audit_chain').update({ sequence, mac });
    });
    expect((await verify()).exitCode).toBe(0);
    const cut = await verify(anchor);
    expect(cut).toMatchObject({ exitCode: 1, stdout: '' });
    expect(cut.stderr).toContain('event 5 is missing');

    await store.database.run((knex) => knex('audit_events').where({ sequence: 3 }).update({ object_id: 'key_x' }));
    const edited = await verify(['--json']);
    expect(edited).toMatchObject({ exitCode: 1, stdout: '' });
    expect(JSON.parse(edited.stderr)).toMatchObject({
      code: 'audit_chain_broken',
      fault: 'changed',
      sequence: 3,
      event_id: expect.stringMatching(/^evt_/),
    });
  });

  it('takes no other master key, and no half of a head', async () => {
    const { verify } = await install(0);
    const other = await verify(['--json'], { KEYTURN_MASTER_KEY: randomBytes(32).toString('base64') });
    expect(other.exitCode).toBe(1);
    expect(JSON.parse(other.stderr)).toMatchObject({ code: 'master_key_mismatch' });
    expect((await verify(['--since-sequence', '3'])).exitCode).toBe(2);
    expect((await verify(['--since-sequence', '0', '--mac', 'x'])).exitCode).toBe(2);
  });
});
