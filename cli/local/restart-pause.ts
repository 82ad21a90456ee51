/** A worker that has served this long is replaced at once, whatever happened before it. */
export const STEADY_MS = 10_000;

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Milliseconds before a worker that ended by itself is replaced. Doubles, so that workers which can't stay up don't take
 * the processor from those that can.
 *
 * @param quickEnds how many in a row have ended before they were steady
 */
export function restartPauseMs(quickEnds: number): number {
  return quickEnds === 0 ? 0 : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (quickEnds - 1));
}
