/**
 * A session is the line of refresh tokens that began with one exchange (RFC 9700 §4.14.2 calls it a family). Its whole
 * state is one small record; no usable token is in it.
 */
export interface Session {
  /** `ses_…` */
  readonly id: string;
  /** `key_…`, the API key that the session belongs to. */
  readonly keyId: string;
  /** Version of the secret that it began with, from 1. */
  readonly secretVersion: number;
  /** Generation of the newest refresh token, from 1. Every lower one is spent. */
  readonly generation: number;
  /** Which attempt made the newest generation; the same attempt, sent again by a driver, gets the same answer. */
  readonly attemptId: string;
  /** When the newest generation was made, by the store's clock; may be 0 for the first. */
  readonly rotatedAtMs: number;
  /** Absolute end by the store's clock; null where sessions are unbounded. */
  readonly endsAtMs: number | null;
  /** Address that the newest generation was given to; null where it could not be told. */
  readonly lastIp: string | null;
  readonly grant: SessionGrant;
}

/**
 * What was granted at the exchange. It never changes (RFC 6749 §6: a refresh may narrow its access token, not widen the
 * session).
 */
export interface SessionGrant {
  /** The permissions that were asked for by `scope`; null: all that the key held, named by `permissionSet`. */
  readonly permissions: readonly string[] | null;
  /** Digest of the key's whole permission set at the exchange; null where `permissions` is set. */
  readonly permissionSet: string | null;
  /** The `resource` asked for (RFC 8707); null: the project's audiences. */
  readonly resource: string | null;
}
