/** The only place of the server that reads clocks; tests pass their own. */
export interface Clock {
  /** Milliseconds since the Unix epoch; of {@link monotonicClock}, since the process began. */
  nowMs(): number;
}

export const systemClock: Clock = { nowMs: () => Date.now() };

/** For durations: never jumps, whatever is done to the machine's clock. */
export const monotonicClock: Clock = { nowMs: () => performance.now() };
