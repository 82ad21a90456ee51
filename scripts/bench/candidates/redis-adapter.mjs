/* oidc-provider's storage adapter, as its documentation describes the interface, on Redis. It sends Redis what the Redis
   adapter of its examples (to version 8; now among its community guides) sends, question for question: a string of JSON for
   each object, a hash for what can be consumed, and for each grant a list of the keys of its tokens, whose age is asked
   for before a token is added. Only what the two grants of the bench need: no device codes, no browser sessions. */
import { executeAll } from './peer-process.mjs';

const HAS_GRANT = new Set(['AccessToken', 'RefreshToken']);
const CONSUMABLE = new Set(['RefreshToken']);
const PREFIX = 'oidc';

const grantKeyOf = (grantId) => `${PREFIX}:grant:${grantId}`;

/** @returns what oidc-provider's `adapter` takes: a function from a model's name to its storage */
export function createRedisAdapter(redis) {
  return (model) => {
    const keyOf = (id) => `${PREFIX}:${model}:${id}`;
    const isConsumable = CONSUMABLE.has(model);

    return {
      /** Without `seconds`, as for a client, it stays. */
      async upsert(id, payload, seconds) {
        const key = keyOf(id);
        const value = JSON.stringify(payload);
        const transaction = isConsumable ? redis.multi().hset(key, 'payload', value) : redis.multi().set(key, value);
        if (seconds !== undefined) transaction.expire(key, seconds);
        if (HAS_GRANT.has(model) && payload.grantId !== undefined) {
          const grantKey = grantKeyOf(payload.grantId);
          transaction.rpush(grantKey, key);
          if (seconds > (await redis.ttl(grantKey))) transaction.expire(grantKey, seconds);
        }
        await executeAll(transaction);
      },
      async find(id) {
        if (isConsumable) {
          const { payload, ...rest } = await redis.hgetall(keyOf(id));
          return payload === undefined ? undefined : { ...rest, ...JSON.parse(payload) };
        }
        const value = await redis.get(keyOf(id));
        return value === null ? undefined : JSON.parse(value);
      },
      async consume(id) {
        await redis.hset(keyOf(id), 'consumed', Math.floor(Date.now() / 1000));
      },
      async destroy(id) {
        await redis.del(keyOf(id));
      },
      async revokeByGrantId(grantId) {
        const grantKey = grantKeyOf(grantId);
        await redis.del(grantKey, ...(await redis.lrange(grantKey, 0, -1)));
      },
    };
  };
}
