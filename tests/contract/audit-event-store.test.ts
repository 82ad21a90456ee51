import { describe, expect, it } from '@jest/globals';
import { SqlAuditEventStore } from '../../db/sql/sql-audit-event-store.ts';
import type { AuditEvent } from '../../server/audit/audit-event.ts';
import { sqlDatabases } from '../support/sql-databases.ts';

const event: AuditEvent = {
  id: 'evt_1',
  type: 'refresh_token.reused',
  projectId: 'prj_1',
  actorId: null,
  objectId: 'ses_1',
  ip: '2001:db8::1',
  requestId: 'req-1',
  detail: { spent: 3, rotated_by: '203.0.113.9', name: 'a "quoted" 🔑', known: true, none: null },
  createdAtMs: 1_763_652_000_123,
};

describe.each(sqlDatabases)('AuditEventStore on $name', ({ open }) => {
  it('appends events as they are and never writes over one', async () => {
    const sql = await open();
    const store = new SqlAuditEventStore(sql.database);
    const bare = { ...event, id: 'evt_2', projectId: null, ip: null, requestId: null, detail: {} };
    await store.append(event);
    await store.append(bare);
    await expect(store.append({ ...event, objectId: 'ses_forged' })).rejects.toThrow(
      'the database driver refused a statement',
    );

    const rows = await sql.database.run((knex) => knex('audit_events').orderBy('id'));
    expect(rows).toEqual([
      {
        id: 'evt_1',
        type: 'refresh_token.reused',
        project_id: 'prj_1',
        actor_id: null,
        object_id: 'ses_1',
        ip: '2001:db8::1',
        request_id: 'req-1',
        detail: JSON.stringify(event.detail),
        created_at_ms: 1_763_652_000_123,
      },
      expect.objectContaining({ id: 'evt_2', project_id: null, ip: null, request_id: null, detail: '{}' }),
    ]);
    await sql.close();
  });
});
