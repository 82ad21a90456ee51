import type { AuditEvent } from '../../server/audit/audit-event.ts';
import { type ConsoleSession, idleSinceMs } from '../../server/users/console-session.ts';
import type { ConsoleSessionStore } from '../../server/users/console-session-store.ts';
import type { Account } from '../../server/users/user.ts';
import type { AuditTrail } from './audit-trail.ts';
import type { Database } from './database.ts';
import { lockUser, toAccount, type UserRow } from './user-row.ts';

interface ConsoleSessionRow {
  readonly token_hash: string;
  readonly user_id: string;
  readonly created_at_ms: number;
  readonly last_seen_at_ms: number;
  readonly expires_at_ms: number;
  readonly ip: string | null;
  readonly user_agent: string | null;
}

type JoinedRow = UserRow & ConsoleSessionRow & { readonly session_created_at_ms: number };

const TABLE = 'console_sessions';

export class SqlConsoleSessionStore implements ConsoleSessionStore {
  readonly #database: Database;
  readonly #trail: AuditTrail;

  constructor(database: Database, trail: AuditTrail) {
    this.#database = database;
    this.#trail = trail;
  }

  async find(tokenHash: string): Promise<{ readonly session: ConsoleSession; readonly account: Account } | null> {
    const row = await this.#database.run((knex) =>
      knex(TABLE)
        .join('users', 'users.id', `${TABLE}.user_id`)
        .where(`${TABLE}.token_hash`, tokenHash)
        .first<JoinedRow>(`${TABLE}.*`, { session_created_at_ms: `${TABLE}.created_at_ms` }, 'users.*'),
    );
    if (!row) return null;
    const session = toConsoleSession({ ...row, created_at_ms: row.session_created_at_ms });
    return { session, account: toAccount(row) };
  }

  begin(session: ConsoleSession, decide: (account: Account) => AuditEvent | null): Promise<boolean> {
    return this.#database.transaction(async (trx) => {
      const account = await lockUser(trx, session.userId);
      const event = account && decide(account);
      if (event === null) return false;
      // No new version: signing in is no edit, and must not get in the way of one.
      await trx('users').where({ id: session.userId }).update({ last_sign_in_at_ms: session.createdAtMs });
      await trx(TABLE).insert(fromConsoleSession(session));
      await this.#trail.append(trx, [event]);
      return true;
    });
  }

  async touch(tokenHash: string, nowMs: number): Promise<void> {
    await this.#database.run((knex) =>
      knex(TABLE)
        .where({ token_hash: tokenHash })
        .where('last_seen_at_ms', '<', nowMs)
        .update({ last_seen_at_ms: nowMs }),
    );
  }

  end(tokenHash: string, event: AuditEvent): Promise<boolean> {
    return this.#database.transaction(async (trx) => {
      const count = await trx(TABLE).where({ token_hash: tokenHash }).delete();
      if (count > 0) await this.#trail.append(trx, [event]);
      return count > 0;
    });
  }

  deleteEnded(nowMs: number, limit: number): Promise<number> {
    return this.#database.run(async (knex) => {
      const ended = await knex(TABLE)
        .where('expires_at_ms', '<=', nowMs)
        .orWhere('last_seen_at_ms', '<=', idleSinceMs(nowMs))
        .limit(limit)
        .pluck('token_hash');
      if (ended.length === 0) return 0;
      await knex(TABLE).whereIn('token_hash', ended).delete();
      return ended.length;
    });
  }
}

export function fromConsoleSession(session: ConsoleSession): ConsoleSessionRow {
  return {
    token_hash: session.tokenHash,
    user_id: session.userId,
    created_at_ms: session.createdAtMs,
    last_seen_at_ms: session.lastSeenAtMs,
    expires_at_ms: session.expiresAtMs,
    ip: session.ip,
    user_agent: session.userAgent,
  };
}

function toConsoleSession(row: ConsoleSessionRow): ConsoleSession {
  return {
    tokenHash: row.token_hash,
    userId: row.user_id,
    createdAtMs: row.created_at_ms,
    lastSeenAtMs: row.last_seen_at_ms,
    expiresAtMs: row.expires_at_ms,
    ip: row.ip,
    userAgent: row.user_agent,
  };
}
