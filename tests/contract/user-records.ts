import { randomUUID } from 'node:crypto';
import { type AuditEventType, newAuditEvent } from '../../server/audit/audit-event.ts';
import { newId } from '../../server/random.ts';
import { type ConsoleSession, newConsoleSession } from '../../server/users/console-session.ts';
import { newSetupLink, type SetupLink } from '../../server/users/setup-link.ts';
import type { Account } from '../../server/users/user.ts';

export const NOW_MS = 1_800_000_000_000;

export function anAccount(fields: Partial<Account> = {}): Account {
  return {
    id: newId('usr'),
    email: `${randomUUID()}@example.com`,
    name: 'Ada',
    permissions: ['*:keyturn-installation'],
    passwordHash: null,
    lastSignInAtMs: null,
    version: 1,
    createdAtMs: NOW_MS,
    updatedAtMs: NOW_MS,
    ...fields,
  };
}

export const aLink = (): SetupLink => newSetupLink('key_someone', NOW_MS, 'https://keyturn.example').link;

export const aSession = (userId: string, nowMs = NOW_MS): ConsoleSession =>
  newConsoleSession(userId, nowMs, { ip: '192.0.2.1', userAgent: 'a browser' }).session;

export const anEvent = (type: AuditEventType, objectId: string) =>
  newAuditEvent(
    { nowMs: () => NOW_MS },
    type,
    { actorId: null, ip: null, requestId: null },
    { projectId: null, objectId },
  );
