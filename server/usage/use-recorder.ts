import type { ApiKeyStore, ApiKeyUse, SecretUse } from '../api-keys/api-key-store.ts';
import type { Clock } from '../clock.ts';
import { DependencyUnavailable } from '../dependency-unavailable.ts';
import { type CountedUse, createKeyCounts } from './key-counts.ts';
import type { UsageBatch, UsageStore } from './usage-store.ts';

const DEFAULT_FLUSH_MS = 2_000;
/** Past this many keys between two flushes more are dropped: a store that is down must not fill the memory. */
const MAX_PENDING_KEYS = 100_000;

const merge = (older: ApiKeyUse, newer: ApiKeyUse): ApiKeyUse => ({
  keyId: older.keyId,
  usedAtMs: newer.usedAtMs ?? older.usedAtMs,
  usedIp: newer.usedAtMs === null ? older.usedIp : newer.usedIp,
  deniedAtMs: newer.deniedAtMs ?? older.deniedAtMs,
  deniedReason: newer.deniedReason ?? older.deniedReason,
  secretUses: newestUses(older.secretUses, newer.secretUses),
});

/** The last of each secret: there are two at most, unless the key is regenerated again and again between two batches. */
function newestUses(older: readonly SecretUse[], newer: readonly SecretUse[]): readonly SecretUse[] {
  // On every exchange's and refresh's path: mostly there is nothing to merge.
  if (newer.length === 0) return older;
  if (older.length === 0 || (older.length === 1 && older[0]?.secretVersion === newer[0]?.secretVersion)) return newer;
  return [...new Map([...older, ...newer].map((use) => [use.secretVersion, use])).values()];
}

/**
 * Collects when keys were last used and last denied, and how often, and writes it in batches, never on a request's path. A
 * crash loses at most the last flush interval; a batch that can't be written is tried again with the next one, and is
 * counted once even where its first commit took place and only the answer was lost.
 */
export function createUseRecorder({
  apiKeys,
  usage,
  clock,
  onError,
  flushMs = DEFAULT_FLUSH_MS,
}: {
  readonly apiKeys: Pick<ApiKeyStore, 'recordUses'>;
  readonly usage: Pick<UsageStore, 'add'>;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
  readonly flushMs?: number;
}) {
  let pending = new Map<string, ApiKeyUse>();
  const counts = createKeyCounts();
  /** Taken from the counts; as long as they can't be written, the rest goes on being counted together. */
  let batches: readonly UsageBatch[] = [];
  let timer: NodeJS.Timeout | null = null;
  let writing: Promise<unknown> = Promise.resolve();

  function schedule(): void {
    timer ??= setTimeout(() => void flush(), flushMs).unref();
  }

  function note(use: ApiKeyUse): void {
    const known = pending.get(use.keyId);
    if (known === undefined && pending.size >= MAX_PENDING_KEYS) return;
    pending.set(use.keyId, known === undefined ? use : merge(known, use));
    schedule();
  }

  async function flush(): Promise<void> {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    writing = writing.then(() => Promise.all([writeUses(), writeCounts()]));
    await writing;
  }

  async function writeCounts(): Promise<void> {
    if (batches.length > 0) await writeBatches();
    if (batches.length > 0) return;
    batches = counts.take();
    await writeBatches();
  }

  async function writeBatches(): Promise<void> {
    for (const batch of batches) {
      try {
        await usage.add(batch, clock.nowMs());
      } catch (error) {
        onError(error);
        if (error instanceof DependencyUnavailable) return schedule();
      }
      batches = batches.filter((unwritten) => unwritten !== batch);
    }
  }

  async function writeUses(): Promise<void> {
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
      schedule();
    }
  }

  return {
    /** @param secretVersion of the secret that proved it; null: none did, as at most refreshes */
    used(keyId: string, ip: string | null, secretVersion: number | null, use: Exclude<CountedUse, 'denials'>): void {
      const usedAtMs = clock.nowMs();
      counts.count(keyId, use, usedAtMs);
      const secretUses = secretVersion === null ? [] : [{ secretVersion, usedAtMs }];
      note({ keyId, usedAtMs, usedIp: ip, deniedAtMs: null, deniedReason: null, secretUses });
    },
    denied(keyId: string, reason: string): void {
      const deniedAtMs = clock.nowMs();
      counts.count(keyId, 'denials', deniedAtMs);
      note({ keyId, usedAtMs: null, usedIp: null, deniedAtMs, deniedReason: reason, secretUses: [] });
    },
    /** Writes what is pending; called at shutdown too. */
    flush,
  };
}

export type UseRecorder = ReturnType<typeof createUseRecorder>;
