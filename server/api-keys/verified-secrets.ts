import { createHmac } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { randomBytes } from '../random.ts';

const DEFAULT_SECONDS = 300;
const DEFAULT_ENTRIES = 10_000;

/**
 * Remembers which chosen secrets bcrypt has proven, so that a client which exchanges often pays for bcrypt once in five
 * minutes. Holds HMACs under a key of this process, never a secret; the secret's version is in it, so a regenerated
 * secret is not remembered; and only whether a secret is right is remembered, never whether its key may be used.
 *
 * @param maxEntries oldest go first. Default 10,000.
 * @param seconds lifetime of an entry, not prolonged by use; at most 300, the default.
 */
export function createVerifiedSecrets(clock: Clock, { maxEntries = DEFAULT_ENTRIES, seconds = DEFAULT_SECONDS } = {}) {
  if (seconds > DEFAULT_SECONDS) throw new RangeError('a verified secret is remembered for 300 seconds at most');
  const processKey = randomBytes(32);
  const expiries = new Map<string, number>();

  const nameOf = (keyId: string, secretVersion: number, secret: string): string =>
    createHmac('sha256', processKey).update(`${keyId}\n${secretVersion}\n${secret}`).digest('base64');

  return {
    has(keyId: string, secretVersion: number, secret: string): boolean {
      const name = nameOf(keyId, secretVersion, secret);
      const expiresAtMs = expiries.get(name);
      if (expiresAtMs === undefined) return false;
      if (clock.nowMs() < expiresAtMs) return true;
      expiries.delete(name);
      return false;
    },

    add(keyId: string, secretVersion: number, secret: string): void {
      const [oldest] = expiries.keys();
      if (expiries.size >= maxEntries && oldest !== undefined) expiries.delete(oldest);
      expiries.set(nameOf(keyId, secretVersion, secret), clock.nowMs() + seconds * 1000);
    },
  };
}

export type VerifiedSecrets = ReturnType<typeof createVerifiedSecrets>;
