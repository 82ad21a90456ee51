import type { ApiKeyStore, ApiKeyUse } from '../api-keys/api-key-store.ts';
import type { Clock } from '../clock.ts';

const DEFAULT_FLUSH_MS = 2_000;
/** Past this many keys between two flushes more are dropped: a store that is down must not fill the memory. */
const MAX_PENDING_KEYS = 100_000;

const merge = (older: ApiKeyUse, newer: ApiKeyUse): ApiKeyUse => ({
  keyId: older.keyId,
  usedAtMs: newer.usedAtMs ?? older.usedAtMs,
  usedIp: newer.usedAtMs === null ? older.usedIp : newer.usedIp,
  deniedAtMs: newer.deniedAtMs ?? older.deniedAtMs,
  deniedReason: newer.deniedReason ?? older.deniedReason,
});

/**
 * Collects when keys were last used and last denied, and writes them in batches, never on a request's path. A crash
 * loses at most the last flush interval; a batch that can't be written is tried again with the next one.
 */
export function createUseRecorder({
  apiKeys,
  clock,
  onError,
  flushMs = DEFAULT_FLUSH_MS,
}: {
  readonly apiKeys: Pick<ApiKeyStore, 'recordUses'>;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
  readonly flushMs?: number;
}) {
  let pending = new Map<string, ApiKeyUse>();
  let timer: NodeJS.Timeout | null = null;

  function note(use: ApiKeyUse): void {
    const known = pending.get(use.keyId);
    if (known === undefined && pending.size >= MAX_PENDING_KEYS) return;
    pending.set(use.keyId, known === undefined ? use : merge(known, use));
    timer ??= setTimeout(() => void flush(), flushMs).unref();
  }

  async function flush(): Promise<void> {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const batch = pending;
    if (batch.size === 0) return;
    pending = new Map();
    try {
      await apiKeys.recordUses([...batch.values()]);
    } catch (error) {
      onError(error);
      const newer = pending;
      pending = batch;
      for (const use of newer.values()) note(use);
      timer ??= setTimeout(() => void flush(), flushMs).unref();
    }
  }

  return {
    used(keyId: string, ip: string | null): void {
      note({ keyId, usedAtMs: clock.nowMs(), usedIp: ip, deniedAtMs: null, deniedReason: null });
    },
    denied(keyId: string, reason: string): void {
      note({ keyId, usedAtMs: null, usedIp: null, deniedAtMs: clock.nowMs(), deniedReason: reason });
    },
    /** Writes what is pending; called at shutdown too. */
    flush,
  };
}

export type UseRecorder = ReturnType<typeof createUseRecorder>;
