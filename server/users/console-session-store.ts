import type { AuditEvent } from '../audit/audit-event.ts';
import type { ConsoleSession } from './console-session.ts';
import type { Account } from './user.ts';

/** Who is signed in to the console. Answers or throws {@link DependencyUnavailable} within about a second. */
export interface ConsoleSessionStore {
  /** Ended or not; null when it was signed out or swept. */
  find(tokenHash: string): Promise<{ readonly session: ConsoleSession; readonly account: Account } | null>;
  /**
   * Signs in: `decide` sees the user locked, so that a password that is changed meanwhile begins nothing. False, and nothing
   * written, when it gives null or there is no such user.
   */
  begin(session: ConsoleSession, decide: (account: Account) => AuditEvent | null): Promise<boolean>;
  touch(tokenHash: string, nowMs: number): Promise<void>;
  /** False when it had ended: nothing is written then. */
  end(tokenHash: string, event: AuditEvent): Promise<boolean>;
  /** Deletes at most `limit` that have ended and says how many. */
  deleteEnded(nowMs: number, limit: number): Promise<number>;
}
