import type { Session } from './session.ts';
import type { RotationAttempt } from './session-store.ts';

export type RotationDecision = 'rotate' | 'repeat' | 'retry' | 'reuse' | 'rollback';

/**
 * What presenting a refresh token means for a live session (RFC 9700 §4.14.2). `db/redis/rotate.lua` says the same in
 * Lua, because there the decision has to run inside the store; one contract suite holds both to it.
 *
 * The retry window serves only the newest generation's predecessor, only while the successor is unused, and only the
 * address that rotated it: anything older is a reuse however young (django-oauth-toolkit#1617).
 */
export function decideRotation(
  session: Session,
  attempt: Pick<RotationAttempt, 'generation' | 'attemptId' | 'ip' | 'retrySeconds'>,
  nowMs: number,
): RotationDecision {
  if (attempt.generation === session.generation) return 'rotate';
  if (attempt.generation > session.generation) return 'rollback';
  const isPredecessor = attempt.generation === session.generation - 1;
  if (isPredecessor && attempt.attemptId === session.attemptId) return 'repeat';
  const inWindow = nowMs - session.rotatedAtMs <= attempt.retrySeconds * 1000;
  const sameClient = attempt.ip !== null && attempt.ip === session.lastIp;
  if (isPredecessor && attempt.retrySeconds > 0 && inWindow && sameClient) return 'retry';
  return 'reuse';
}
