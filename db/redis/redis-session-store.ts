import { DependencyUnavailable } from '../../server/dependency-unavailable.ts';
import type { Session } from '../../server/sessions/session.ts';
import type {
  NewSession,
  RotationAttempt,
  RotationResult,
  SessionPage,
  SessionStore,
} from '../../server/sessions/session-store.ts';
import type { RedisConnection } from './connect-redis.ts';
import { listSessionsOfKey } from './list-sessions-of-key.ts';
import { formatConstantFields, formatFirstRecord, formatIp, parseSessionRecord, sessionKey } from './session-record.ts';

/** Sessions in Redis: one key each, so that a Cluster needs nothing more; every operation is one round trip. */
export class RedisSessionStore implements SessionStore {
  readonly #connection: RedisConnection;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  async begin(session: NewSession): Promise<void> {
    const key = sessionKey(session.id);
    const lifeMs = session.refreshTokenSeconds * 1000;
    const { sessionMaxSeconds } = session;
    await this.#connection.run<unknown>((client) =>
      sessionMaxSeconds === null
        ? // NX: the command sent twice changes nothing.
          client.set(key, formatFirstRecord(session), 'PX', lifeMs, 'NX')
        : client.beginSession(
            key,
            lifeMs,
            sessionMaxSeconds * 1000,
            session.attemptId,
            formatIp(session.ip),
            formatConstantFields(session),
          ),
    );
  }

  async find(sessionId: string): Promise<Session | null> {
    const record = await this.#connection.run((client) => client.get(sessionKey(sessionId)));
    return record === null ? null : readRecord(sessionId, record);
  }

  async rotate(attempt: RotationAttempt): Promise<RotationResult> {
    const answer = await this.#connection.run((client) =>
      client.rotateSession(
        sessionKey(attempt.sessionId),
        attempt.generation,
        attempt.attemptId,
        formatIp(attempt.ip),
        attempt.refreshTokenSeconds * 1000,
        attempt.retrySeconds * 1000,
      ),
    );
    return readRotation(attempt.sessionId, answer);
  }

  listOfKey(keyId: string, page: { readonly limit: number; readonly cursor: string | null }): Promise<SessionPage> {
    return listSessionsOfKey(this.#connection, keyId, page);
  }

  async revoke(sessionId: string): Promise<boolean> {
    return (await this.#connection.run((client) => client.del(sessionKey(sessionId)))) > 0;
  }

  /** Writes, because a Redis that is full, read-only or can't persist still answers PING. */
  async ping(): Promise<void> {
    await this.#connection.run((client) => client.set('kt:ping', '', 'PX', 1000));
  }
}

const ROTATION = /^(not_found|(rotated|retried|reused|rolled_back) (\d+) (-?\d+) (.+))$/;

/** See rotate.lua. */
function readRotation(sessionId: string, answer: string): RotationResult {
  const [, whole, outcome, nowMs, remainingMs, record = ''] = ROTATION.exec(answer) ?? [];
  if (whole === 'not_found') return { outcome: whole };
  switch (outcome) {
    case 'reused':
    case 'rolled_back':
      return { outcome, session: readRecord(sessionId, record) };
    case 'rotated':
    case 'retried': {
      const session = readRecord(sessionId, record);
      return {
        outcome,
        session,
        refreshTokenExpiresInSeconds: wholeSeconds(Number(remainingMs)),
        sessionEndsInSeconds: session.endsAtMs === null ? null : wholeSeconds(session.endsAtMs - Number(nowMs)),
      };
    }
    default:
      throw new DependencyUnavailable('redis', new Error('rotate.lua gave an unknown outcome'));
  }
}

function wholeSeconds(milliseconds: number): number {
  return Math.max(0, Math.floor(milliseconds / 1000));
}

function readRecord(sessionId: string, record: string): Session {
  try {
    return parseSessionRecord(sessionId, record);
  } catch (error) {
    throw new DependencyUnavailable('redis', error);
  }
}
