import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import type { ApiKeyForExchange } from './api-key.ts';
import type { ApiKeyStore } from './api-key-store.ts';
import { type ReadyApiKey, readyApiKey } from './ready-api-key.ts';

/** What the token endpoint reads of API keys. Every method answers or throws {@link DependencyUnavailable}. */
export interface ApiKeyReader {
  /** By `key_…`, whatever the project. */
  findById(id: string): Promise<ReadyApiKey | null>;
  /** By the public client_id. */
  findByClientId(clientId: string): Promise<ReadyApiKey | null>;
  /** By the 25 random characters that end a client_id and stand in a generated secret. */
  findByClientIdSuffix(suffix: string): Promise<ReadyApiKey | null>;
  /** The permissions of a set that was once in force; null when unknown. */
  findPermissionSet(digest: string): Promise<readonly string[] | null>;
}

/** How long a key is believed without a look at the database: while that is down, keys in use go on for so long. */
const MAX_AGE_MS = 60_000;
/** Nobody announces a new key, so whoever asked for it too early waits this long. */
const ABSENT_MS = 500;
const MAX_ABSENT = 10_000;
const MAX_BYTES = 64 * 2 ** 20;
const MAX_KEYS = 50_000;
/** Sets that sessions name whose key was edited since: few, and their content never changes. */
const MAX_PERMISSION_SETS = 1_000;

interface Cached {
  readonly key: ReadyApiKey;
  readonly readAtMs: number;
}

/** As the database has room for; a longer name is nobody's, and must not fill the memory either. */
const MAX_NAME_CHARACTERS = 100;

/** Without the request that it was cut out of: V8 keeps the whole of a text alive for the sake of a part. */
const copyOf = (name: string): string => Buffer.from(name).toString();

/** Roughly: the record, and some 500 bytes for each compiled permission, 300 for each allowlist entry. */
function bytesOf({ key }: Cached): number {
  return (
    2_000 + key.effectivePermissions.reduce((sum, text) => sum + 500 + text.length, 0) + 300 * key.ipAllowlist.length
  );
}

/**
 * One way to look keys up. None learns from what was asked of another: anybody can send the suffix or the id of somebody's
 * key as a client_id, and that it is no client_id must not make that key unknown.
 *
 * @param nameOf what a key is found by here
 * @param ids by name; names never change, so nothing of this is ever forgotten
 */
function createLookup({
  find,
  nameOf,
  ids,
  keys,
  clock,
}: {
  readonly find: (name: string) => Promise<ApiKeyForExchange | null>;
  readonly nameOf: (key: ApiKeyForExchange) => string;
  readonly ids: { get(name: string): string | undefined; set(name: string, id: string): unknown };
  readonly keys: LRUCache<string, Cached>;
  readonly clock: Clock;
}) {
  /** When names were looked up that are nobody's. */
  const absent = new LRUCache<string, number>({ max: MAX_ABSENT });
  const reading = new Map<string, Promise<ReadyApiKey | null>>();

  function read(name: string): Promise<ReadyApiKey | null> {
    const shared = reading.get(name);
    if (shared !== undefined) return shared;
    const readAtMs = clock.nowMs();
    // No longer its own place in the list: something was forgotten since.
    const isCurrent = () => reading.get(name) === own;
    const own: Promise<ReadyApiKey | null> = find(name)
      .then((found) => {
        const key = found && readyApiKey(found);
        if (isCurrent()) install(name, key, readAtMs);
        return key;
      })
      .finally(() => {
        if (isCurrent()) reading.delete(name);
      });
    reading.set(name, own);
    return own;
  }

  function install(name: string, key: ReadyApiKey | null, readAtMs: number): void {
    if (key === null) {
      absent.set(copyOf(name), readAtMs);
      return;
    }
    keys.set(key.id, { key, readAtMs });
    ids.set(nameOf(key), key.id);
  }

  /** Null: nobody's, as was seen a moment ago. Undefined: to be read. */
  function recall(name: string): ReadyApiKey | null | undefined {
    const nowMs = clock.nowMs();
    const id = ids.get(name);
    const cached = id === undefined ? undefined : keys.get(id);
    if (cached !== undefined && nowMs - cached.readAtMs < MAX_AGE_MS) return cached.key;
    const absentSinceMs = absent.get(name);
    return absentSinceMs !== undefined && nowMs - absentSinceMs < ABSENT_MS ? null : undefined;
  }

  return {
    async find(name: string): Promise<ReadyApiKey | null> {
      if (name.length > MAX_NAME_CHARACTERS) return null;
      const key = recall(name);
      return key === undefined ? read(name) : key;
    },
    forget(): void {
      reading.clear();
      absent.clear();
    },
  };
}

/**
 * The API keys that were used last, with what follows from them: in most exchanges the database is not asked at all.
 *
 * - A key that was changed, or whose project was, is forgotten ({@link ApiKeyCache.forget}): at once by the instance that changed it, within a
 *   second by the others, which follow the list of changes.
 * - A read that began before something was forgotten neither installs what it finds nor is shared with whoever asks
 *   afterwards: it may have seen the state of before.
 * - One read at a time for one key, shared by all that ask meanwhile.
 * - Whatever is announced or not, nothing is believed for longer than a minute.
 *
 * Bounded: the keys used longest ago go first.
 *
 * @param clock monotonic, so that a jump of the wall clock neither ends nor prolongs a key's stay
 * @param maxKeys default 50,000; they take 64 MiB at most, by estimate
 */
export function createApiKeyCache({
  apiKeys,
  clock,
  maxKeys = MAX_KEYS,
}: {
  readonly apiKeys: Pick<ApiKeyStore, keyof ApiKeyReader>;
  readonly clock: Clock;
  readonly maxKeys?: number;
}) {
  const keys = new LRUCache<string, Cached>({ max: maxKeys, maxSize: MAX_BYTES, sizeCalculation: bytesOf });
  const permissionSets = new LRUCache<string, readonly string[]>({ max: MAX_PERMISSION_SETS });
  const shared = { keys, clock };
  const byId = createLookup({
    ...shared,
    find: (id) => apiKeys.findById(id),
    nameOf: ({ id }) => id,
    ids: { get: (id) => id, set() {} },
  });
  const byClientId = createLookup({
    ...shared,
    find: (clientId) => apiKeys.findByClientId(clientId),
    nameOf: ({ clientId }) => clientId,
    ids: new LRUCache({ max: maxKeys }),
  });
  const bySuffix = createLookup({
    ...shared,
    find: (suffix) => apiKeys.findByClientIdSuffix(suffix),
    nameOf: ({ clientId }) => clientId.slice(clientId.lastIndexOf('_') + 1),
    ids: new LRUCache({ max: maxKeys }),
  });

  const reader: ApiKeyReader = {
    findById: byId.find,
    findByClientId: byClientId.find,
    findByClientIdSuffix: bySuffix.find,
    async findPermissionSet(digest) {
      const known = permissionSets.get(digest);
      if (known !== undefined) return known;
      const found = await apiKeys.findPermissionSet(digest);
      if (found !== null) permissionSets.set(digest, found);
      return found;
    },
  };

  return {
    reader,
    /** Call after every change of these keys or of their projects, however it ended. Null: of any. */
    forget(changedIds: readonly string[] | null): void {
      for (const lookup of [byId, byClientId, bySuffix]) lookup.forget();
      if (changedIds === null) {
        keys.clear();
        return;
      }
      for (const id of changedIds) keys.delete(id);
      const projectIds = new Set(changedIds.filter((id) => id.startsWith('prj_')));
      if (projectIds.size === 0) return;
      for (const [id, { key }] of [...keys.entries()]) if (projectIds.has(key.projectId)) keys.delete(id);
    },
  };
}

export type ApiKeyCache = ReturnType<typeof createApiKeyCache>;

/** `apiKeys`, with what its writes change forgotten at once by this instance, also when a write fails half way. */
export function forgettingChanges(apiKeys: ApiKeyStore, { forget }: Pick<ApiKeyCache, 'forget'>): ApiKeyStore {
  return {
    findById: (id) => apiKeys.findById(id),
    findByClientId: (clientId) => apiKeys.findByClientId(clientId),
    findByClientIdSuffix: (suffix) => apiKeys.findByClientIdSuffix(suffix),
    findInProject: (projectId, id) => apiKeys.findInProject(projectId, id),
    findPermissionSet: (digest) => apiKeys.findPermissionSet(digest),
    list: (projectId, filter, page) => apiKeys.list(projectId, filter, page),
    recordUses: (uses) => apiKeys.recordUses(uses),
    insert: (key, event) => apiKeys.insert(key, event).finally(() => forget([key.id])),
    insertAll: (keys, events) => apiKeys.insertAll(keys, events).finally(() => forget(keys.map(({ id }) => id))),
    update: (projectId, id, decide) => apiKeys.update(projectId, id, decide).finally(() => forget([id])),
    delete: (projectId, ids, decide) => apiKeys.delete(projectId, ids, decide).finally(() => forget(ids)),
  };
}
