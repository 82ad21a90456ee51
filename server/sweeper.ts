const PAUSE_MS = 60_000;
const BATCH = 1_000;

export interface Sweeper {
  start(): void;
  stop(): void;
}

/**
 * Deletes what has expired where the store does not do so by itself, a minute after the last round, in batches that hold no
 * lock for long. Nothing depends on it: what has expired is not used any more, whether it has been swept or not.
 */
export function createSweeper({
  deleteExpired,
  onError,
}: {
  /** Deletes at most `limit` and says how many. */
  readonly deleteExpired: (limit: number) => Promise<number>;
  readonly onError: (error: unknown) => void;
}): Sweeper {
  let timer: NodeJS.Timeout | undefined;
  let isRunning = false;

  async function sweep(): Promise<void> {
    try {
      while (isRunning && (await deleteExpired(BATCH)) === BATCH);
    } catch (error) {
      onError(error);
    }
    schedule();
  }

  function schedule(): void {
    if (isRunning) timer = setTimeout(() => void sweep(), PAUSE_MS).unref();
  }

  return {
    start() {
      isRunning = true;
      schedule();
    },
    stop() {
      isRunning = false;
      clearTimeout(timer);
    },
  };
}
