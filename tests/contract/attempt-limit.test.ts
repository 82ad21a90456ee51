import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectRedis } from '../../db/redis/connect-redis.ts';
import { RedisAttemptLimit } from '../../db/redis/redis-attempt-limit.ts';
import { deleteEndedAttempts, SqlAttemptLimit } from '../../db/sql/sql-attempt-limit.ts';
import type { AttemptLimit } from '../../server/users/attempt-limit.ts';
import { serviceUrl } from '../support/services.ts';
import { type OpenSqlDatabase, sqlDatabases } from '../support/sql-databases.ts';

interface OpenLimit {
  /** Another instance's, on the same store. */
  make(): AttemptLimit;
  /** Lets the window of a name pass. */
  age(name: string): Promise<void>;
  close(): Promise<void>;
}

const RULE = { name: 'test', maxAttempts: 3, windowSeconds: 900 };

const onSql = sqlDatabases.map(({ name, open }) => ({
  name,
  async open(): Promise<OpenLimit> {
    const { database, close }: OpenSqlDatabase = await open();
    return {
      make: () => new SqlAttemptLimit(database, RULE),
      async age(attempt) {
        const id = `test:${attempt}`;
        await database.run((knex) => knex('sign_in_attempts').where({ id }).update({ ends_at_ms: 1 }));
        expect(await deleteEndedAttempts(database, 10)).toBe(1);
      },
      close,
    };
  },
}));

const redisUrl = serviceUrl('redis');
const onRedis = redisUrl === null ? [] : [{ name: 'Redis', open: () => openRedis(redisUrl) }];

async function openRedis(url: string): Promise<OpenLimit> {
  const connection = connectRedis(url);
  return {
    make: () => new RedisAttemptLimit(connection, RULE),
    // PEXPIRE is what the passing of time does, without the wait.
    async age(name) {
      expect(await connection.run((client) => client.pexpire(`kt:sign-in:test:${name}`, 0))).toBe(1);
    },
    close: () => connection.close(),
  };
}

describe.each([...onSql, ...onRedis])('AttemptLimit on $name', ({ open }) => {
  let limit: OpenLimit;
  beforeAll(async () => {
    limit = await open();
  });
  afterAll(() => limit.close());

  it('allows as many as the rule says, over all instances, however many come at once', async () => {
    const name = randomUUID();
    const [one, two] = [limit.make(), limit.make()];
    const attempts = await Promise.all(Array.from({ length: 12 }, (_, index) => (index % 2 ? one : two).take(name)));
    expect(attempts.filter(({ isAllowed }) => isAllowed)).toHaveLength(3);
    expect(attempts.map(({ count }) => count).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 12 }, (_, index) => index + 1),
    );
    for (const { remainingMs } of attempts) {
      expect(remainingMs).toBeGreaterThan(800_000);
      expect(remainingMs).toBeLessThanOrEqual(900_000);
    }
    expect(await one.take(randomUUID())).toMatchObject({ isAllowed: true, count: 1 });
  });

  it('takes one back, and all', async () => {
    const name = randomUUID();
    const attempts = limit.make();
    await attempts.take(name);
    await attempts.take(name);
    await attempts.giveBack(name);
    expect(await attempts.take(name)).toMatchObject({ count: 2 });
    await attempts.clear(name);
    expect(await attempts.take(name)).toMatchObject({ count: 1 });
  });

  it('begins anew when the window is over', async () => {
    const name = randomUUID();
    const attempts = limit.make();
    for (let count = 1; count <= 5; count += 1) await attempts.take(name);
    await limit.age(name);
    expect(await attempts.take(name)).toMatchObject({ isAllowed: true, count: 1 });
  });
});
