import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuditTrail } from '../../db/sql/audit-trail.ts';
import { SqlAuditEventStore } from '../../db/sql/sql-audit-event-store.ts';
import type { AuditEvent, AuditEventFilter } from '../../server/audit/audit-event.ts';
import type { PageRequest } from '../../server/page.ts';
import { type OpenSqlDatabase, sqlDatabases } from '../support/sql-databases.ts';

const BEGAN_AT_MS = 1_763_652_000_000;

const newest: PageRequest<'created_at'> = { limit: 50, sort: 'created_at', isDescending: true, after: null };

let madeCount = 0;

function anEvent(changes: Partial<AuditEvent> = {}): AuditEvent {
  madeCount += 1;
  return {
    id: `evt_${String(madeCount).padStart(6, '0')}`,
    type: 'refresh_token.reused',
    projectId: 'prj_1',
    actorId: null,
    objectId: 'ses_1',
    ip: '2001:db8::1',
    requestId: 'req-1',
    detail: { spent: 3, rotated_by: '203.0.113.9', name: 'a "quoted" 🔑', known: true, none: null, list: ['a'] },
    createdAtMs: BEGAN_AT_MS + madeCount,
    ...changes,
  };
}

describe.each(sqlDatabases)('AuditEventStore on $name', ({ open }) => {
  let sql: OpenSqlDatabase;
  let store: SqlAuditEventStore;
  const key = { id: 'aaaaaaaa', key: randomBytes(32) };
  beforeAll(async () => {
    sql = await open();
    store = new SqlAuditEventStore(sql.database, new AuditTrail(() => [key]));
  });
  afterAll(() => sql.close());

  const list = async (filter: Partial<AuditEventFilter>, request = newest) =>
    (await store.list({ projectId: 'prj_1', ...filter }, request)).items;

  it('gives events back as they were, those of no project apart', async () => {
    const event = anEvent({ objectId: 'ses_whole' });
    const bare = anEvent({ projectId: null, ip: null, requestId: null, detail: {}, objectId: 'ses_whole' });
    await store.append([event, bare]);
    expect(await list({ objectId: 'ses_whole' })).toEqual([{ ...event, sequence: expect.any(Number) }]);
    expect(await list({ projectId: null, objectId: 'ses_whole' })).toEqual([{ ...bare, sequence: expect.any(Number) }]);
  });

  it('stores an event once, however often it is sent, and never writes over one', async () => {
    const [first, second] = [anEvent({ objectId: 'ses_once' }), anEvent({ objectId: 'ses_once' })];
    await store.append([first]);
    await store.append([{ ...first, detail: { forged: true } }, second]);
    const stored = await list({ objectId: 'ses_once' });
    expect(stored.map(({ id, detail }) => ({ id, detail }))).toEqual([
      { id: second.id, detail: second.detail },
      { id: first.id, detail: first.detail },
    ]);
  });

  it('takes what a whole catalog was before and after', async () => {
    const large = { before: 'ä'.repeat(40_000), after: '🔑'.repeat(30_000) };
    const event = anEvent({ objectId: 'prj_large', detail: large });
    await store.append([event]);
    expect((await list({ objectId: 'prj_large' }))[0]?.detail).toEqual(large);
  });

  it('filters by each and all, and pages in order of time, to and fro', async () => {
    const project = 'prj_filtered';
    const events = Array.from({ length: 60 }, (_, index) =>
      anEvent({
        projectId: project,
        actorId: ['usr_1', 'key_1', null][index % 3] ?? null,
        objectId: `key_${index % 4}`,
        type: index % 2 === 0 ? 'api_key.updated' : 'api_key.denied',
        ip: index % 5 === 0 ? '203.0.113.5' : null,
        // Several in one millisecond.
        createdAtMs: BEGAN_AT_MS + Math.floor(index / 4),
      }),
    );
    await store.append(events);
    const filters: Partial<AuditEventFilter>[] = [
      {},
      { actorId: 'usr_1' },
      { objectId: 'key_3' },
      { type: 'api_key.denied' },
      { ip: '203.0.113.5' },
      { sinceMs: BEGAN_AT_MS + 3, untilMs: BEGAN_AT_MS + 9 },
      { actorId: 'key_1', objectId: 'key_2', type: 'api_key.updated', sinceMs: BEGAN_AT_MS + 1 },
    ];
    for (const filter of filters) {
      const { sinceMs = 0, untilMs = Infinity, ...equal } = filter;
      const expected = events.filter(
        (event) =>
          event.createdAtMs >= sinceMs &&
          event.createdAtMs < untilMs &&
          Object.entries(equal).every(([name, value]) => event[name as keyof AuditEvent] === value),
      );
      expect(expected.length).toBeGreaterThan(0);
      for (const isDescending of [false, true]) {
        const found: string[] = [];
        let after: PageRequest['after'] = null;
        do {
          const page = await store.list(
            { projectId: project, ...filter },
            { ...newest, limit: 7, isDescending, after },
          );
          expect(page).toMatchObject({ totalCount: expected.length, exceedsTotalCount: false });
          found.push(...page.items.map(({ id }) => id));
          after = page.next;
        } while (after !== null);
        const ids = expected.map(({ id }) => id);
        expect(found).toEqual(isDescending ? ids.toReversed() : ids);
      }
    }
  });
});
