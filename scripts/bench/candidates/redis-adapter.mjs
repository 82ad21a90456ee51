/* oidc-provider's storage adapter, as its documentation describes the interface, on Redis: a JSON string for each object,
   a hash where one can be consumed, and a list of tokens for each grant. Like the Redis adapter that was its example until
   version 9, but for one thing in oidc-provider's favour: the age of the list needs no question to Redis first. */
const HAS_GRANT = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken']);
const CONSUMABLE = new Set(['AuthorizationCode', 'RefreshToken']);
const PREFIX = 'oidc';

/** @returns what oidc-provider's `adapter` takes: a function from a model's name to its storage */
export function createRedisAdapter(redis) {
  return (model) => (CONSUMABLE.has(model) ? createConsumables(redis, model) : createStrings(redis, model));
}

const keyOf = (model, id) => `${PREFIX}:${model}:${id}`;
const grantKeyOf = (grantId) => `${PREFIX}:grant:${grantId}`;

function addToGrant(transaction, key, { grantId }, seconds) {
  const grantKey = grantKeyOf(grantId);
  transaction.rpush(grantKey, key);
  // The list lives as long as its youngest token: GT never shortens, but knows only keys that expire already.
  transaction.expire(grantKey, seconds, 'NX').expire(grantKey, seconds, 'GT');
}

async function revokeByGrantId(redis, grantId) {
  const grantKey = grantKeyOf(grantId);
  await redis.del(grantKey, ...(await redis.lrange(grantKey, 0, -1)));
}

function createStrings(redis, model) {
  return {
    async upsert(id, payload, seconds) {
      const key = keyOf(model, id);
      const value = JSON.stringify(payload);
      if (!HAS_GRANT.has(model) || payload.grantId === undefined) {
        // A client does not expire.
        await (seconds === undefined ? redis.set(key, value) : redis.set(key, value, 'EX', seconds));
        return;
      }
      const transaction = redis.multi().set(key, value, 'EX', seconds);
      addToGrant(transaction, key, payload, seconds);
      await transaction.exec();
    },
    async find(id) {
      const value = await redis.get(keyOf(model, id));
      return value === null ? undefined : JSON.parse(value);
    },
    destroy: (id) => redis.del(keyOf(model, id)),
    revokeByGrantId: (grantId) => revokeByGrantId(redis, grantId),
  };
}

function createConsumables(redis, model) {
  return {
    async upsert(id, payload, seconds) {
      const key = keyOf(model, id);
      const transaction = redis.multi().hset(key, 'payload', JSON.stringify(payload)).expire(key, seconds);
      if (payload.grantId !== undefined) addToGrant(transaction, key, payload, seconds);
      await transaction.exec();
    },
    async find(id) {
      const [payload, consumed] = await redis.hmget(keyOf(model, id), 'payload', 'consumed');
      if (payload === null) return undefined;
      return { ...JSON.parse(payload), ...(consumed !== null && { consumed: Number(consumed) }) };
    },
    async consume(id) {
      await redis.hset(keyOf(model, id), 'consumed', Math.floor(Date.now() / 1000));
    },
    destroy: (id) => redis.del(keyOf(model, id)),
    revokeByGrantId: (grantId) => revokeByGrantId(redis, grantId),
  };
}
