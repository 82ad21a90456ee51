import type { RunningService } from '../../server/main.ts';

/** What `keyturn serve` runs, one process or several, as signals drive it. */
export interface Serving {
  /** Resolves once it serves. */
  start(): Promise<Pick<RunningService, 'port' | 'bootstrapped'>>;
  /** Finishes the requests in flight. Throws when that did not go well. */
  stop(): Promise<void>;
  /** Puts fresh processes in the place of those that serve, if there are such. */
  restart(): void;
  /** Ends the other processes: they are told before this returns, and dead when it resolves. */
  kill(): Promise<void>;
  /** Rejects when it can't go on. */
  readonly failed: Promise<never>;
}
