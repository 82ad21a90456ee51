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
  readonly permissions: readonly string[];
  /** Canonical addresses and CIDRs; empty: any address. */
  readonly ipAllowlist: readonly string[];
  readonly expiresAtMs: number | null;
  /** False once revoked. */
  readonly isValid: boolean;
  /** Tagged: `sha256:<base64url>` of a generated secret, `bcrypt:$2b$…` of a chosen one. */
  readonly secretHash: string;
  /** Last four characters of the secret. */
  readonly hint: string;
  /** Counts from 1, up by one whenever the secret changes; part of the key under which a verified secret is remembered. */
  readonly secretVersion: number;
  /** False: exchanges give an access token only. */
  readonly refreshTokens: boolean;
  readonly refreshRequiresClientAuth: boolean;
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
}
