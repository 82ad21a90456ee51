import { DependencyUnavailable } from '../dependency-unavailable.ts';
import type { AuditEvent, AuditEventStore } from './audit-event.ts';

/** One transaction. */
const MAX_BATCH = 200;
/** A store that is down must not fill the memory. */
const MAX_WAITING = 10_000;
const DEFAULT_PAUSE_MS = 100;
const DEFAULT_RETRY_MS = 2_000;

/** So many events wait to be stored that there is no room for another. */
export class AuditQueueFull extends Error {
  constructor() {
    super(`${MAX_WAITING} audit events wait to be stored`);
    this.name = 'AuditQueueFull';
  }
}

export interface EventQueueOptions {
  readonly events: Pick<AuditEventStore, 'append'>;
  /** Gets each event that will not be stored, and why. */
  readonly onLost: (error: unknown, event: AuditEvent) => void;
  /** Before each batch: whatever is done to the token endpoint, its events take one connection part of the time. */
  readonly pauseMs?: number;
  /** Before the next try of a store that was out of reach. */
  readonly retryMs?: number;
}

export interface EventQueue {
  /** Returns at once. */
  add(event: AuditEvent): void;
  /** Writes all that waits, each batch tried once; what can't be stored is lost. For the end of the process. */
  close(): Promise<void>;
}

/** Stores events in batches, in their order, off the path of whoever adds them. */
export function createEventQueue({
  events,
  onLost,
  pauseMs = DEFAULT_PAUSE_MS,
  retryMs = DEFAULT_RETRY_MS,
}: EventQueueOptions): EventQueue {
  const waiting: AuditEvent[] = [];
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<unknown> = Promise.resolve();

  /** Writes the first `count` that wait. Null: done; else why the store can't take anything now. */
  async function write(count: number): Promise<DependencyUnavailable | null> {
    const batch = waiting.slice(0, count);
    try {
      await events.append(batch);
    } catch (error) {
      if (error instanceof DependencyUnavailable) return error;
      // One that the store can't take must not hold up the others.
      if (batch.length > 1) return writeSingly(batch.length);
      for (const event of batch) onLost(error, event);
    }
    waiting.splice(0, batch.length);
    return null;
  }

  async function writeSingly(count: number): Promise<DependencyUnavailable | null> {
    for (let written = 0; written < count; written += 1) {
      const failure = await write(1);
      if (failure !== null) return failure;
    }
    return null;
  }

  function schedule(delayMs: number): void {
    timer ??= setTimeout(() => {
      writing = write(MAX_BATCH).then((failure) => {
        timer = undefined;
        if (waiting.length > 0) schedule(failure === null ? pauseMs : retryMs);
      });
    }, delayMs).unref();
  }

  return {
    add(event) {
      if (waiting.length >= MAX_WAITING) return onLost(new AuditQueueFull(), event);
      waiting.push(event);
      schedule(pauseMs);
    },

    async close() {
      await writing;
      clearTimeout(timer);
      let failure: DependencyUnavailable | null = null;
      while (waiting.length > 0 && failure === null) failure = await write(MAX_BATCH);
      for (const event of waiting.splice(0)) onLost(failure, event);
    },
  };
}
