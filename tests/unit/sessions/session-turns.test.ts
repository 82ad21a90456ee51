import { describe, expect, test } from '@jest/globals';
import type { Session } from '../../../server/sessions/session.ts';
import type { RotationAttempt, RotationResult, SessionStore } from '../../../server/sessions/session-store.ts';
import { takingTurns } from '../../../server/sessions/session-turns.ts';

const session = { id: 'ses_1' } as Session;
const served = (outcome: 'rotated' | 'retried'): RotationResult => ({
  outcome,
  session,
  refreshTokenExpiresInSeconds: 60,
  sessionEndsInSeconds: null,
});

/** A store that answers in the order given; an error in the list is thrown. */
function setUp(...answers: (RotationResult | Error)[]) {
  const asked: string[] = [];
  let running = 0;
  let mostAtOnce = 0;
  const store = takingTurns({
    async rotate({ sessionId, attemptId }: RotationAttempt) {
      asked.push(`${sessionId} ${attemptId}`);
      running += 1;
      mostAtOnce = Math.max(mostAtOnce, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      const answer = answers.shift();
      if (answer === undefined) throw new Error('asked once too often');
      if (answer instanceof Error) throw answer;
      return answer;
    },
  } as unknown as SessionStore);
  const present = (attemptId: number, sessionId = 'ses_1') =>
    store.rotate({ sessionId, attemptId: String(attemptId) } as RotationAttempt);
  return { asked, present, mostAtOnce: () => mostAtOnce };
}

describe('rotations that take turns', () => {
  test('of a session that a reuse ends: those that wait are not_found without asking', async () => {
    const { asked, present, mostAtOnce } = setUp(served('rotated'), { outcome: 'reused', session });
    const results = await Promise.all(Array.from({ length: 100 }, (_, index) => present(index)));
    expect(results.map(({ outcome }) => outcome)).toEqual(['rotated', 'reused', ...Array(98).fill('not_found')]);
    expect(asked).toEqual(['ses_1 0', 'ses_1 1']);
    expect(mostAtOnce()).toBe(1);
  });

  test('in the retry window: once the successor is there, all ask for themselves at once', async () => {
    const { present, mostAtOnce } = setUp(served('rotated'), ...Array<RotationResult>(9).fill(served('retried')));
    const results = await Promise.all(Array.from({ length: 10 }, (_, index) => present(index)));
    expect(results.map(({ outcome }) => outcome)).toEqual(['rotated', ...Array(9).fill('retried')]);
    expect(mostAtOnce()).toBe(8);
  });

  test('behind one that fails, fail with it: none is told that its session has ended', async () => {
    const { asked, present } = setUp(new Error('down'), served('rotated'));
    const results = await Promise.allSettled([present(0), present(1), present(2)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(asked).toEqual(['ses_1 0']);
    expect((await present(3)).outcome).toBe('rotated');
  });

  test('of different sessions do not wait for each other', async () => {
    const { present, mostAtOnce } = setUp(served('rotated'), served('rotated'));
    await Promise.all([present(0, 'ses_1'), present(0, 'ses_2')]);
    expect(mostAtOnce()).toBe(2);
  });

  test('after a line has gone, begin anew', async () => {
    const { asked, present } = setUp(served('rotated'), { outcome: 'not_found' }, served('rotated'));
    await Promise.all([present(0), present(1), present(2)]);
    expect((await present(3)).outcome).toBe('rotated');
    expect(asked).toEqual(['ses_1 0', 'ses_1 1', 'ses_1 3']);
  });
});
