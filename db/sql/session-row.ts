import type { Session } from '../../server/sessions/session.ts';
import { InvalidSessionCursor, type ListedSession } from '../../server/sessions/session-store.ts';

export interface SessionRow {
  readonly id: string;
  readonly key_id: string;
  readonly secret_version: number;
  readonly generation: number;
  readonly attempt_id: string;
  readonly rotated_at_ms: number;
  readonly expires_at_ms: number;
  readonly ends_at_ms: number | null;
  readonly last_ip: string | null;
  readonly permissions: string | null;
  readonly permission_set: string | null;
  readonly resource: string | null;
}

export function toSession(row: SessionRow): Session {
  return {
    id: row.id,
    keyId: row.key_id,
    secretVersion: row.secret_version,
    generation: row.generation,
    attemptId: row.attempt_id,
    rotatedAtMs: row.rotated_at_ms,
    endsAtMs: row.ends_at_ms,
    lastIp: row.last_ip,
    grant: {
      permissions: row.permissions === null ? null : JSON.parse(row.permissions),
      permissionSet: row.permission_set,
      resource: row.resource,
    },
  };
}

export function toListedSession(row: SessionRow): ListedSession {
  return {
    id: row.id,
    generation: row.generation,
    lastIp: row.last_ip,
    lastRefreshedAtMs: row.generation === 1 ? null : row.rotated_at_ms,
    expiresAtMs: row.expires_at_ms,
    endsAtMs: row.ends_at_ms,
  };
}

/** The id that the page before ended with. Throws {@link InvalidSessionCursor}. */
export function readSessionCursor(cursor: string): string {
  if (!/^ses_[0-9a-hjkmnp-tv-z]{26}$/.test(cursor)) throw new InvalidSessionCursor();
  return cursor;
}
