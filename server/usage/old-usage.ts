import type { Clock } from '../clock.ts';
import type { UsageStore } from './usage-store.ts';

const HOUR_MS = 3_600_000;
/** How long hours of use are kept. */
export const USAGE_DAYS = 90;

/** Deletes what is older than it is kept for, at most `limit` rows; for a sweeper. */
export function deletesOldUsage(usage: Pick<UsageStore, 'deleteBefore'>, clock: Clock) {
  return (limit: number): Promise<number> => {
    const nowMs = clock.nowMs();
    // A batch is sent again for as long as its instance lives; after an hour without its answer that is no race any more.
    return usage.deleteBefore(nowMs - USAGE_DAYS * 24 * HOUR_MS, nowMs - HOUR_MS, limit);
  };
}
