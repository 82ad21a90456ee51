import { randomBase64url } from '../random.ts';
import type { KeyHourOfUse, UsageBatch } from './usage-store.ts';

const HOUR_MS = 3_600_000;
/** Past so many keys, in each of their hours, more are not counted: a store that is down must not fill the memory. */
const MAX_COUNTED = 100_000;
/** One transaction: few enough to end in time on a slow server. */
const HOURS_PER_BATCH = 1_000;

export type CountedUse = 'exchanges' | 'refreshes' | 'denials';

type Counts = Record<CountedUse, number>;

/** What keys did since the last {@link take}, by the hour. */
export function createKeyCounts() {
  let hours = new Map<number, Map<string, Counts>>();
  let size = 0;

  function keysOf(nowMs: number): Map<string, Counts> {
    const hourAtMs = nowMs - (nowMs % HOUR_MS);
    const known = hours.get(hourAtMs);
    if (known !== undefined) return known;
    const keys = new Map<string, Counts>();
    hours.set(hourAtMs, keys);
    return keys;
  }

  return {
    count(keyId: string, use: CountedUse, nowMs: number): void {
      const keys = keysOf(nowMs);
      const counts = keys.get(keyId);
      if (counts !== undefined) {
        counts[use] += 1;
      } else if (size < MAX_COUNTED) {
        keys.set(keyId, { exchanges: 0, refreshes: 0, denials: 0, [use]: 1 });
        size += 1;
      }
    },

    /** All that was counted, which begins anew. */
    take(): UsageBatch[] {
      const counted = [...hours].flatMap(([hourAtMs, keys]) =>
        [...keys].map(([keyId, counts]): KeyHourOfUse => ({ keyId, hourAtMs, ...counts })),
      );
      hours = new Map();
      size = 0;
      const batches: UsageBatch[] = [];
      for (let start = 0; start < counted.length; start += HOURS_PER_BATCH)
        batches.push({ id: randomBase64url(16), hours: counted.slice(start, start + HOURS_PER_BATCH) });
      return batches;
    },
  };
}
