import type { Clock } from '../clock.ts';
import {
  type AuditEvent,
  type AuditEventStore,
  type AuditEventType,
  type AuditedObject,
  type AuditOrigin,
  newAuditEvent,
} from './audit-event.ts';

/**
 * Records what happened outside of any write of a store: security events. What they tell of has happened, so a store that
 * fails to take one must not turn the answer into a failure: `onError` gets the event, to be logged whole. Management
 * writes store their events themselves, in their own transactions.
 */
export function createAuditLog({
  events,
  clock,
  onError,
}: {
  readonly events: Pick<AuditEventStore, 'append'>;
  readonly clock: Clock;
  readonly onError: (error: unknown, event: AuditEvent) => void;
}) {
  return {
    async record(type: AuditEventType, origin: AuditOrigin, object: AuditedObject): Promise<void> {
      const event = newAuditEvent(clock, type, origin, object);
      try {
        await events.append([event]);
      } catch (error) {
        onError(error, event);
      }
    },
  };
}

export type AuditLog = ReturnType<typeof createAuditLog>;
