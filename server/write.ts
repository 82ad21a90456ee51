import type { AuditEvent } from './audit/audit-event.ts';

/**
 * What is to be written of an object that was found, and the event that tells of it, stored in the same transaction. Null
 * for `event`: nothing has changed, and nothing is written.
 */
export interface Write<T> {
  readonly object: T;
  readonly event: AuditEvent | null;
}

/**
 * Decides on the object as it is, locked until the write is over, so that nobody's change is lost and nothing is checked that
 * is no longer so. May be called again after a deadlock: no effects. What it throws ends the transaction and is passed on.
 */
export type Decide<T> = (current: T) => Write<T>;

/** As {@link Decide}, of a deletion. */
export type DecideDelete<T> = (current: T) => AuditEvent;
