import type { Clock } from '../clock.ts';
import { type AuditEventType, type AuditedObject, type AuditOrigin, newAuditEvent } from './audit-event.ts';
import { createEventQueue, type EventQueueOptions } from './event-queue.ts';

/**
 * Records what happened outside of any write of a store: security events above all. What they tell of has happened, so a
 * store that fails must not turn the answer into a failure. Management writes store their events themselves, in their own
 * transactions.
 */
export function createAuditLog({ clock, ...options }: EventQueueOptions & { readonly clock: Clock }) {
  const queue = createEventQueue(options);
  return {
    /** Stored within a moment, off the request's path. */
    record(type: AuditEventType, origin: AuditOrigin, object: AuditedObject): void {
      queue.add(newAuditEvent(clock, type, origin, object));
    },

    /** Stored when this resolves; where the store can't take it now, it waits with those of {@link record}. */
    async recordNow(type: AuditEventType, origin: AuditOrigin, object: AuditedObject): Promise<void> {
      const event = newAuditEvent(clock, type, origin, object);
      try {
        await options.events.append([event]);
      } catch {
        queue.add(event);
      }
    },

    /** Writes what waits. */
    close: (): Promise<void> => queue.close(),
  };
}

export type AuditLog = ReturnType<typeof createAuditLog>;
