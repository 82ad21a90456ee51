/** How often a key was used in one hour. */
export interface HourOfUse {
  readonly hourAtMs: number;
  readonly exchanges: number;
  readonly refreshes: number;
  /** The key was proven, and refused. */
  readonly denials: number;
}

export interface KeyHourOfUse extends HourOfUse {
  readonly keyId: string;
}

/** Counts that belong together, under a name of their own. */
export interface UsageBatch {
  readonly id: string;
  /** One for each key and hour. */
  readonly hours: readonly KeyHourOfUse[];
}

/** Answers or throws {@link DependencyUnavailable} within about a second. */
export interface UsageStore {
  /** Adds to what is counted; a batch that was added already changes nothing, so that it may be sent again. */
  add(batch: UsageBatch, nowMs: number): Promise<void>;
  /** Hours without any use are left out; by time. `sinceMs` is included, `untilMs` is not. */
  hoursOfKey(keyId: string, sinceMs: number, untilMs: number): Promise<readonly HourOfUse[]>;
  /**
   * Removes hours and names of batches from before; of the hours at most `limit` rows, all of one hour, and says how many:
   * as many as `limit` means there may be more.
   */
  deleteBefore(hoursBeforeMs: number, batchesBeforeMs: number, limit: number): Promise<number>;
}
