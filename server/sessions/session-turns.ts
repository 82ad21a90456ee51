import type { RotationAttempt, RotationResult, SessionStore } from './session-store.ts';

interface Waiting {
  readonly attempt: RotationAttempt;
  readonly resolve: (result: RotationResult | Promise<RotationResult>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * `store` with the rotations of one session taking turns within this process, for stores where each takes several round
 * trips. Those that wait when the session ends need not ask any more: of a thousand uses of one refresh token two or three
 * reach the database. Changes nothing of who wins; that is decided in the store.
 */
export function takingTurns(store: SessionStore): SessionStore {
  const lines = new Map<string, Waiting[]>();

  async function serve(sessionId: string, attempt: RotationAttempt, line: Waiting[]): Promise<RotationResult> {
    try {
      const result = await store.rotate(attempt);
      if (result.outcome === 'rotated') serveNext(sessionId, line);
      else dismiss(sessionId, line, result.outcome === 'retried' ? 'ask' : 'ended');
      return result;
    } catch (error) {
      // They have no time left to wait for another failure.
      lines.delete(sessionId);
      for (const { reject } of line) reject(error);
      throw error;
    }
  }

  function serveNext(sessionId: string, line: Waiting[]): void {
    const next = line.shift();
    if (next === undefined) lines.delete(sessionId);
    else next.resolve(serve(sessionId, next.attempt, line));
  }

  /** In the retry window each asks for itself, all at once: there is nothing left to wait for. */
  function dismiss(sessionId: string, line: Waiting[], how: 'ask' | 'ended'): void {
    lines.delete(sessionId);
    for (const { attempt, resolve } of line) resolve(how === 'ask' ? store.rotate(attempt) : { outcome: 'not_found' });
  }

  return {
    rotate(attempt) {
      const line = lines.get(attempt.sessionId);
      if (line !== undefined) return new Promise((resolve, reject) => line.push({ attempt, resolve, reject }));
      const ownLine: Waiting[] = [];
      lines.set(attempt.sessionId, ownLine);
      return serve(attempt.sessionId, attempt, ownLine);
    },
    begin: (session) => store.begin(session),
    find: (sessionId) => store.find(sessionId),
    listOfKey: (keyId, page) => store.listOfKey(keyId, page),
    revoke: (sessionId) => store.revoke(sessionId),
    ping: () => store.ping(),
  };
}
