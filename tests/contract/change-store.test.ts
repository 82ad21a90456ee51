import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Database, openDatabase } from '../../db/sql/database.ts';
import { SqlApiKeyStore } from '../../db/sql/sql-api-key-store.ts';
import { recordChange, SqlChangeStore } from '../../db/sql/sql-change-store.ts';
import { SqlProjectStore } from '../../db/sql/sql-project-store.ts';
import type { ApiKey } from '../../server/api-keys/api-key.ts';
import { DependencyUnavailable } from '../../server/dependency-unavailable.ts';
import { type OpenSqlDatabase, sqlDatabases } from '../support/sql-databases.ts';
import { anApiKey, anEvent, anInstallation, aTrail, changing, deleting } from './api-key-store-records.ts';

const AT_ONCE = 50;
const TOLD = 1_000;
const KEPT = 10_000;

describe.each(sqlDatabases)('ChangeStore on $name', ({ open }) => {
  let sql: OpenSqlDatabase;
  let changes: SqlChangeStore;
  const others: Database[] = [];

  beforeEach(async () => {
    sql = await open();
    changes = new SqlChangeStore(sql.database);
  });
  afterEach(async () => {
    for (const other of others.splice(0)) await other.close();
    await sql.close();
  });

  /** What another instance on the same store has. */
  const openOther = (): Database => {
    const other = openDatabase(sql.url);
    others.push(other);
    return other;
  };
  const change = (objectId: string, database = sql.database) =>
    database.transaction((trx) => recordChange(trx, objectId));
  const sorted = (ids: readonly string[] | null) => ids && [...ids].sort();

  /** As if `count` changes had been made; of those only the rows of `kept` are there. */
  async function pretend(count: number, kept: readonly number[]): Promise<void> {
    await sql.database.transaction(async (trx) => {
      for (let start = 0; start < kept.length; start += 200) {
        const sequences = kept.slice(start, start + 200);
        await trx('changes').insert(sequences.map((sequence) => ({ sequence, object_id: `key_${sequence}` })));
      }
      await trx('counters').where({ name: 'changes' }).update({ value: count });
    });
  }

  /** Keys in a project of their own. */
  async function insertKeys(store: SqlApiKeyStore, count: number): Promise<ApiKey[]> {
    const installation = anInstallation();
    await new SqlProjectStore(sql.database, aTrail()).bootstrap(installation);
    const keys = Array.from({ length: count }, () => anApiKey({ projectId: installation.project.id }));
    for (const key of keys) await store.insert(key, anEvent(key));
    return keys;
  }

  /** Again where the file was busy for too long, as clients do after 503. */
  async function revoke(store: SqlApiKeyStore, key: ApiKey): Promise<unknown> {
    try {
      return await store.update(key.projectId, key.id, changing({ isValid: false }));
    } catch (error) {
      if (error instanceof DependencyUnavailable) return revoke(store, key);
      throw error;
    }
  }

  it('numbers changes from 1 on, and tells those between two numbers', async () => {
    expect(await changes.latest()).toBe(0);
    for (const id of ['key_a', 'key_b', 'key_a', 'key_c']) await change(id);
    expect(await changes.latest()).toBe(4);
    expect(sorted(await changes.changedObjects(0, 4))).toEqual(['key_a', 'key_a', 'key_b', 'key_c']);
    expect(sorted(await changes.changedObjects(1, 3))).toEqual(['key_a', 'key_b']);
    expect(await changes.changedObjects(3, 4)).toEqual(['key_c']);
  });

  it('shows neither a change nor its number before the commit, and lets no later number be seen before it', async () => {
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let first: Promise<void> = Promise.resolve();
    await new Promise<void>((resolve) => {
      first = openOther().transaction(async (trx) => {
        await recordChange(trx, 'key_first');
        resolve();
        await released;
      });
    });
    const second = change('key_second', openOther());
    for (let poll = 0; poll < 5; poll += 1) expect(await changes.latest()).toBe(0);
    release();
    await Promise.all([first, second]);
    expect(await changes.latest()).toBe(2);
    expect(await changes.changedObjects(0, 1)).toEqual(['key_first']);
    expect(await changes.changedObjects(1, 2)).toEqual(['key_second']);
  });

  it(`has no gap whenever it is asked while ${AT_ONCE} keys are revoked at once, and who is told of one reads it revoked`, async () => {
    const stores = [sql.database, openOther()].map((database) => new SqlApiKeyStore(database, aTrail()));
    const [store] = stores as [SqlApiKeyStore];
    const keys = await insertKeys(store, AT_ONCE);
    const follower = openOther();
    const [followed, reading] = [new SqlChangeStore(follower), new SqlApiKeyStore(follower, aTrail())];

    const told: string[] = [];
    let seen = 0;
    async function poll(): Promise<void> {
      const latest = await followed.latest();
      const ids = await followed.changedObjects(seen, latest);
      expect(ids).toHaveLength(latest - seen);
      seen = latest;
      for (const id of ids ?? []) expect(await reading.findById(id)).toMatchObject({ id, isValid: false });
      told.push(...(ids ?? []));
    }
    let areRevoking = true;
    const revoking = Promise.all(keys.map((key, index) => revoke(stores[index % 2] as SqlApiKeyStore, key))).finally(
      () => {
        areRevoking = false;
      },
    );
    while (areRevoking) {
      await poll();
      // SQLite answers without a turn of the event loop, which the timers of those that wait for the file need.
      await new Promise((resolve) => setImmediate(resolve));
    }
    await revoking;
    await poll();
    expect(seen).toBe(told.length);
    expect([...new Set(told)].sort()).toEqual(keys.map(({ id }) => id).sort());
  });

  it('has no gap where changes were rolled back, among others that were not', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        sql.database.transaction(async (trx) => {
          await recordChange(trx, `key_${index}`);
          if (index % 2 === 0) throw new Error('rolled back');
        }),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
    expect(await changes.latest()).toBe(10);
    const kept = Array.from({ length: 10 }, (_, index) => `key_${2 * index + 1}`);
    expect(sorted(await changes.changedObjects(0, 10))).toEqual(kept.sort());
  });

  it(`tells ${TOLD} changes, and null for more`, async () => {
    const count = TOLD + 1;
    await pretend(
      count,
      Array.from({ length: count }, (_, index) => index + 1),
    );
    expect(await changes.changedObjects(1, count)).toHaveLength(TOLD);
    expect(await changes.changedObjects(0, count)).toBeNull();
  });

  it(`keeps the last ${KEPT}, and says null where one of those asked for is gone`, async () => {
    const oldest = Array.from({ length: 10 }, (_, index) => index + 1);
    await pretend(KEPT + 4, oldest);
    await change('key_new');
    expect(await changes.latest()).toBe(KEPT + 5);
    const rows = await sql.database.run((knex) => knex('changes').orderBy('sequence').pluck('sequence'));
    expect(rows.map(Number)).toEqual([6, 7, 8, 9, 10, KEPT + 5]);
    expect(sorted(await changes.changedObjects(5, 8))).toEqual(['key_6', 'key_7', 'key_8']);
    expect(await changes.changedObjects(4, 8)).toBeNull();
    expect(await changes.changedObjects(KEPT + 4, KEPT + 5)).toEqual(['key_new']);
  });

  it('has a number for each key that was revoked, restored or deleted, and for nothing else', async () => {
    const store = new SqlApiKeyStore(sql.database, aTrail());
    const [key, other] = (await insertKeys(store, 2)) as [ApiKey, ApiKey];
    const use = { keyId: key.id, usedAtMs: 5, usedIp: '::1', deniedAtMs: 6, deniedReason: 'expired', secretUses: [] };
    await store.recordUses([use]);
    await store.update('prj_other', key.id, changing({ isValid: false }));
    await store.update(key.projectId, 'key_gone', changing({ isValid: false }));
    await store.delete('prj_other', [key.id], deleting);
    await store.delete(key.projectId, ['key_gone'], deleting);
    const sameName = anApiKey({ projectId: key.projectId, name: key.name });
    await store.insert(sameName, anEvent(sameName)).catch(() => {});
    expect(await changes.latest()).toBe(0);

    await store.update(key.projectId, key.id, changing({ isValid: false }));
    expect(await changes.changedObjects(0, 1)).toEqual([key.id]);
    await store.update(key.projectId, key.id, changing({ isValid: true }));
    expect(await changes.changedObjects(1, 2)).toEqual([key.id]);
    await store.delete(key.projectId, [other.id], deleting);
    expect(await changes.changedObjects(2, 3)).toEqual([other.id]);
    expect(await changes.latest()).toBe(3);
  });

  it('lets no key be changed whose change could not be numbered', async () => {
    const store = new SqlApiKeyStore(sql.database, aTrail());
    const [key] = (await insertKeys(store, 1)) as [ApiKey];
    await sql.database.run((knex) => knex.raw('DROP TABLE changes'));
    await expect(store.update(key.projectId, key.id, changing({ isValid: false }))).rejects.toThrow();
    await expect(store.delete(key.projectId, [key.id], deleting)).rejects.toThrow();
    expect(await store.findInProject(key.projectId, key.id)).toEqual(key);
  });
});
