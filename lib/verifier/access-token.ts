import type { EntityFilter, PermissionSet } from '../protocol/index.ts';
import type { AccessTokenClaims } from './access-token-claims.ts';
import type { JsonObject } from './canonical-json.ts';

/**
 * A verified access token. Immutable, because requests with the same token may share it; the token's own text is not in it
 * and can't leak from here into a log.
 */
export class AccessToken {
  /** `iss`: Keyturn's public URL. */
  readonly issuer: string;
  /** `sub`: id of the API key, `key_…`. */
  readonly keyId: string;
  /** `client_id`: public name of the API key. */
  readonly clientId: string;
  /** `project`: `prj_…`. */
  readonly projectId: string;
  /** `sid`: `ses_…`, or null for a token without session. */
  readonly sessionId: string | null;
  /** `jti`: names this token, in logs too. */
  readonly tokenId: string;
  /** `scope`, split. What the key was granted, not what is asked for here: use {@link can} to decide. */
  readonly permissions: readonly string[];
  readonly audience: readonly string[];
  /** `iat`: seconds since 1970. */
  readonly issuedAtSeconds: number;
  /** `exp`: seconds since 1970. */
  readonly expiresAtSeconds: number;
  /** Addresses and CIDR blocks that may use the token; empty: any. */
  readonly ipAllowlist: readonly string[];
  /** All claims as they were signed, frozen. */
  readonly claims: JsonObject;
  readonly #permissionSet: PermissionSet;

  constructor(claims: AccessTokenClaims) {
    this.issuer = claims.issuer;
    this.keyId = claims.keyId;
    this.clientId = claims.clientId;
    this.projectId = claims.projectId;
    this.sessionId = claims.sessionId;
    this.tokenId = claims.tokenId;
    this.permissions = claims.permissions.permissions;
    this.audience = Object.freeze(claims.audience);
    this.issuedAtSeconds = claims.issuedAtSeconds;
    this.expiresAtSeconds = claims.expiresAtSeconds;
    this.ipAllowlist = claims.ipAllowlist?.entries ?? NO_ENTRIES;
    this.claims = deepFreeze(claims.raw);
    this.#permissionSet = claims.permissions;
    Object.freeze(this);
  }

  /**
   * Is the permission, for example `read:credential/prod-db`, covered by those of the token?
   *
   * @throws {InvalidPermission} when the text is no permission; `requirePermission` answers 403 to ids that can't be one
   */
  can(permission: string): boolean {
    return this.#permissionSet.can(permission);
  }

  /**
   * Which entities may this caller list? `narrow('read:credential').includes('prod-db')` is `can('read:credential/prod-db')`,
   * and `patterns` can become a query.
   *
   * @throws {InvalidPermission} when the text is no permission
   */
  narrow(permission: string): EntityFilter {
    return this.#permissionSet.narrow(permission);
  }
}

const NO_ENTRIES: readonly string[] = Object.freeze([]);

function deepFreeze(value: JsonObject): JsonObject {
  for (const name in value) {
    const member = value[name];
    if (typeof member === 'object' && member !== null) deepFreeze(member as JsonObject);
  }
  return Object.freeze(value);
}
