import type { ApiKeyStore } from './api-key-store.ts';

/** What the token endpoint reads of API keys. */
export type ApiKeyReader = Pick<
  ApiKeyStore,
  'findById' | 'findByClientId' | 'findByClientIdSuffix' | 'findPermissionSet'
>;

const LONGEST_WAIT_MS = 50;

/** Resolves when the read has ended, however, or has taken long enough. */
function settledOrOld(read: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, LONGEST_WAIT_MS);
    const settle = () => {
      clearTimeout(timer);
      resolve();
    };
    read.then(settle, settle);
  });
}

/**
 * `read`, at most once at a time for one key. Whoever asks while a read is under way waits for the next one, together with
 * all that ask meanwhile: a thousand requests of one client cost the database two or three reads, and each still gets an
 * answer that was read after it had asked, so that a revocation is seen by every later request. Nobody waits long behind a
 * read that is slow, or fails because one before it did.
 */
function coalesced<T>(read: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const running = new Map<string, Promise<T>>();
  const waiting = new Map<string, Promise<T>>();

  function start(key: string): Promise<T> {
    const reading = read(key).finally(() => {
      if (running.get(key) === reading) running.delete(key);
    });
    running.set(key, reading);
    return reading;
  }

  return (key) => {
    const current = running.get(key);
    if (current === undefined) return start(key);
    let next = waiting.get(key);
    if (next === undefined) {
      next = settledOrOld(current).then(() => {
        waiting.delete(key);
        return start(key);
      });
      waiting.set(key, next);
    }
    return next;
  };
}

export function createApiKeyReader(apiKeys: ApiKeyStore): ApiKeyReader {
  return {
    findById: coalesced((id) => apiKeys.findById(id)),
    findByClientId: coalesced((clientId) => apiKeys.findByClientId(clientId)),
    findByClientIdSuffix: coalesced((suffix) => apiKeys.findByClientIdSuffix(suffix)),
    findPermissionSet: coalesced((digest) => apiKeys.findPermissionSet(digest)),
  };
}
