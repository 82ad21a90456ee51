/** `/v1/projects/{project}/keys/{key}/sessions`. */
import { z } from 'zod';
import type { ApiKeyStore } from '../../api-keys/api-key-store.ts';
import type { AuditLog } from '../../audit/audit-log.ts';
import type { ListedSession, SessionStore } from '../../sessions/session-store.ts';
import { typeIdTimeMs } from '../../type-id.ts';
import { toTime } from '../instant.ts';
import { listQuery, listSchema, selectFields } from '../list-query.ts';
import { type Operation, projectOperation } from '../operation.ts';
import { Problem } from '../problem.ts';

const tag = 'API keys';
const resource = 'session';
const COLLECTION = '/projects/{project}/keys/{key}/sessions';

const sessionSchema = z
  .object({
    id: z.string(),
    created_at: z.iso.datetime().meta({ description: 'When the API key was exchanged' }),
    last_refreshed_at: z.iso.datetime().nullable().meta({ description: 'Null: never' }),
    generation: z.int().meta({ description: 'Of the newest refresh token, from 1' }),
    ip: z.string().nullable().meta({ description: 'Address that the newest refresh token was given to' }),
    expires_at: z.iso.datetime().nullable().meta({
      description: 'End of the newest refresh token; null where somebody has taken it from the record in Redis',
    }),
    ends_at: z.iso.datetime().nullable().meta({ description: 'Absolute end; null: as long as it is refreshed' }),
  })
  .meta({ id: 'Session' });

/** What the stores can be asked for. */
const SESSION_ID = /^ses_[0-9a-z]{26}$/;

const toTimeOrNull = (atMs: number | null): string | null => (atMs === null ? null : toTime(atMs));

function toJson({ id, lastRefreshedAtMs, generation, lastIp, expiresAtMs, endsAtMs }: ListedSession) {
  return {
    id,
    created_at: toTime(typeIdTimeMs(id)),
    last_refreshed_at: toTimeOrNull(lastRefreshedAtMs),
    generation,
    ip: lastIp,
    expires_at: toTimeOrNull(expiresAtMs),
    ends_at: toTimeOrNull(endsAtMs),
  };
}

export function createKeySessionOperations({
  apiKeys,
  sessions,
  audit,
}: {
  readonly apiKeys: Pick<ApiKeyStore, 'findInProject'>;
  readonly sessions: Pick<SessionStore, 'listOfKey' | 'find' | 'revoke'>;
  readonly audit: Pick<AuditLog, 'recordNow'>;
}): readonly Operation[] {
  async function keyIdOf(projectId: string, params: Readonly<Record<string, string>>): Promise<string> {
    const key = await apiKeys.findInProject(projectId, params['key'] ?? '');
    if (key === null) throw new Problem('not_found', 'no such API key in this project');
    return key.id;
  }

  const list = projectOperation({
    id: 'listSessions',
    method: 'GET',
    path: COLLECTION,
    tag,
    summary: 'List the live sessions of an API key',
    description:
      'With sessions in Redis, which keeps no index of them, each request walks a part of them all: a page may be short or ' +
      'empty and still have a next_cursor; total_count is then what this page found, in no order.',
    action: 'read',
    resource,
    query: listQuery(['created_at'], {}).omit({ sort: true }),
    answers: { 200: listSchema(sessionSchema) },
    async handle({ params, query }, { project }) {
      const { limit, cursor = null, fields } = query;
      const page = await sessions.listOfKey(await keyIdOf(project.id, params), { limit, cursor });
      return {
        status: 200,
        body: {
          data: page.sessions.map((session) => selectFields(toJson(session), fields)),
          next_cursor: page.nextCursor,
          total_count: page.totalCount,
          exceeds_total_count: page.exceedsTotalCount,
        },
      };
    },
  });

  const revoke = projectOperation({
    id: 'revokeSession',
    method: 'DELETE',
    path: `${COLLECTION}/{session}`,
    tag,
    summary: 'End a session: its refresh token is good no more',
    description: 'An access token that is out already lives to its end.',
    action: 'delete',
    resource,
    answers: { 204: null },
    async handle({ params }, { project, actor }) {
      const keyId = await keyIdOf(project.id, params);
      const id = params['session'] ?? '';
      const session = SESSION_ID.test(id) ? await sessions.find(id) : null;
      // Of two who end it at once one has ended it.
      if (session?.keyId !== keyId || !(await sessions.revoke(session.id)))
        throw new Problem('not_found', 'no such session of this API key');
      const detail = { key_id: keyId, generation: session.generation };
      await audit.recordNow('session.revoked', actor, { projectId: project.id, objectId: session.id, detail });
      return { status: 204 };
    },
  });

  return [list, revoke];
}
