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

/** `byteCount` random bytes as base64url without padding. */
export function randomBase64url(byteCount: number): string {
  return randomBytes(byteCount).toString('base64url');
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
