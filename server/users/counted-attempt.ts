import { SecretHasherBusy } from '../api-keys/secret-hasher.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { Attempt, AttemptLimit } from './attempt-limit.ts';
import { originOf, type Visitor } from './visitor.ts';

/** Too many have failed, of this account or from this address; said in the same way whether the account exists or not. */
export class SignInLocked extends Error {
  readonly retryAfterSeconds: number;

  constructor({ remainingMs }: Attempt) {
    super('too many sign-ins have failed');
    this.name = 'SignInLocked';
    this.retryAfterSeconds = Math.max(1, Math.ceil(remainingMs / 1000));
  }
}

/** Of which limit an attempt is taken, by which name, and what is audited of a lock-out. */
export interface Counted {
  readonly limit: AttemptLimit;
  readonly name: string;
  readonly objectId: string;
}

/**
 * Counts an attempt before it is made. The first refusal of a window is an event; the thousand after it are not.
 *
 * @throws {SignInLocked | DependencyUnavailable}
 */
export async function takeAttempt(
  { limit, name, objectId }: Counted,
  visitor: Visitor,
  audit: Pick<AuditLog, 'record'>,
): Promise<Attempt> {
  const attempt = await limit.take(name);
  if (attempt.isAllowed) return attempt;
  const { name: by, maxAttempts: attempts } = limit.rule;
  if (attempt.count === attempts + 1)
    audit.record('user.locked_out', originOf(visitor, null), {
      projectId: null,
      objectId,
      detail: { by, attempts },
    });
  throw new SignInLocked(attempt);
}

/** Does what was counted. An attempt that the hasher had no turn for has tried nothing, and is given back. */
export async function makeAttempt<T>(taken: readonly Counted[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SecretHasherBusy) await Promise.all(taken.map(({ limit, name }) => limit.giveBack(name)));
    throw error;
  }
}
