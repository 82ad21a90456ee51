import type { AuditEvent, AuditEventStore } from '../../server/audit/audit-event.ts';
import type { Database } from './database.ts';

export class SqlAuditEventStore implements AuditEventStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async append(event: AuditEvent): Promise<void> {
    await this.#database.run((knex) =>
      knex('audit_events').insert({
        id: event.id,
        type: event.type,
        project_id: event.projectId,
        actor_id: event.actorId,
        object_id: event.objectId,
        ip: event.ip,
        request_id: event.requestId,
        detail: JSON.stringify(event.detail),
        created_at_ms: event.createdAtMs,
      }),
    );
  }
}
