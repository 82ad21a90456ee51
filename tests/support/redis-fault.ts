import { expect } from '@jest/globals';
import { connectRedis } from '../../db/redis/connect-redis.ts';
import { RedisSessionStore } from '../../db/redis/redis-session-store.ts';
import { askRedis } from '../../scripts/services.mjs';
import type { NewSession } from '../../server/sessions/session-store.ts';
import { newSession, presenting } from '../contract/session-store.ts';

/** In which the service has to answer, whatever its stores do. */
export const ANSWER_MS = 1500;

export interface FaultStore {
  readonly store: RedisSessionStore;
  close(): Promise<void>;
}

export function openStore(url: string): FaultStore {
  const connection = connectRedis(url);
  return { store: new RedisSessionStore(connection), close: () => connection.close() };
}

/** Every operation fails as unavailable, in time; among them the next rotation of `live`, when one is given. */
export async function expectUnavailable(store: RedisSessionStore, live = newSession(), generation = 1): Promise<void> {
  const start = performance.now();
  const results = await Promise.allSettled([
    store.begin(newSession()),
    store.rotate(presenting(live, { generation })),
    store.ping(),
  ]);
  expect(performance.now() - start).toBeLessThan(ANSWER_MS);
  for (const result of results) {
    expect(result).toMatchObject({
      status: 'rejected',
      reason: { name: 'DependencyUnavailable', dependency: 'redis' },
    });
  }
}

/** Waits for an event outside, which no injected clock can bring about; fails after `withinMs`. */
export async function untilServing(store: RedisSessionStore, withinMs: number): Promise<number> {
  return eventually(() => store.ping(), withinMs);
}

/** @returns how long it took, in milliseconds */
export async function eventually(probe: () => Promise<unknown>, withinMs: number): Promise<number> {
  const start = performance.now();
  for (;;) {
    try {
      await probe();
      return performance.now() - start;
    } catch (error) {
      if (performance.now() - start > withinMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

/** Sessions whose first token is spent. */
export async function beginSpentSessions(store: RedisSessionStore, count: number): Promise<NewSession[]> {
  const sessions = Array.from({ length: count }, () => newSession());
  await Promise.all(
    sessions.map(async (session) => {
      await store.begin(session);
      expect(await store.rotate(presenting(session))).toMatchObject({ outcome: 'rotated' });
    }),
  );
  return sessions;
}

/** No first token may be good again; half of the sessions go on with their second. */
export async function expectNoneSpentTwice(store: RedisSessionStore, sessions: readonly NewSession[]): Promise<void> {
  await Promise.all(
    sessions.map(async (session, index) => {
      const generation = (index % 2) + 1;
      const outcome = generation === 1 ? 'reused' : 'rotated';
      expect(await store.rotate(presenting(session, { generation }))).toMatchObject({ outcome });
    }),
  );
}

/** Until `replicaCount` replicas have all that `port` has acknowledged. */
export async function untilReplicated(port: number, replicaCount = 1): Promise<void> {
  expect(await askRedis(port, 'WAIT', replicaCount, 1500)).toBe(`:${replicaCount}\r\n`);
}
