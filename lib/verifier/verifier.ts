import { AccessToken } from './access-token.ts';
import { type AccessTokenClaims, parseAccessTokenClaims } from './access-token-claims.ts';
import type { KeySet } from './key-set.ts';
import { parseTokenHeader, type TokenHeader } from './token-header.ts';
import { splitToken, type TokenSegments } from './token-shape.ts';
import { VerificationError } from './verification-error.ts';
import type { VerificationKey } from './verification-key.ts';
import { parseVerifierOptions, type VerifierOptions, type VerifierRules } from './verifier-options.ts';

export interface VerificationContext {
  /**
   * The address of the caller. Null when it can't be told: a token with an IP allowlist is then denied. Undefined: such a
   * token fails with `ip_required`, because whoever calls `verify` forgot it.
   */
  readonly ip: string | null | undefined;
}

export interface Verifier {
  /** The `iss` that tokens must have. */
  readonly issuer: string;
  /**
   * Accepts or refuses an access token; anything may be passed. It is offline, but for keys that are not at hand.
   *
   * @throws {VerificationError} why not; `keys_unavailable` says nothing about the token, every other code refuses it
   * @throws {TypeError} when the second argument is missing
   */
  verify(token: unknown, context: VerificationContext): Promise<AccessToken>;
}

/**
 * A verifier of Keyturn's access tokens (RFC 9068). Make one per process and keep it: it holds the keys.
 *
 * @throws {TypeError} for an option that is missing or of a wrong kind, by name
 * @throws {RangeError} for a number out of bounds
 */
export function createVerifier(options: VerifierOptions): Verifier {
  const rules = parseVerifierOptions(options);
  return {
    issuer: rules.issuer,
    async verify(token, context) {
      if (typeof context !== 'object' || context === null) throw new TypeError('verify needs { ip } of the caller');

      // Phase 1, shape: before anything is decoded.
      const segments = splitToken(token);

      // Phases 2 and 3, header and key. No await when keys are at hand, which is nearly always.
      let keySet = rules.keys.current();
      let key = keySet?.recall(segments.header);
      if (key === undefined) {
        const header = parseTokenHeader(segments.header, rules.algorithms);
        if (keySet?.find(header.kid) === undefined) keySet = await refreshKeys(rules);
        key = findKey(keySet, header);
      }

      // Phase 4, signature: nothing of the payload is looked at before.
      assertSigned(segments, key);
      keySet?.remember(segments.header, key);

      // Phase 5, claims.
      const claims = parseAccessTokenClaims(segments.payload);
      assertMeantForUs(claims, rules);
      assertCurrent(claims, rules);

      // Phase 6, caller: last, so that whoever holds no valid token learns nothing about allowlists.
      assertAllowedFrom(claims, context.ip, rules);
      return new AccessToken(claims);
    },
  };
}

async function refreshKeys({ keys }: VerifierRules): Promise<KeySet> {
  const keySet = await keys.refresh();
  if (keySet === null) {
    throw new VerificationError('keys_unavailable', 'there are no keys to verify with', { cause: keys.failure });
  }
  return keySet;
}

function findKey(keySet: KeySet, { kid, algorithm }: TokenHeader): VerificationKey {
  const key = keySet.find(kid);
  if (key === undefined) {
    throw new VerificationError('key_unknown', 'no key of the issuer has this kid', { claim: 'kid', actual: kid });
  }
  // One algorithm per key, whatever the header says: else a public RSA key is an HMAC secret (CVE-2016-10555).
  if (key.algorithm !== algorithm) {
    const check = { claim: 'alg', actual: algorithm, expected: key.algorithm };
    throw new VerificationError('algorithm_not_allowed', 'the key is not for this algorithm', check);
  }
  return key;
}

function assertSigned(segments: TokenSegments, key: VerificationKey): void {
  if (!key.isSignatureValid(segments.signingInput, segments.signature)) {
    throw new VerificationError('signature_invalid', 'the signature is not valid');
  }
}

function assertMeantForUs(claims: AccessTokenClaims, { issuer, audiences }: VerifierRules): void {
  if (claims.issuer !== issuer) {
    const check = { claim: 'iss', actual: claims.issuer, expected: issuer };
    throw new VerificationError('issuer_mismatch', 'the token is from another issuer', check);
  }
  if (audiences !== null && !claims.audience.some((audience) => audiences.includes(audience))) {
    const check = { claim: 'aud', actual: claims.audience, expected: audiences };
    throw new VerificationError('audience_mismatch', 'the token is for another audience', check);
  }
  if (claims.isSenderConstrained) {
    // Taking it for a bearer token would undo what binds it to its holder's key (RFC 9449 §7.1).
    const message = 'the token is bound to a key, which is not supported here';
    throw new VerificationError('sender_constraint_unsupported', message, { claim: 'cnf' });
  }
}

function assertCurrent(claims: AccessTokenClaims, { clock, clockToleranceSeconds }: VerifierRules): void {
  const nowSeconds = clock.nowMs() / 1000;
  const { expiresAtSeconds, issuedAtSeconds, notBeforeSeconds } = claims;
  if (expiresAtSeconds <= nowSeconds - clockToleranceSeconds) {
    throw new VerificationError('token_expired', 'the token has expired', {
      claim: 'exp',
      actual: expiresAtSeconds,
      expected: `after ${nowSeconds}`,
    });
  }
  const latestSeconds = nowSeconds + clockToleranceSeconds;
  const claim = issuedAtSeconds > latestSeconds ? 'iat' : 'nbf';
  const validFromSeconds = Math.max(issuedAtSeconds, notBeforeSeconds ?? 0);
  if (validFromSeconds > latestSeconds) {
    const check = { claim, actual: validFromSeconds, expected: `at most ${nowSeconds}` };
    throw new VerificationError('token_not_yet_valid', 'the token is from the future', check);
  }
}

function assertAllowedFrom(claims: AccessTokenClaims, ip: unknown, { enforceIpAllowlist }: VerifierRules): void {
  const { ipAllowlist } = claims;
  if (ipAllowlist === null || !enforceIpAllowlist) return;
  if (ip === undefined) {
    throw new VerificationError('ip_required', 'the token has an IP allowlist: pass the ip of the caller to verify');
  }
  if (!ipAllowlist.allows(typeof ip === 'string' ? ip : null)) {
    throw new VerificationError('ip_not_allowed', 'the token may not be used from this address', { actual: ip });
  }
}
