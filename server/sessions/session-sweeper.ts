const PAUSE_MS = 60_000;
const BATCH = 1_000;

export interface SessionSweeper {
  start(): void;
  stop(): void;
}

/**
 * Deletes expired sessions where the store does not do so by itself, a minute after the last round, in batches that hold
 * no lock for long. Expired sessions are refused whether they have been swept or not.
 */
export function createSessionSweeper({
  deleteExpired,
  onError,
}: {
  /** Deletes at most `limit` and says how many. */
  readonly deleteExpired: (limit: number) => Promise<number>;
  readonly onError: (error: unknown) => void;
}): SessionSweeper {
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
