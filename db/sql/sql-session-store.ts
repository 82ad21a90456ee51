import type { Knex } from 'knex';
import { decideRotation } from '../../server/sessions/decide-rotation.ts';
import type { Session } from '../../server/sessions/session.ts';
import type {
  NewSession,
  RotationAttempt,
  RotationResult,
  SessionPage,
  SessionStore,
} from '../../server/sessions/session-store.ts';
import type { Database } from './database.ts';
import { isUniqueViolation, unavailable } from './database-error.ts';
import { countUpTo } from './read-page.ts';
import { readSessionCursor, type SessionRow, toListedSession, toSession } from './session-row.ts';

/** Each lost race means that another attempt changed the row; more than a few in one call is no race any more. */
const MAX_LOST_RACES = 8;

type LiveRow = SessionRow & { readonly now_ms: number };

/** A new statement on the table, on the connection of the call. */
type Sessions = () => Knex.QueryBuilder;

/** Sessions in SQL, for installations without Redis. Time is the database's own. */
export class SqlSessionStore implements SessionStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async begin(session: NewSession): Promise<void> {
    const { nowMsSql } = this.#database;
    const { grant, sessionMaxSeconds } = session;
    const lifeMs = session.refreshTokenSeconds * 1000;
    const maxMs = sessionMaxSeconds === null ? null : sessionMaxSeconds * 1000;
    await this.#database.run(async (knex) => {
      try {
        await knex('sessions').insert({
          id: session.id,
          key_id: session.keyId,
          secret_version: session.secretVersion,
          generation: 1,
          attempt_id: session.attemptId,
          rotated_at_ms: this.#database.nowMs,
          expires_at_ms: knex.raw(`${nowMsSql} + ?`, [maxMs === null ? lifeMs : Math.min(lifeMs, maxMs)]),
          ends_at_ms: maxMs === null ? null : knex.raw(`${nowMsSql} + ?`, [maxMs]),
          last_ip: session.ip,
          permissions: grant.permissions && JSON.stringify(grant.permissions),
          permission_set: grant.permissionSet,
          resource: grant.resource,
        });
      } catch (error) {
        // Sent twice. Every unique constraint of the table has the id in it.
        if (!isUniqueViolation(error)) throw error;
      }
    });
  }

  async find(sessionId: string): Promise<Session | null> {
    const row = await this.#database.run((knex) => this.#readLive(knex('sessions'), sessionId));
    return row && toSession(row);
  }

  /**
   * What decides is one statement: an UPDATE that names the generation it replaces, so of any number of attempts one
   * finds it. The read before gives the answer its unchanging parts and tells spent tokens apart; an attempt that loses
   * the race after its read sees no row changed, and reads again.
   */
  rotate(attempt: RotationAttempt): Promise<RotationResult> {
    return this.#database.runOnOneConnection(async (table) => {
      const sessions = () => table('sessions');
      for (let lostRaces = 0; lostRaces < MAX_LOST_RACES; lostRaces++) {
        const row = await this.#readLive(sessions(), attempt.sessionId);
        if (!row) return { outcome: 'not_found' };
        const result = await this.#apply(sessions, row, attempt);
        if (result) return result;
      }
      throw unavailable('ROTATION_CONTENTION');
    });
  }

  /** The newest first. */
  async listOfKey(keyId: string, { limit, cursor }: { limit: number; cursor: string | null }): Promise<SessionPage> {
    const beforeId = cursor === null ? null : readSessionCursor(cursor);
    return this.#database.run(async (knex) => {
      const live = () => knex('sessions').where({ key_id: keyId }).where('expires_at_ms', '>', this.#database.nowMs);
      const page = live().orderBy('id', 'desc');
      if (beforeId !== null) page.where('id', '<', beforeId);
      // One more than asked for tells whether there is a next page.
      const rows: SessionRow[] = await page.limit(limit + 1);
      const shown = rows.slice(0, limit);
      const nextCursor = rows.length > limit ? (shown.at(-1)?.id ?? null) : null;
      return { sessions: shown.map(toListedSession), nextCursor, ...(await countUpTo(knex, live().select('id'))) };
    });
  }

  async revoke(sessionId: string): Promise<boolean> {
    return (await this.#database.run((knex) => knex('sessions').where({ id: sessionId }).delete())) > 0;
  }

  ping(): Promise<void> {
    return this.#database.ping();
  }

  /**
   * Removes sessions that have expired, oldest first: they are dead to every other method already.
   *
   * @param limit the most rows to remove in this call
   * @returns how many were removed; as many as `limit` means there may be more
   */
  deleteExpired(limit: number): Promise<number> {
    return this.#database.run(async (knex) => {
      const expired = () => knex('sessions').where('expires_at_ms', '<=', this.#database.nowMs);
      const ids: string[] = await expired().orderBy('expires_at_ms').limit(limit).pluck('id');
      // Not one DELETE with a subquery: MySQL and MariaDB would scan the whole table for it.
      return ids.length === 0 ? 0 : expired().whereIn('id', ids).delete();
    });
  }

  async #readLive(sessions: Knex.QueryBuilder, sessionId: string): Promise<LiveRow | null> {
    const { nowMs } = this.#database;
    const row = await sessions
      .where({ id: sessionId })
      .where('expires_at_ms', '>', nowMs)
      .first('sessions.*', { now_ms: nowMs });
    return row ?? null;
  }

  /** Null when the row changed under the attempt. */
  async #apply(sessions: Sessions, row: LiveRow, attempt: RotationAttempt): Promise<RotationResult | null> {
    const session = toSession(row);
    const decision = decideRotation(session, attempt, row.now_ms);
    switch (decision) {
      case 'rotate':
        return this.#advance(sessions, row, attempt);
      case 'repeat':
        return served('rotated', row);
      case 'retry':
        return served('retried', row);
      case 'reuse':
      case 'rollback': {
        // Of parallel attempts one deletes the row and tells of it; to the others the session is not there. A rollback
        // holds only for the very row that was read: on a replicating cluster that read may have been behind.
        const condemned = decision === 'reuse' ? { id: row.id } : { id: row.id, generation: row.generation };
        const isDeleted = (await sessions().where(condemned).delete()) > 0;
        return isDeleted ? { outcome: decision === 'reuse' ? 'reused' : 'rolled_back', session } : null;
      }
    }
  }

  async #advance(sessions: Sessions, row: LiveRow, attempt: RotationAttempt): Promise<RotationResult | null> {
    const expiresAtMs = row.now_ms + attempt.refreshTokenSeconds * 1000;
    const successor = {
      generation: row.generation + 1,
      attempt_id: attempt.attemptId,
      rotated_at_ms: row.now_ms,
      expires_at_ms: row.ends_at_ms === null ? expiresAtMs : Math.min(expiresAtMs, row.ends_at_ms),
      last_ip: attempt.ip,
    };
    const changedCount = await sessions()
      .where({ id: row.id, generation: attempt.generation })
      .where('expires_at_ms', '>', this.#database.nowMs)
      .update(successor);
    return changedCount === 1 ? served('rotated', { ...row, ...successor }) : null;
  }
}

function served(outcome: 'rotated' | 'retried', row: LiveRow): RotationResult {
  return {
    outcome,
    session: toSession(row),
    refreshTokenExpiresInSeconds: remainingSeconds(row.expires_at_ms, row.now_ms),
    sessionEndsInSeconds: row.ends_at_ms === null ? null : remainingSeconds(row.ends_at_ms, row.now_ms),
  };
}

function remainingSeconds(atMs: number, nowMs: number): number {
  return Math.max(0, Math.floor((atMs - nowMs) / 1000));
}
