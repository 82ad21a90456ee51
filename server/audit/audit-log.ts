import type { Clock } from '../clock.ts';
import { newId } from '../random.ts';
import type { AuditEvent, AuditEventStore, AuditEventType } from './audit-event.ts';

export interface AuditOrigin {
  /** Absent: Keyturn itself, or whoever presented a token without proving anything. */
  readonly keyId?: string;
  readonly ip: string | null;
  readonly requestId: string | null;
}

/**
 * Records what was done. The write that it tells of has happened by then, so a store that fails to take the event must
 * not turn the answer into a failure: `onError` gets the event, to be logged whole.
 */
export function createAuditLog({
  events,
  clock,
  onError,
}: {
  readonly events: AuditEventStore;
  readonly clock: Clock;
  readonly onError: (error: unknown, event: AuditEvent) => void;
}) {
  return {
    async record(
      type: AuditEventType,
      { keyId, ip, requestId }: AuditOrigin,
      object: { readonly projectId: string | null; readonly objectId: string; readonly detail?: AuditEvent['detail'] },
    ): Promise<void> {
      const event: AuditEvent = {
        id: newId('evt'),
        type,
        projectId: object.projectId,
        actorId: keyId ?? null,
        objectId: object.objectId,
        ip,
        requestId,
        detail: object.detail ?? {},
        createdAtMs: clock.nowMs(),
      };
      try {
        await events.append(event);
      } catch (error) {
        onError(error, event);
      }
    },
  };
}

export type AuditLog = ReturnType<typeof createAuditLog>;
