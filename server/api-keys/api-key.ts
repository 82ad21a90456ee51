import type { RoleAssignment } from '../access-control/role-assignment.ts';

/** What was the secret before the key was regenerated with an overlap. */
export interface PreviousSecret {
  /** As {@link ApiKey.secretHash}. */
  readonly hash: string;
  readonly hint: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /** Null: never. */
  readonly lastUsedAtMs: number | null;
}

/** The API key: the OAuth client of RFC 6749 §2. */
export interface ApiKey {
  /** `key_…` */
  readonly id: string;
  readonly projectId: string;
  /** Public name, never changes: slug of the first name + `_` + 25 random lower-case letters and digits. */
  readonly clientId: string;
  readonly name: string;
  readonly description: string | null;
  /** `usr_…`, the user answerable for the key. */
  readonly ownerId: string;
  /** Its own; see {@link ApiKey.effectivePermissions}. */
  readonly permissions: readonly string[];
  readonly roles: readonly RoleAssignment[];
  /** What it may do: its own permissions and those of its roles. */
  readonly effectivePermissions: readonly string[];
  /** Canonical addresses and CIDRs; empty: any address. */
  readonly ipAllowlist: readonly string[];
  readonly expiresAtMs: number | null;
  /** False once revoked. */
  readonly isValid: boolean;
  /** Tagged: `sha256:<base64url>` of a generated secret, `bcrypt:$2b$…` of a chosen one. */
  readonly secretHash: string;
  /** Last four characters of the secret. */
  readonly hint: string;
  /** Counts from 1, up by one whenever the secret changes. */
  readonly secretVersion: number;
  /** When the current secret replaced another; that of the key's creation until then. */
  readonly secretCreatedAtMs: number;
  readonly secretLastUsedAtMs: number | null;
  /** Proves the key beside the current one, until its end; null: there is none. */
  readonly previousSecret: PreviousSecret | null;
  /** False: exchanges give an access token only. */
  readonly refreshTokens: boolean;
  readonly refreshRequiresClientAuth: boolean;
  /** From 1, up by one with each edit; uses don't count. */
  readonly version: number;
  readonly createdAtMs: number;
  /** Id of the API key or user that created it; null for the one made by bootstrap. */
  readonly createdBy: string | null;
  readonly updatedAtMs: number;
  readonly lastUsedAtMs: number | null;
  readonly lastUsedIp: string | null;
  readonly lastDeniedAtMs: number | null;
  readonly lastDeniedReason: string | null;
}

/** An API key together with what the token endpoint needs of its project: one read. */
export interface ApiKeyForExchange extends ApiKey {
  /** The project's audiences; empty: the issuer alone. */
  readonly projectAudiences: readonly string[];
  /** When it was last edited, or a role that it has; what it was created with holds since {@link ApiKey.createdAtMs}. */
  readonly rightsChangedAtMs: number;
}
