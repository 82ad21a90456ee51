import { connectRedis } from '../../db/redis/connect-redis.ts';
import { RedisSessionStore } from '../../db/redis/redis-session-store.ts';
import { sessionKey } from '../../db/redis/session-record.ts';
import type { OpenSessionStore } from '../contract/session-store.ts';

/** Moves both times of a record, and the end of its key, into the past. */
const AGE = `
local record = redis.call('GET', KEYS[1])
local head, rotated, ends, tail = string.match(record, '^(1 %d+ %S+) (%d+) (%d+) (.+)$')
rotated = math.max(0, rotated - ARGV[1])
if ends ~= '0' then ends = string.format('%.0f', ends - ARGV[1]) end
local life = redis.call('PTTL', KEYS[1]) - ARGV[1]
if life <= 0 then return redis.call('DEL', KEYS[1]) end
record = string.format('%s %.0f %s %s', head, rotated, ends, tail)
redis.call('SET', KEYS[1], record, 'PX', string.format('%.0f', life))`;

export async function openRedisSessions(url: string): Promise<OpenSessionStore> {
  const connection = connectRedis(url);
  return {
    store: new RedisSessionStore(connection),
    async age(sessionId, milliseconds) {
      await connection.run((client) => client.eval(AGE, 1, sessionKey(sessionId), milliseconds));
    },
    close: () => connection.close(),
  };
}
