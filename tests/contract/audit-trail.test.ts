import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AuditTrail } from '../../db/sql/audit-trail.ts';
import { SqlAuditEventStore } from '../../db/sql/sql-audit-event-store.ts';
import { verifyAuditChain } from '../../db/sql/verify-audit-chain.ts';
import { newAuditEvent } from '../../server/audit/audit-event.ts';
import { inProcesses, type OpenSqlDatabase, sqlDatabases } from '../support/sql-databases.ts';

const firstKey = { id: 'aaaaaaaa', key: randomBytes(32) };
const secondKey = { id: 'bbbbbbbb', key: randomBytes(32) };

const newEvent = (objectId: string, createdAtMs = 1_800_000_000_000) =>
  newAuditEvent(
    { nowMs: () => createdAtMs },
    'api_key.updated',
    { actorId: 'usr_1', ip: '203.0.113.7', requestId: 'request-1' },
    { projectId: 'prj_1', objectId, detail: { before: { name: 'ä "quoted" 🔑' }, after: { name: 'b' } } },
  );

const PROCESSES = 4;
const APPENDS = 20;
const MODULES = {
  'db/sql/database.ts': 'openDatabase',
  'db/sql/audit-trail.ts': 'AuditTrail',
  'db/sql/sql-audit-event-store.ts': 'SqlAuditEventStore',
  'db/sql/sql-change-store.ts': 'recordChange',
  'server/audit/audit-event.ts': 'newAuditEvent, KEYTURN_ITSELF',
};
/** As a management write does: a row, the event, the change; and beside it a batch as of security events. */
const APPEND = `
  const database = openDatabase(url);
  const trail = new AuditTrail(() => [{ id: 'aaaaaaaa', key: Buffer.from('${firstKey.key.toString('base64')}', 'base64') }]);
  const store = new SqlAuditEventStore(database, trail);
  const event = (objectId) =>
    newAuditEvent({ nowMs: Date.now }, 'api_key.updated', KEYTURN_ITSELF, { projectId: 'prj_1', objectId });
  let stored = 0;
  const kept = async (promise) => promise.then((count) => { stored += count; }, () => {});
  for (let done = 0; done < ${APPENDS}; done += 1) {
    await kept(database.transaction(async (trx) => {
      await trail.append(trx, [event('write-' + index + '-' + done)]);
      await recordChange(trx, 'key_' + index);
      return 1;
    }));
    await kept(store.append([event('a-' + index + '-' + done), event('b-' + index + '-' + done)]).then(() => 2));
  }
  await database.close();
  report(stored);`;

describe.each(sqlDatabases)('audit trail on $name', ({ open }) => {
  let sql: OpenSqlDatabase;
  let store: SqlAuditEventStore;

  const trailOf = (...keys: (typeof firstKey)[]) => new AuditTrail(() => keys);
  const verify = (keys = [firstKey], earlierHead?: { sequence: number; mac: string }) =>
    verifyAuditChain(sql.database, trailOf(...keys), earlierHead);
  const append = async (count: number, prefix = 'key', keys = [firstKey]) => {
    const events = Array.from({ length: count }, (_, index) => newEvent(`${prefix}_${index}`));
    await new SqlAuditEventStore(sql.database, trailOf(...keys)).append(events);
  };
  const rows = () => sql.database.run((knex) => knex('audit_events'));

  beforeEach(async () => {
    sql = await open();
    store = new SqlAuditEventStore(sql.database, trailOf(firstKey));
  });
  afterEach(() => sql.close());

  it('numbers events without gaps and chains them, whoever appends at once', async () => {
    const stored = await inProcesses<number>(PROCESSES, sql.url, MODULES, APPEND);
    const total = stored.reduce((sum, count) => sum + count, 0);
    // Who waits for a lock for too long is refused; most are not.
    expect(total).toBeGreaterThan(PROCESSES * APPENDS);
    const sequences = await sql.database.run((knex) => knex('audit_events').orderBy('sequence').pluck('sequence'));
    expect(sequences.length).toBeGreaterThanOrEqual(total);
    expect(sequences).toEqual(sequences.map((_: number, index: number) => index + 1));
    expect(await verify()).toMatchObject({ fault: null, verifiedCount: sequences.length });
  }, 60_000);

  it('is whole when it is empty, over several pages and under a master key that has been rotated', async () => {
    expect(await verify()).toEqual({
      fault: null,
      verifiedCount: 0,
      unchainedCount: 0,
      head: { sequence: 0, mac: '' },
    });
    await append(399);
    await append(3, 'later', [secondKey, firstKey]);
    const { mac } = await sql.database.run((knex) => knex('audit_events').where({ sequence: 402 }).first('mac'));
    expect(await verify([secondKey, firstKey])).toEqual({
      fault: null,
      verifiedCount: 402,
      unchainedCount: 0,
      head: { sequence: 402, mac },
    });
    expect((await verify([firstKey])).fault).toMatchObject({ kind: 'key_unknown', sequence: 400 });
  });

  it.each<[string, { kind: string; sequence: number | null }, (sql: OpenSqlDatabase) => Promise<unknown>]>([
    ...(['type', 'project_id', 'actor_id', 'object_id', 'ip', 'request_id', 'detail', 'created_at_ms'] as const).map(
      (column): [string, { kind: string; sequence: number }, (sql: OpenSqlDatabase) => Promise<unknown>] => [
        `an edited ${column}`,
        { kind: 'changed', sequence: 3 },
        ({ database }) =>
          database.run((knex) =>
            knex('audit_events')
              .where({ sequence: 3 })
              .update({ [column]: column === 'created_at_ms' ? 7 : '{}' }),
          ),
      ],
    ),
    [
      'an address that was taken away',
      { kind: 'changed', sequence: 2 },
      ({ database }) => database.run((knex) => knex('audit_events').where({ sequence: 2 }).update({ ip: null })),
    ],
    [
      'a deleted event',
      { kind: 'missing', sequence: 3 },
      ({ database }) => database.run((knex) => knex('audit_events').where({ sequence: 3 }).delete()),
    ],
    [
      'the first event deleted',
      { kind: 'missing', sequence: 1 },
      ({ database }) => database.run((knex) => knex('audit_events').where({ sequence: 1 }).delete()),
    ],
    [
      'two that changed places',
      { kind: 'changed', sequence: 2 },
      ({ database }) =>
        database.run(async (knex) => {
          await knex('audit_events').where({ sequence: 2 }).update({ sequence: 99 });
          await knex('audit_events').where({ sequence: 3 }).update({ sequence: 2 });
          await knex('audit_events').where({ sequence: 99 }).update({ sequence: 3 });
        }),
    ],
    [
      'one deleted and those after it moved up',
      { kind: 'changed', sequence: 3 },
      ({ database }) =>
        database.run(async (knex) => {
          await knex('audit_events').where({ sequence: 3 }).delete();
          await knex('audit_events').where('sequence', '>', 3).decrement('sequence', 1);
          await knex('audit_chain').decrement('sequence', 1);
        }),
    ],
    ['a copy under the same number', { kind: 'inserted', sequence: 4 }, (of) => copyOf(of, 4, {})],
    ['one after the end', { kind: 'inserted', sequence: 6 }, (of) => copyOf(of, 4, { sequence: 6 })],
    ['one before the beginning', { kind: 'inserted', sequence: 0 }, (of) => copyOf(of, 4, { sequence: 0 })],
    [
      'one without a number, long after the chain began',
      { kind: 'inserted', sequence: null },
      (of) => copyOf(of, 4, { sequence: null, mac: null, created_at_ms: 1_800_090_000_000 }),
    ],
    [
      'the end deleted',
      { kind: 'end_missing', sequence: 4 },
      ({ database }) => database.run((knex) => knex('audit_events').where('sequence', '>', 3).delete()),
    ],
  ])('finds %s', async (_, fault, tamper) => {
    await append(5);
    expect((await verify()).fault).toBeNull();
    await tamper(sql);
    expect((await verify()).fault).toMatchObject(fault);
  });

  it('finds an end that was cut off together with its record only by a head of before', async () => {
    await append(5);
    const { head } = await verify();
    await append(2, 'later');
    expect((await verify([firstKey], head)).fault).toBeNull();
    await sql.database.run(async (knex) => {
      await knex('audit_events').where('sequence', '>', 4).delete();
      const { sequence, mac } = await knex('audit_events').where({ sequence: 4 }).first();
      await knex('audit_chain').update({ sequence, mac });
    });
    expect((await verify()).fault).toBeNull();
    expect((await verify([firstKey], head)).fault).toMatchObject({ kind: 'end_missing', sequence: 5 });
    // Others in their place.
    await append(3, 'forged');
    expect((await verify()).fault).toBeNull();
    expect((await verify([firstKey], head)).fault).toMatchObject({ kind: 'anchor_changed', sequence: 5 });
  });

  it('counts events of before the chain, and those of an older version during an update', async () => {
    const bare = { sequence: null, mac: null };
    await append(1);
    await copyOf(sql, 1, { ...bare, created_at_ms: 1 });
    await copyOf(sql, 1, { ...bare, created_at_ms: 1_800_000_060_000 });
    expect(await verify()).toMatchObject({ fault: null, verifiedCount: 1, unchainedCount: 2 });
  });

  it('stores all events of a write or none', async () => {
    const event = newEvent('key_1');
    const failing = sql.database.transaction(async (trx) => {
      await trailOf(firstKey).append(trx, [event]);
      throw new Error('the write failed');
    });
    await expect(failing).rejects.toThrow('the write failed');
    expect(await rows()).toEqual([]);
    await store.append([event]);
    expect(await verify()).toMatchObject({ fault: null, verifiedCount: 1 });
  });
});

/** A row like another, put there by hand. */
async function copyOf({ database }: OpenSqlDatabase, sequence: number, changes: object): Promise<void> {
  await database.run(async (knex) => {
    const row = await knex('audit_events').where({ sequence }).first();
    const { count } = (await knex('audit_events').count({ count: '*' }).first()) as { count: number };
    await knex('audit_events').insert({ ...row, id: `evt_z${count}`, ...changes });
  });
}
