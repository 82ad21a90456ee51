import { createHmac } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import { randomBytes } from '../random.ts';

const DEFAULT_SECONDS = 24 * 3600;
const DEFAULT_ENTRIES = 10_000;

/**
 * Remembers which chosen secret bcrypt has proven against which hash, so that a client in regular service pays for bcrypt
 * once. Holds HMACs under a key of this process, never a secret. It says nothing of whether a key may be used, nor of
 * whether the hash is still that of the key: whoever asks compares it with the key's. Found by the client_id, so that
 * nothing need be looked up to know that a secret is new.
 *
 * @param maxEntries what was used longest ago goes first. Default 10,000.
 * @param seconds forgotten when unused for so long. Default a day: a client whose access tokens last two hours must not
 *   depend on a turn of bcrypt each time, which whoever floods its client_id could keep from it.
 */
export function createVerifiedSecrets(clock: Clock, { maxEntries = DEFAULT_ENTRIES, seconds = DEFAULT_SECONDS } = {}) {
  const processKey = randomBytes(32);
  const hashes = new LRUCache<string, string>({
    max: maxEntries,
    ttl: seconds * 1000,
    updateAgeOnGet: true,
    // The clock is asked each time, not once a millisecond of the real one.
    ttlResolution: 0,
    perf: { now: () => clock.nowMs() },
  });

  return {
    /**
     * Stands for a secret that a client has presented, right or wrong; nothing can be learnt from it. No two pairs have
     * the same: a chosen secret has no line break.
     */
    nameOf(clientId: string, secret: string): string {
      return createHmac('sha256', processKey).update(`${clientId}\n${secret}`).digest('base64');
    },

    /** The bcrypt hash that the secret of this name was proven against; undefined: none is remembered. */
    hashOf(name: string): string | undefined {
      return hashes.get(name);
    },

    add(name: string, hash: string): void {
      hashes.set(name, hash);
    },
  };
}

export type VerifiedSecrets = ReturnType<typeof createVerifiedSecrets>;
