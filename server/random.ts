/** The only place of the server that draws randomness: everything here is from the operating system's CSPRNG. */
import { randomBytes, randomInt } from 'node:crypto';
import { systemClock } from './clock.ts';
import { formatTypeId } from './type-id.ts';

export { randomBytes };

export const LOWER_ALPHANUMERIC = 'abcdefghijklmnopqrstuvwxyz0123456789';
export const BASE62 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** `length` characters, each drawn uniformly from `alphabet`. */
export function randomText(length: number, alphabet: string): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
}

/** Drawn at once: a call to the operating system for each of the few short texts of an exchange is 6 % of its cost. */
const POOL_BYTES = 4096;
let pool = Buffer.alloc(POOL_BYTES);
let poolAt = POOL_BYTES;

/** Where in the pool `byteCount` fresh random bytes stand. No byte is given out twice. */
function takeFromPool(byteCount: number): number {
  if (poolAt + byteCount > POOL_BYTES) {
    pool = randomBytes(POOL_BYTES);
    poolAt = 0;
  }
  const start = poolAt;
  poolAt += byteCount;
  return start;
}

/** `byteCount` random bytes, at most 4096, as base64url without padding. */
export function randomBase64url(byteCount: number): string {
  const start = takeFromPool(byteCount);
  return pool.toString('base64url', start, start + byteCount);
}

export type IdPrefix = 'prj' | 'wsp' | 'rol' | 'key' | 'usr' | 'ses' | 'evt' | 'req';

const uuid = Buffer.alloc(16);
let lastMs = 0;
let sequence = 0;

/**
 * A new TypeID such as `key_01jd…`: 30 characters, a UUIDv7 (RFC 9562 §5.7). Those of one process sort by creation, also
 * within a millisecond, whose ids count up from a random start (§6.2, method 1), and when the clock is set back.
 */
export function newId(prefix: IdPrefix): string {
  const nowMs = systemClock.nowMs();
  const start = takeFromPool(10);
  if (nowMs > lastMs) {
    lastMs = nowMs;
    sequence = pool.readUInt16BE(start + 8) & 0x7ff;
  } else {
    sequence += 1;
    if (sequence > 0xfff) {
      lastMs += 1;
      sequence = 0;
    }
  }
  uuid.writeUIntBE(lastMs, 0, 6);
  uuid.writeUInt16BE(0x7000 | sequence, 6);
  pool.copy(uuid, 8, start, start + 8);
  uuid[8] = ((uuid[8] as number) & 0x3f) | 0x80;
  return formatTypeId(prefix, uuid);
}

/** Seconds for `Retry-After`: 1 to 3, so that the clients of one outage don't return in one instant. */
export function retryAfterSeconds(): number {
  return randomInt(1, 4);
}
