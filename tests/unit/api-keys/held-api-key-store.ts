import type { ApiKeyForExchange } from '../../../server/api-keys/api-key.ts';

/** How a key can be looked up, and what it is called by then. */
export const LOOKUPS = {
  findById: (key: ApiKeyForExchange) => key.id,
  findByClientId: (key: ApiKeyForExchange) => key.clientId,
  findByClientIdSuffix: (key: ApiKeyForExchange) => key.clientId.slice(-25),
} as const;

export type Lookup = keyof typeof LOOKUPS;
export const lookups = Object.keys(LOOKUPS) as Lookup[];

export interface HeldRead {
  readonly beganAtMs: number;
  /** Answers with what was stored when the read began, as far back as a read may see, or with what is stored now. */
  end(sees?: 'beginning' | 'now'): void;
  fail(): void;
}

export const HELD_FAILURE = new Error('the database is out of reach');

/** A key as it stands in storage; `secretVersion` tells its states apart. */
export function keyOf(letter: string, changes: Partial<ApiKeyForExchange> = {}): ApiKeyForExchange {
  return {
    id: `key_${letter.repeat(26)}`,
    clientId: `runner_${letter.repeat(25)}`,
    secretVersion: 0,
    effectivePermissions: [],
    ipAllowlist: [],
    ...changes,
  } as unknown as ApiKeyForExchange;
}

/** API keys in memory, whose reads end when the test says so. */
export function createHeldStore({ nowMs = () => 0 }: { readonly nowMs?: () => number } = {}) {
  const keys = new Map<string, ApiKeyForExchange>();
  const permissionSets = new Map<string, readonly string[]>();
  const pending = new Set<HeldRead>();
  let readCount = 0;

  function hold<T>(see: () => T): Promise<T> {
    readCount += 1;
    const atBeginning = see();
    return new Promise<T>((resolve, reject) => {
      const leaving = (work: () => void) => () => {
        pending.delete(read);
        work();
      };
      const read: HeldRead = {
        beganAtMs: nowMs(),
        end: (sees = 'now') => leaving(() => resolve(sees === 'now' ? see() : atBeginning))(),
        fail: leaving(() => reject(HELD_FAILURE)),
      };
      pending.add(read);
    });
  }

  const find = (lookup: Lookup) => (name: string) =>
    hold(() => [...keys.values()].find((key) => LOOKUPS[lookup](key) === name) ?? null);

  return {
    apiKeys: {
      findById: find('findById'),
      findByClientId: find('findByClientId'),
      findByClientIdSuffix: find('findByClientIdSuffix'),
      findPermissionSet: (digest: string) => hold(() => permissionSets.get(digest) ?? null),
    },
    keys,
    permissionSets,
    /** Reads under way, oldest first. */
    pending: (): readonly HeldRead[] => [...pending],
    /** All that were ever begun. */
    readCount: () => readCount,
    put: (key: ApiKeyForExchange) => void keys.set(key.id, key),
  };
}

/** Until all that follows from what has ended has happened. */
export const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
