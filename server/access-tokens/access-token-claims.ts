/** The claims of an access token (RFC 9068 §2.2) and what Keyturn adds to them. */
import { accessTokenHeader, type TokenSigner } from './token-signer.ts';

/** Verifiers refuse longer ones before any crypto, and servers refuse longer headers: so none is issued. */
export const MAX_ACCESS_TOKEN_LENGTH = 8192;

export interface AccessTokenClaims {
  readonly iss: string;
  /** `key_…`: the API key is the subject, there being no resource owner (RFC 9068 §2.2). */
  readonly sub: string;
  readonly client_id: string;
  readonly aud: string | readonly string[];
  readonly iat: number;
  readonly exp: number;
  readonly jti: string;
  /** Permissions separated by spaces; absent where none is held (RFC 6749 §3.3 has no empty scope). */
  readonly scope?: string;
  /** `prj_…` */
  readonly project: string;
  /** `ses_…`; absent from tokens without a session. */
  readonly sid?: string;
  /** Addresses and CIDRs; absent: any address. */
  readonly ip_allowlist?: readonly string[];
}

export interface AccessTokenInput {
  readonly issuer: string;
  readonly keyId: string;
  readonly clientId: string;
  readonly projectId: string;
  /** Empty: the issuer alone. */
  readonly audience: readonly string[];
  readonly permissions: readonly string[];
  readonly ipAllowlist: readonly string[];
  readonly sessionId: string | null;
  readonly tokenId: string;
  readonly issuedAtSeconds: number;
  readonly expiresAtSeconds: number;
}

/** In a fixed order of members, so that equal input gives equal bytes. */
export function buildAccessTokenClaims(input: AccessTokenInput): AccessTokenClaims {
  const [firstAudience = input.issuer, ...otherAudiences] = input.audience;
  return {
    iss: input.issuer,
    sub: input.keyId,
    client_id: input.clientId,
    aud: otherAudiences.length === 0 ? firstAudience : input.audience,
    iat: input.issuedAtSeconds,
    exp: input.expiresAtSeconds,
    jti: input.tokenId,
    ...(input.permissions.length > 0 && { scope: input.permissions.join(' ') }),
    project: input.projectId,
    ...(input.sessionId !== null && { sid: input.sessionId }),
    ...(input.ipAllowlist.length > 0 && { ip_allowlist: input.ipAllowlist }),
  };
}

/** The longest header and signature of any setting, so that a change of KEYTURN_SIGNING_ALG makes no token too long. */
const LONGEST_SIGNER = { kid: '-'.repeat(43), algorithm: 'RS256', signatureBytes: 256 } as const;
/** What stands beside the texts of an {@link AccessTokenInput}, base64url and the longest signature taken off, with room. */
const SURELY_SHORT = 4_500;
const LATE_SECONDS = 9_999_999_999;

/** What decides how long a token will be; the rest has one length. */
export type AccessTokenSize = Pick<
  AccessTokenInput,
  'issuer' | 'keyId' | 'clientId' | 'projectId' | 'audience' | 'permissions' | 'ipAllowlist'
>;

/** Length of the longest token of this size, in characters; null where it surely is below the maximum. */
export function excessiveTokenLength(size: AccessTokenSize): number | null {
  const texts = [size.issuer, size.clientId, ...size.permissions, ...size.ipAllowlist];
  // An audience is any text of an administrator's: six bytes are the most that JSON makes of one of its characters.
  const audienceBytes = size.audience.reduce((length, text) => length + 6 * text.length, 0);
  if (texts.reduce((length, text) => length + text.length + 3, audienceBytes) < SURELY_SHORT) return null;
  const claims = buildAccessTokenClaims({
    ...size,
    sessionId: size.keyId,
    tokenId: '-'.repeat(22),
    issuedAtSeconds: LATE_SECONDS,
    expiresAtSeconds: LATE_SECONDS,
  });
  const length = accessTokenLength(claims, LONGEST_SIGNER);
  return length > MAX_ACCESS_TOKEN_LENGTH ? length : null;
}

/** Exact number of characters of the signed token. */
export function accessTokenLength(
  claims: AccessTokenClaims,
  signer: Pick<TokenSigner, 'kid' | 'algorithm' | 'signatureBytes'>,
): number {
  const headerBytes = Buffer.byteLength(accessTokenHeader(signer));
  const payloadBytes = Buffer.byteLength(JSON.stringify(claims));
  return base64urlLength(headerBytes) + 1 + base64urlLength(payloadBytes) + 1 + base64urlLength(signer.signatureBytes);
}

function base64urlLength(byteCount: number): number {
  return Math.ceil((byteCount * 4) / 3);
}
