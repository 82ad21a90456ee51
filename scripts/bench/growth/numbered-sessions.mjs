/* Live sessions by the million, made inside Redis. All of a session follows from its number, so that the load can refresh
   any of them. */
import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import { formatConstantFields, sessionKey } from '../../../dist/db/redis/session-record.js';
import { parseMasterKeys } from '../../../dist/server/crypto/master-key.js';
import { createRefreshTokenCodec } from '../../../dist/server/sessions/refresh-token.js';

/** Sessions of one script call: about a third of a second. */
const BATCH = 100_000;
const ID_PREFIX = 'ses_01';
const sessionIdOf = (number) => ID_PREFIX + createHash('sha1').update(String(number)).digest('hex').slice(0, 24);

/** The record that an exchange from 127.0.0.1 writes; 15 minutes to 3 hours are left to it. */
const FILL = `
for number = tonumber(ARGV[2]), tonumber(ARGV[3]) do
  local random = redis.sha1hex(number)
  local constant = ARGV[4 + number % (#ARGV - 3)]
  local record = '1 1 ' .. string.sub(random, 25, 32) .. ' 0 0 127.0.0.1 ' .. constant
  redis.call('SET', ARGV[1] .. string.sub(random, 1, 24), record, 'PX', 900000 + number * 7919 % 9900000)
end`;

/** Empties Redis and writes the sessions 0 to `count` - 1, each of the next of `keyIds`. */
export async function writeSessions(redisUrl, { count, keyIds, permissionSet }) {
  const redis = new Redis(redisUrl);
  // Written once, at the end, instead of command by command.
  await redis.config('SET', 'appendonly', 'no');
  await redis.flushall('SYNC');
  const grant = { permissions: null, permissionSet, resource: null };
  const constants = keyIds.map((keyId) => formatConstantFields({ keyId, secretVersion: 1, grant }));
  for (let first = 0; first < count; first += BATCH) {
    const last = Math.min(count, first + BATCH) - 1;
    await redis.eval(FILL, 0, sessionKey(ID_PREFIX), first, last, ...constants);
  }
  await redis.config('SET', 'appendonly', 'yes');
  const isRewriting = async () => /aof_rewrite_(in_progress|scheduled):1/.test(await redis.info('persistence'));
  while (await isRewriting()) await new Promise((resolve) => setTimeout(resolve, 20));
  await redis.quit();
}

/**
 * The refresh token that the load uses as its `use`-th: the sessions in turn, in an order without locality, and each
 * time round by one generation older.
 */
export function createRefreshTokens({ masterKey, count, keyIds }) {
  const codec = createRefreshTokenCodec(parseMasterKeys(masterKey).refreshTokenMacKeys());
  // A prime that divides neither count: each session is met once before one is met again.
  const stride = 611_953;
  return (use) => {
    const number = (use * stride) % count;
    return codec.format({
      sessionId: sessionIdOf(number),
      keyId: keyIds[number % keyIds.length],
      generation: 1 + Math.floor(use / count),
    });
  };
}
