/** The only place of the server that draws randomness: everything here is from the operating system's CSPRNG. */
import { randomBytes, randomInt } from 'node:crypto';
import { typeid } from 'typeid-js';

export { randomBytes };

export const LOWER_ALPHANUMERIC = 'abcdefghijklmnopqrstuvwxyz0123456789';
export const BASE62 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** `length` characters, each drawn uniformly from `alphabet`. */
export function randomText(length: number, alphabet: string): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
}

/** Drawn at once: a call to the operating system for each of the few short texts of an exchange is 6 % of its cost. */
const POOL_BYTES = 4096;
let pool = Buffer.alloc(0);

/** `byteCount` random bytes, at most 4096, as base64url without padding; no byte is given out twice. */
export function randomBase64url(byteCount: number): string {
  if (pool.length < byteCount) pool = randomBytes(POOL_BYTES);
  const text = pool.toString('base64url', 0, byteCount);
  pool = pool.subarray(byteCount);
  return text;
}

export type IdPrefix = 'prj' | 'wsp' | 'rol' | 'key' | 'usr' | 'ses' | 'evt' | 'req';

/** A new TypeID such as `key_01jd…`: 30 characters, sortable by time of creation. */
export function newId(prefix: IdPrefix): string {
  return typeid(prefix).toString();
}

/** Seconds for `Retry-After`: 1 to 3, so that the clients of one outage don't return in one instant. */
export function retryAfterSeconds(): number {
  return randomInt(1, 4);
}
