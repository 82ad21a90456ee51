import type { Knex } from 'knex';
import type {
  AuditEvent,
  AuditEventFilter,
  AuditEventStore,
  StoredAuditEvent,
} from '../../server/audit/audit-event.ts';
import type { Page, PageRequest } from '../../server/page.ts';
import type { AuditTrail, ChainedRow } from './audit-trail.ts';
import type { Database } from './database.ts';
import { readPage } from './read-page.ts';

type AuditEventRow = Omit<ChainedRow, 'sequence'> & { readonly sequence: number | null };

// Ids of one process sort by creation, so that two events of one millisecond keep their order.
const COLUMNS = { id: 'audit_events.id', sorts: { created_at: 'audit_events.created_at_ms' } };

export class SqlAuditEventStore implements AuditEventStore {
  readonly #database: Database;
  readonly #trail: AuditTrail;

  constructor(database: Database, trail: AuditTrail) {
    this.#database = database;
    this.#trail = trail;
  }

  append(events: readonly AuditEvent[]): Promise<void> {
    return this.#database.transaction(async (trx) => {
      // First: a look at the rows before the lock would be a snapshot, after which nothing newer may be written.
      await this.#trail.lock(trx);
      const ids = events.map(({ id }) => id);
      const stored = new Set<string>(await trx('audit_events').whereIn('id', ids).pluck('id'));
      await this.#trail.append(
        trx,
        events.filter(({ id }) => !stored.has(id)),
      );
    });
  }

  list(filter: AuditEventFilter, request: PageRequest<'created_at'>): Promise<Page<StoredAuditEvent>> {
    return this.#database.run((knex) => {
      const query = knex('audit_events').where((builder) => whereMatching(builder, filter));
      return readPage(knex, query, { columns: COLUMNS, request, select: 'audit_events.*', toItem: toEvent });
    });
  }
}

function whereMatching(builder: Knex.QueryBuilder, filter: AuditEventFilter): void {
  const { projectId, actorId, objectId, type, ip, sinceMs, untilMs } = filter;
  builder.where({ project_id: projectId });
  if (actorId !== undefined) builder.where({ actor_id: actorId });
  if (objectId !== undefined) builder.where({ object_id: objectId });
  if (type !== undefined) builder.where({ type });
  if (ip !== undefined) builder.where({ ip });
  if (sinceMs !== undefined) builder.where('created_at_ms', '>=', sinceMs);
  if (untilMs !== undefined) builder.where('created_at_ms', '<', untilMs);
}

function toEvent(row: AuditEventRow): StoredAuditEvent {
  return {
    id: row.id,
    type: row.type as AuditEvent['type'],
    projectId: row.project_id,
    actorId: row.actor_id,
    objectId: row.object_id,
    ip: row.ip,
    requestId: row.request_id,
    detail: JSON.parse(row.detail),
    createdAtMs: row.created_at_ms,
    sequence: row.sequence,
  };
}
