import type { Clock } from '../clock.ts';
import type { Page, PageRequest } from '../page.ts';
import { newId } from '../random.ts';

/** `object.what-happened`. Append only: stored events keep their names. */
export const AUDIT_EVENT_TYPES = [
  'project.created',
  'project.updated',
  'project.deleted',
  'workspace.created',
  'workspace.updated',
  'workspace.deleted',
  'role.created',
  'role.updated',
  'role.deleted',
  'permission_catalog.replaced',
  'member.added',
  'member.updated',
  'member.removed',
  'user.created',
  'user.updated',
  'user.deleted',
  'user.invited',
  'user.password_set',
  'user.signed_in',
  'user.signed_out',
  'user.sign_in_failed',
  'user.locked_out',
  'api_key.created',
  'api_key.updated',
  'api_key.revoked',
  'api_key.restored',
  'api_key.regenerated',
  'api_key.deleted',
  'api_key.denied',
  'session.revoked',
  'refresh_token.reused',
  'refresh_token.rolled_back',
  'signing_key.created',
  'signing_key.rotated',
  'signing_key.revoked',
] as const;

export type AuditEventType = (typeof AUDIT_EVENT_TYPES)[number];

/** Plain JSON, never a secret. */
export type AuditValue =
  | string
  | number
  | boolean
  | null
  | readonly AuditValue[]
  | { readonly [name: string]: AuditValue };

/** Who did what to which object, when, from which IP. Never a secret. */
export interface AuditEvent {
  /** `evt_…` */
  readonly id: string;
  readonly type: AuditEventType;
  readonly projectId: string | null;
  /** Id of the API key or user that acted; null for Keyturn itself and for whoever presented a spent token. */
  readonly actorId: string | null;
  readonly objectId: string;
  readonly ip: string | null;
  readonly requestId: string | null;
  /** What is to be known beside that; for an edit `before` and `after` of what changed, in the API's words. */
  readonly detail: Readonly<Record<string, AuditValue>>;
  readonly createdAtMs: number;
}

/** Who acted, and from where. */
export interface AuditOrigin {
  /** Null: Keyturn itself, or whoever presented something without proving anything. */
  readonly actorId: string | null;
  readonly ip: string | null;
  readonly requestId: string | null;
}

export const KEYTURN_ITSELF: AuditOrigin = { actorId: null, ip: null, requestId: null };

export interface AuditedObject {
  readonly projectId: string | null;
  readonly objectId: string;
  readonly detail?: AuditEvent['detail'];
}

/** A new event. Whoever writes what it tells of passes it on to be stored in the same transaction. */
export function newAuditEvent(
  clock: Clock,
  type: AuditEventType,
  { actorId, ip, requestId }: AuditOrigin,
  { projectId, objectId, detail = {} }: AuditedObject,
): AuditEvent {
  return { id: newId('evt'), type, projectId, actorId, objectId, ip, requestId, detail, createdAtMs: clock.nowMs() };
}

export interface AuditEventFilter {
  /** Null: what belongs to no project. */
  readonly projectId: string | null;
  readonly actorId?: string | undefined;
  readonly objectId?: string | undefined;
  readonly type?: AuditEventType | undefined;
  readonly ip?: string | undefined;
  /** Included. */
  readonly sinceMs?: number | undefined;
  /** Excluded. */
  readonly untilMs?: number | undefined;
}

/** A stored event, with its place in the chain; events of before the chain have none. */
export interface StoredAuditEvent extends AuditEvent {
  readonly sequence: number | null;
}

/**
 * Append-only; each event is chained to the one before by a MAC, so that an edited, deleted or moved one is found. Answers
 * or throws {@link DependencyUnavailable} within about a second.
 */
export interface AuditEventStore {
  /** All of them or none, in their order; one that is there already is passed over, so that it may be sent again. */
  append(events: readonly AuditEvent[]): Promise<void>;
  list(filter: AuditEventFilter, page: PageRequest<'created_at'>): Promise<Page<StoredAuditEvent>>;
}
