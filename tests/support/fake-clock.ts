import type { Clock } from '../../server/clock.ts';

/** A clock that stands still until it is told otherwise. */
export function createFakeClock(nowMs = 1_800_000_000_000): Clock & { advance(milliseconds: number): void } {
  let currentMs = nowMs;
  return {
    nowMs: () => currentMs,
    advance(milliseconds) {
      currentMs += milliseconds;
    },
  };
}
