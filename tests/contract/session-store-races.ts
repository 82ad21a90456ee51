import { expect, it } from '@jest/globals';
import type { RotationResult } from '../../server/sessions/session-store.ts';
import { type CurrentStore, newSession, presenting } from './session-store.ts';

const ROUNDS = 20;
const AT_ONCE = 200;
const REUSE_RACES = 500;

function countOutcomes(results: readonly RotationResult[]): Partial<Record<RotationResult['outcome'], number>> {
  const counts: Partial<Record<RotationResult['outcome'], number>> = {};
  for (const { outcome } of results) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

/** What must hold when requests meet. */
export function describeSessionRaces(current: CurrentStore): void {
  it(`lets one of ${AT_ONCE} rotate, and revokes; ${ROUNDS} rounds`, async () => {
    const { store } = current();
    for (let round = 0; round < ROUNDS; round++) {
      const session = newSession();
      await store.begin(session);
      const attempts = Array.from({ length: AT_ONCE }, () => store.rotate(presenting(session)));
      expect(countOutcomes(await Promise.all(attempts))).toEqual({ rotated: 1, reused: 1, not_found: AT_ONCE - 2 });
      expect(await store.find(session.id)).toBeNull();
    }
  }, 120_000);

  it('gives all of one client the same successor inside the retry window', async () => {
    const { store } = current();
    const session = newSession();
    await store.begin(session);
    const retry = () => store.rotate(presenting(session, { retrySeconds: 30 }));
    const results = await Promise.all(Array.from({ length: AT_ONCE }, retry));
    expect(countOutcomes(results)).toEqual({ rotated: 1, retried: AT_ONCE - 1 });
    const generations = results.flatMap((result) => ('session' in result ? [result.session.generation] : []));
    expect(new Set(generations)).toEqual(new Set([2]));
    expect(await store.find(session.id)).toMatchObject({ generation: 2 });
  }, 60_000);

  // OpenRisk#725: the winner of a race wrote its successor after the family had been revoked.
  it(`leaves nothing alive after a reuse that meets a rotation; ${REUSE_RACES} races`, async () => {
    const { store } = current();
    const race = async () => {
      const session = newSession();
      await store.begin(session);
      await store.rotate(presenting(session));
      const [reuse] = await Promise.all([
        store.rotate(presenting(session)),
        store.rotate(presenting(session, { generation: 2 })),
      ]);
      expect(reuse.outcome).toBe('reused');
      expect(await store.find(session.id)).toBeNull();
      expect(await store.rotate(presenting(session, { generation: 3 }))).toEqual({ outcome: 'not_found' });
    };
    for (let done = 0; done < REUSE_RACES; done += 50) await Promise.all(Array.from({ length: 50 }, race));
  }, 120_000);
}
