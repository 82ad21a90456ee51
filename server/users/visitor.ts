import type { IpAddress } from '@keyturn/lib/protocol';
import { type AuditEvent, type AuditEventType, type AuditOrigin, newAuditEvent } from '../audit/audit-event.ts';
import type { Clock } from '../clock.ts';
import { type ConsoleSession, newConsoleSession } from './console-session.ts';

/** Where a request of the console comes from. */
export interface Visitor {
  readonly ip: IpAddress | null;
  readonly userAgent: string | null;
  readonly requestId: string;
}

/** The session, and the cookie's value, which is to be sent once. */
export interface SignedIn {
  readonly session: ConsoleSession;
  readonly token: string;
}

/** @param actorId null: nobody has proven who they are */
export function originOf({ ip, requestId }: Visitor, actorId: string | null): AuditOrigin {
  return { actorId, ip: ip?.text ?? null, requestId };
}

/** What a user has done about themselves. */
export function ownEvent(clock: Clock, type: AuditEventType, userId: string, visitor: Visitor): AuditEvent {
  return newAuditEvent(clock, type, originOf(visitor, userId), { projectId: null, objectId: userId });
}

export function sessionFor(userId: string, { ip, userAgent }: Visitor, clock: Clock): SignedIn {
  return newConsoleSession(userId, clock.nowMs(), { ip: ip?.text ?? null, userAgent });
}
