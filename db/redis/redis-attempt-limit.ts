import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { Attempt, AttemptLimit, AttemptLimitRule } from '../../server/users/attempt-limit.ts';
import type { RedisConnection } from './connect-redis.ts';

/** Counts in Redis, by its clock. No insurance: while Redis is down nobody signs in, rather than uncounted. */
export class RedisAttemptLimit implements AttemptLimit {
  readonly rule: AttemptLimitRule;
  readonly #limiter: RateLimiterRedis;

  constructor(connection: RedisConnection, rule: AttemptLimitRule) {
    this.rule = rule;
    this.#limiter = new RateLimiterRedis({
      storeClient: commandsOf(connection),
      keyPrefix: `kt:sign-in:${rule.name}`,
      points: rule.maxAttempts,
      duration: rule.windowSeconds,
    });
  }

  async take(name: string): Promise<Attempt> {
    const taken = await this.#limiter.consume(name).catch((refusal: unknown) => {
      if (refusal instanceof RateLimiterRes) return refusal;
      throw refusal;
    });
    const { consumedPoints: count, msBeforeNext: remainingMs } = taken;
    return { isAllowed: count <= this.rule.maxAttempts, count, remainingMs };
  }

  async giveBack(name: string): Promise<void> {
    await this.#limiter.reward(name);
  }

  async clear(name: string): Promise<void> {
    await this.#limiter.delete(name);
  }
}

/** What rate-limiter-flexible asks of an ioredis client, within the time limits of our connection. */
function commandsOf(connection: RedisConnection) {
  let script = '';
  return {
    defineCommand(_name: string, { lua }: { readonly lua: string }) {
      script = lua;
    },
    rlflxIncr: ([key, ...words]: readonly string[]) =>
      connection.run((client) => client.eval(script, 1, String(key), ...words)),
    del: (key: string) => connection.run((client) => client.del(key)),
  };
}
