import type { Session, SessionGrant } from './session.ts';

export interface NewSession {
  readonly id: string;
  readonly keyId: string;
  /** Version of the secret that proved the key, from 1. */
  readonly secretVersion: number;
  readonly attemptId: string;
  readonly ip: string | null;
  readonly grant: SessionGrant;
  /** Lifetime of the first refresh token. */
  readonly refreshTokenSeconds: number;
  /** Absolute bound of the session; null: none. */
  readonly sessionMaxSeconds: number | null;
}

export interface RotationAttempt {
  readonly sessionId: string;
  /** Generation of the refresh token that was presented. */
  readonly generation: number;
  /** Unique to this request, so that a driver which sends the command twice doesn't look like a reuse. */
  readonly attemptId: string;
  readonly ip: string | null;
  readonly refreshTokenSeconds: number;
  /** 0: strictly single use. Otherwise how long the same client may fetch the same successor again. */
  readonly retrySeconds: number;
}

/**
 * `rotated`: the presented token is spent now and `session.generation` is its successor's.
 * `retried`: the presented token had been rotated a moment ago, by the same client; the successor is the same as then.
 * `reused`: a spent token; the session is gone now. `rolled_back`: a token newer than the record, so the store has lost
 * writes; the session is gone now. `not_found`: ended, revoked, expired or lost.
 */
export type RotationResult =
  | {
      readonly outcome: 'rotated' | 'retried';
      readonly session: Session;
      /** Remaining life of the successor refresh token, in seconds, by the store's clock. */
      readonly refreshTokenExpiresInSeconds: number;
      /** Remaining life of the session; null where unbounded. */
      readonly sessionEndsInSeconds: number | null;
    }
  | { readonly outcome: 'reused'; readonly session: Session }
  | { readonly outcome: 'rolled_back'; readonly session: Session }
  | { readonly outcome: 'not_found' };

/** A live session, as people see it. */
export interface ListedSession extends Pick<Session, 'id' | 'generation' | 'lastIp' | 'endsAtMs'> {
  /** By the store's clock; null: never. */
  readonly lastRefreshedAtMs: number | null;
  /** End of the newest refresh token; null: somebody has taken it from the record in the store. */
  readonly expiresAtMs: number | null;
}

export interface SessionPage {
  readonly sessions: readonly ListedSession[];
  /** Null: there is nothing more. */
  readonly nextCursor: string | null;
  readonly totalCount: number;
  /** There are, or may be, more than `totalCount`. */
  readonly exceedsTotalCount: boolean;
}

/** Not a cursor that this store has given. */
export class InvalidSessionCursor extends Error {
  constructor() {
    super('the cursor is not of this list');
    this.name = 'InvalidSessionCursor';
  }
}

/**
 * Where sessions live. Time is the store's own clock, so that instances with different clocks agree. Every method
 * answers or throws {@link DependencyUnavailable} within about a second; none is retried blindly.
 */
export interface SessionStore {
  /** Acknowledged only once the session is there. Sending it twice with one id is harmless. */
  begin(session: NewSession): Promise<void>;
  /** The live session, or null. Changes nothing. */
  find(sessionId: string): Promise<Session | null>;
  /** One atomic step, whatever runs beside it: of any number of attempts with one generation at most one rotates. */
  rotate(attempt: RotationAttempt): Promise<RotationResult>;
  /**
   * Live sessions of an API key, a page at a time. A session that lives from the first page to the last is in one of them.
   * A store without an index of them walks for half a second at most: its pages may be short, or empty, before the last.
   *
   * @param cursor null: from the beginning
   * @throws {InvalidSessionCursor}
   */
  listOfKey(keyId: string, page: { readonly limit: number; readonly cursor: string | null }): Promise<SessionPage>;
  /** Ends the session; true when there was one. No later or parallel step brings it back. */
  revoke(sessionId: string): Promise<boolean>;
  /** Throws {@link DependencyUnavailable} when the store can't serve. */
  ping(): Promise<void>;
}
