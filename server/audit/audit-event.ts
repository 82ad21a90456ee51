export type AuditEventType =
  | 'api_key.created'
  | 'api_key.revoked'
  | 'api_key.restored'
  | 'api_key.deleted'
  | 'refresh_token.reused'
  | 'refresh_token.rolled_back'
  | 'signing_key.created'
  | 'signing_key.rotated'
  | 'signing_key.revoked';

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
  readonly detail: Readonly<Record<string, string | number | boolean | null>>;
  readonly createdAtMs: number;
}

/** Append-only. Answers or throws {@link DependencyUnavailable} within about a second. */
export interface AuditEventStore {
  append(event: AuditEvent): Promise<void>;
}
