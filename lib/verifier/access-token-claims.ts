import { IpAllowlist, PermissionSet } from '../protocol/index.ts';
import { RecentMap } from '../protocol/recent-map.ts';
import { type JsonObject, parseCanonicalJsonObject } from './canonical-json.ts';
import { VerificationError } from './verification-error.ts';

/**
 * The tokens of one API key nearly always have one scope text, and compiling it costs about as much as all other claims
 * together. Only scopes under a valid signature get here. A compiled permission takes 0.4 KiB: all of them, 6 MiB.
 */
const rememberedScopes = new RecentMap<PermissionSet>({
  maxEntries: 512,
  maxWeight: 16_384,
  weightOf: ({ permissions }) => permissions.length,
});

/** The claims of an access token (RFC 9068 §2.2 and Keyturn's own), each known to be of its type. Nothing is compared yet. */
export interface AccessTokenClaims {
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly keyId: string;
  readonly clientId: string;
  readonly projectId: string;
  readonly sessionId: string | null;
  readonly tokenId: string;
  readonly permissions: PermissionSet;
  readonly issuedAtSeconds: number;
  readonly notBeforeSeconds: number | null;
  readonly expiresAtSeconds: number;
  /** Null when the token may be used from anywhere. */
  readonly ipAllowlist: IpAllowlist | null;
  /** RFC 7800: only the holder of some key may use the token. */
  readonly isSenderConstrained: boolean;
  readonly raw: JsonObject;
}

/**
 * Reads the payload of a token whose signature is valid. Types are strict (CVE-2025-30144: an `iss` array passed for the
 * string in it; `exp: "9e9"` or a float never expires somewhere), and what is missing is refused, not defaulted.
 *
 * @throws {VerificationError} `claims_malformed`, naming the claim
 */
export function parseAccessTokenClaims(segment: string): AccessTokenClaims {
  const raw = parseCanonicalJsonObject(segment);
  if (raw === null) {
    throw new VerificationError('claims_malformed', 'the payload is not a JSON object in its one canonical form');
  }
  return {
    issuer: textClaim(raw, 'iss'),
    audience: parseAudience(raw['aud']),
    keyId: textClaim(raw, 'sub'),
    clientId: textClaim(raw, 'client_id'),
    projectId: textClaim(raw, 'project'),
    sessionId: raw['sid'] === undefined ? null : textClaim(raw, 'sid'),
    tokenId: textClaim(raw, 'jti'),
    permissions: parseScope(raw['scope']),
    issuedAtSeconds: timeClaim(raw, 'iat'),
    notBeforeSeconds: raw['nbf'] === undefined ? null : timeClaim(raw, 'nbf'),
    expiresAtSeconds: timeClaim(raw, 'exp'),
    ipAllowlist: parseIpAllowlist(raw['ip_allowlist']),
    isSenderConstrained: Object.hasOwn(raw, 'cnf'),
    raw,
  };
}

function textClaim(claims: JsonObject, claim: string): string {
  const value = claims[claim];
  if (typeof value !== 'string' || value === '') throw malformedClaim(claim, value, 'a non-empty string');
  return value;
}

function timeClaim(claims: JsonObject, claim: string): number {
  const value = claims[claim];
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    throw malformedClaim(claim, value, 'whole seconds since 1970');
  }
  return value as number;
}

function parseAudience(value: unknown): readonly string[] {
  const audience = typeof value === 'string' ? [value] : value;
  if (!isTextList(audience)) throw malformedClaim('aud', value, 'a string or a list of strings');
  return audience;
}

function parseScope(value: unknown): PermissionSet {
  if (value === undefined || value === '') return PermissionSet.parse([]);
  if (typeof value !== 'string') throw malformedClaim('scope', value, 'a string');
  const remembered = rememberedScopes.get(value);
  if (remembered !== undefined) return remembered;
  try {
    const permissions = PermissionSet.parse(value.split(' '));
    rememberedScopes.add(value, permissions);
    return permissions;
  } catch (cause) {
    throw malformedClaim('scope', value, 'permissions separated by single spaces', cause);
  }
}

function parseIpAllowlist(value: unknown): IpAllowlist | null {
  if (value === undefined) return null;
  // An empty list allows any address in `IpAllowlist`. Our issuer leaves the claim out then, so one is a mistake.
  if (!isTextList(value)) throw malformedClaim('ip_allowlist', value, 'a list of addresses and CIDR blocks');
  try {
    return IpAllowlist.parse(value);
  } catch (cause) {
    throw malformedClaim('ip_allowlist', value, 'a list of addresses and CIDR blocks', cause);
  }
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((entry) => typeof entry === 'string' && entry !== '');
}

function malformedClaim(claim: string, actual: unknown, expected: string, cause?: unknown): VerificationError {
  const message = `the claim ${claim} is ${actual === undefined ? 'missing' : 'malformed'}`;
  return new VerificationError('claims_malformed', message, { claim, actual, expected, cause });
}
