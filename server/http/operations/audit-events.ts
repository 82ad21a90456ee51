/** `/v1/projects/{project}/audit-events`, and `/v1/audit-events` for what belongs to no project. */
import { z } from 'zod';
import { AUDIT_EVENT_TYPES, type AuditEventStore, type StoredAuditEvent } from '../../audit/audit-event.ts';
import { instant, toTime } from '../instant.ts';
import { listAnswer, listQuery, listSchema, toPageRequest } from '../list-query.ts';
import { type Answer, installationOperation, type Operation, projectOperation } from '../operation.ts';

const tag = 'Audit events';
const resource = 'audit-event';
const id = z.string().max(64);

const auditEventSchema = z
  .object({
    id: z.string(),
    type: z.enum(AUDIT_EVENT_TYPES).meta({ id: 'AuditEventType' }),
    project_id: z.string().nullable(),
    actor_id: z.string().nullable().meta({
      description: 'The API key or user that acted; null for Keyturn itself, and for whoever has proven nothing',
    }),
    object_id: z.string(),
    ip: z.string().nullable(),
    request_id: z.string().nullable(),
    detail: z.record(z.string(), z.unknown()).meta({
      description: 'What is to be known beside that; of an edit `before` and `after` of what changed. Never a secret',
    }),
    created_at: z.iso.datetime(),
    sequence: z.int().nullable().meta({ description: 'Place in the chain; null for events of before there was one' }),
  })
  .meta({ id: 'AuditEvent' });

const querySchema = listQuery(
  ['created_at'],
  {
    actor_id: id.optional().meta({ description: 'Who acted: `key_…` or `usr_…`' }),
    object_id: id.optional().meta({ description: 'What it was done to' }),
    type: z.enum(AUDIT_EVENT_TYPES, 'is no type of event').optional().meta({ description: 'Of events' }),
    ip: z.string().max(64).optional().meta({ description: 'From which address, as events show it' }),
    since: instant.optional().meta({ description: 'Included' }),
    until: instant.optional().meta({ description: 'Excluded' }),
  },
  '-created_at',
);

function toJson(event: StoredAuditEvent) {
  return {
    id: event.id,
    type: event.type,
    project_id: event.projectId,
    actor_id: event.actorId,
    object_id: event.objectId,
    ip: event.ip,
    request_id: event.requestId,
    detail: event.detail,
    created_at: toTime(event.createdAtMs),
    sequence: event.sequence,
  };
}

export function createAuditEventOperations({
  auditEvents,
}: {
  readonly auditEvents: Pick<AuditEventStore, 'list'>;
}): readonly Operation[] {
  async function list(projectId: string | null, query: z.output<typeof querySchema>): Promise<Answer> {
    const { actor_id: actorId, object_id: objectId, type, ip, since: sinceMs, until: untilMs } = query;
    const filter = { projectId, actorId, objectId, type, ip, sinceMs, untilMs };
    return listAnswer(await auditEvents.list(filter, toPageRequest(query)), query, toJson);
  }

  const answers = { 200: listSchema(auditEventSchema) };
  const shared = { method: 'GET', tag, action: 'read', resource, query: querySchema, answers } as const;
  return [
    projectOperation({
      ...shared,
      id: 'listAuditEvents',
      path: '/projects/{project}/audit-events',
      summary: 'List who did what in a project, the newest first',
      handle: ({ query }, { project }) => list(project.id, query),
    }),
    installationOperation({
      ...shared,
      id: 'listInstallationAuditEvents',
      path: '/audit-events',
      summary: 'List what happened outside of any project, the newest first',
      description: 'Users, signing keys, and projects that are gone have no project any more.',
      handle: ({ query }) => list(null, query),
    }),
  ];
}
