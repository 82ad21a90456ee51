import type { ChangeStore } from './change-store.ts';

const DEFAULT_POLL_MS = 250;

export interface ChangeFollower {
  /** Looks for changes from now on, in the background, without keeping the process alive. */
  start(): void;
  /** Ends that; resolves when nothing is under way. */
  stop(): Promise<void>;
}

/**
 * Tells this instance what any instance has changed, within the poll and a read of one row: well under a second. Asked of
 * the database that holds the objects themselves, so there is no message to lose and no second system that can be down
 * while changes go on.
 *
 * @param onChanged gets the ids of changed objects; null: everything may have changed. Called before the first poll is
 *   over too, because what was cached until then was cached without anybody watching.
 * @param pollMs pause between two polls, in milliseconds. Default 250.
 * @param onError called when a poll failed; the next one makes up for it.
 */
export function createChangeFollower({
  changes,
  onChanged,
  onError,
  pollMs = DEFAULT_POLL_MS,
}: {
  readonly changes: ChangeStore;
  readonly onChanged: (objectIds: readonly string[] | null) => void;
  readonly onError: (error: unknown) => void;
  readonly pollMs?: number;
}): ChangeFollower {
  let seen: number | null = null;
  let timer: NodeJS.Timeout | undefined;
  let underWay: Promise<void> = Promise.resolve();
  let isRunning = false;

  async function catchUp(): Promise<void> {
    const latest = await changes.latest();
    if (latest === seen) return;
    // A number that went back: the database was restored from a backup.
    const isKnown = seen !== null && latest > seen;
    const changed = isKnown ? await changes.changedObjects(seen as number, latest) : null;
    seen = latest;
    onChanged(changed);
  }

  async function poll(): Promise<void> {
    await catchUp().catch(onError);
    if (isRunning) schedule();
  }

  function schedule(): void {
    timer = setTimeout(() => {
      underWay = poll();
    }, pollMs).unref();
  }

  return {
    start() {
      if (isRunning) return;
      isRunning = true;
      underWay = poll();
    },
    async stop() {
      isRunning = false;
      clearTimeout(timer);
      await underWay;
    },
  };
}
