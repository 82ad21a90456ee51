import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SqlUsageStore } from '../../db/sql/sql-usage-store.ts';
import { deletesOldUsage } from '../../server/usage/old-usage.ts';
import type { KeyHourOfUse } from '../../server/usage/usage-store.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { inProcesses, type OpenSqlDatabase, sqlDatabases } from '../support/sql-databases.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const hour = (keyId: string, hours: number, counts: Partial<KeyHourOfUse> = {}): KeyHourOfUse => ({
  keyId,
  hourAtMs: hours * HOUR,
  exchanges: 0,
  refreshes: 0,
  denials: 0,
  ...counts,
});

const PROCESSES = 4;
const BATCHES = 10;
const KEYS = 250;
const ADD = `
  const database = openDatabase(url);
  const usage = new SqlUsageStore(database);
  for (let batch = 0; batch < ${BATCHES}; batch += 1) {
    const hours = Array.from({ length: ${KEYS} }, (_, key) => ({
      keyId: 'key_' + ((key * 7 + index * 13) % ${KEYS}), hourAtMs: 0, exchanges: 1, refreshes: 0, denials: 2,
    }));
    // As the recorder does: sent again until it is told that it was written.
    for (;;) {
      try { await usage.add({ id: index + '-' + batch, hours }, 1); break; }
      catch (error) { if (error.name !== 'DependencyUnavailable') throw error; }
    }
  }
  await database.close();
  report(null);`;
const MODULES = { 'db/sql/database.ts': 'openDatabase', 'db/sql/sql-usage-store.ts': 'SqlUsageStore' };

describe.each(sqlDatabases)('UsageStore on $name', ({ open }) => {
  let sql: OpenSqlDatabase;
  let usage: SqlUsageStore;
  beforeEach(async () => {
    sql = await open();
    usage = new SqlUsageStore(sql.database);
  });
  afterEach(() => sql.close());

  it('adds to what is there, for each key and hour', async () => {
    const first = [
      hour('key_b', 1, { exchanges: 3 }),
      hour('key_a', 1, { refreshes: 2 }),
      hour('key_a', 2, { denials: 1 }),
    ];
    await usage.add({ id: 'batch-1', hours: first }, 1);
    await usage.add({ id: 'batch-2', hours: [hour('key_a', 1, { exchanges: 4, refreshes: 5, denials: 6 })] }, 1);
    await usage.add({ id: 'batch-3', hours: [] }, 1);
    expect(await usage.hoursOfKey('key_a', 0, 10 * HOUR)).toEqual([
      { hourAtMs: HOUR, exchanges: 4, refreshes: 7, denials: 6 },
      { hourAtMs: 2 * HOUR, exchanges: 0, refreshes: 0, denials: 1 },
    ]);
    expect(await usage.hoursOfKey('key_a', 2 * HOUR, 3 * HOUR)).toHaveLength(1);
    expect(await usage.hoursOfKey('key_a', HOUR, 2 * HOUR)).toHaveLength(1);
    expect(await usage.hoursOfKey('key_b', 0, 10 * HOUR)).toMatchObject([{ exchanges: 3 }]);
    expect(await usage.hoursOfKey('key_c', 0, 10 * HOUR)).toEqual([]);
  });

  it('counts a batch once, however often it is sent', async () => {
    const batch = { id: 'batch-1', hours: [hour('key_a', 1, { exchanges: 3 })] };
    await usage.add(batch, 1);
    await usage.add(batch, 2);
    expect(await usage.hoursOfKey('key_a', 0, 10 * HOUR)).toMatchObject([{ exchanges: 3 }]);
  });

  it('loses nothing when several processes add at once', async () => {
    await inProcesses(PROCESSES, sql.url, MODULES, ADD);
    const rows = await sql.database.run((knex) => knex('key_usage').select('exchanges', 'denials'));
    expect(rows).toHaveLength(KEYS);
    for (const row of rows) expect(row).toEqual({ exchanges: PROCESSES * BATCHES, denials: 2 * PROCESSES * BATCHES });
  }, 60_000);

  it('keeps ninety days, and not an hour more', async () => {
    const clock = createFakeClock(100 * DAY);
    const ageDays = { kept: 90, old: 90 + 1 / 24 };
    const hours = Object.entries(ageDays).map(([keyId, days]) =>
      hour(keyId, (100 * DAY - days * DAY) / HOUR, { exchanges: 1 }),
    );
    await usage.add({ id: 'batch', hours }, clock.nowMs());
    const deleteOld = deletesOldUsage(usage, clock);
    expect(await deleteOld(5)).toBe(1);
    expect(await sql.database.run((knex) => knex('key_usage').pluck('key_id'))).toEqual(['kept']);
    clock.advance(HOUR);
    expect(await deleteOld(5)).toBe(1);
  });

  it('deletes what is older than it is kept, an hour at a time', async () => {
    const hours = [1, 2, 3].flatMap((at) =>
      ['key_a', 'key_b', 'key_c'].map((keyId) => hour(keyId, at, { exchanges: 1 })),
    );
    await usage.add({ id: 'old', hours }, 100);
    await usage.add({ id: 'new', hours: [] }, 200);
    expect(await usage.deleteBefore(3 * HOUR, 200, 2)).toBe(2);
    expect(await sql.database.run((knex) => knex('usage_batches').pluck('id'))).toEqual(['new']);
    expect(await usage.deleteBefore(3 * HOUR, 200, 2)).toBe(1);
    expect(await usage.deleteBefore(3 * HOUR, 200, 5)).toBe(3);
    expect(await usage.deleteBefore(3 * HOUR, 200, 5)).toBe(0);
    const left = await sql.database.run((knex) => knex('key_usage').orderBy('key_id').pluck('key_id'));
    expect(left).toEqual(['key_a', 'key_b', 'key_c']);
  });
});
