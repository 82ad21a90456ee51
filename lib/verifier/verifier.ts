import { AccessToken } from './access-token.ts';
import { parseAccessTokenClaims } from './access-token-claims.ts';
import type { KeySet } from './key-set.ts';
import { parseTokenHeader, type TokenHeader } from './token-header.ts';
import type { VerifiedToken } from './token-memory.ts';
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
   * Accepts or refuses an access token; anything may be passed. It is offline, but for keys that are not at hand. For a
   * token that is remembered the same object comes back as before.
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

  function recall(token: unknown, context: VerificationContext): AccessToken | null {
    const remembered = rules.memory?.recall(token, rules.keys.current(), rules.clock.nowMs());
    if (remembered === undefined) return null;
    assertAcceptable(remembered, context, rules);
    return remembered.accessToken;
  }

  const verifier: Verifier = {
    issuer: rules.issuer,
    async verify(token, context) {
      if (typeof context !== 'object' || context === null) throw new TypeError('verify needs { ip } of the caller');
      const remembered = recall(token, context);
      if (remembered !== null) return remembered;

      // Phase 1, shape: before anything is decoded.
      const segments = splitToken(token);

      // Phases 2 and 3, header and key. No await when keys are at hand, which is nearly always.
      let keySet = rules.keys.current();
      let key = keySet?.recall(segments.header);
      if (keySet === null || key === undefined) {
        const header = parseTokenHeader(segments.header, rules.algorithms);
        if (keySet?.find(header.kid) === undefined) keySet = await refreshKeys(rules);
        key = findKey(keySet, header);
      }

      // Phase 4, signature: nothing of the payload is looked at before.
      assertSigned(segments, key);
      keySet.remember(segments.header, key);

      // Phase 5, claims.
      const verified = readPayload(segments.payload);

      assertAcceptable(verified, context, rules);
      rules.memory?.remember(segments.text, verified, keySet);
      return verified.accessToken;
    },
  };
  recalls.set(verifier.verify, recall);
  return verifier;
}

type Recall = (token: unknown, context: VerificationContext) => AccessToken | null;

/** By function: whoever puts another `verify` in front of ours, or in its place, is asked every time. */
const recalls = new WeakMap<Verifier['verify'], Recall>();

/**
 * What `verify` decides about a remembered token, at once; null about any other. An answer that Node's HTTP server gets in
 * the same turn costs it 2 µs less than one after a promise.
 *
 * @throws {VerificationError} as `verify` rejects
 */
export function recallAccessToken(verifier: Verifier, token: string, context: VerificationContext): AccessToken | null {
  return recalls.get(verifier.verify)?.(token, context) ?? null;
}

function readPayload(payload: string): VerifiedToken {
  const claims = parseAccessTokenClaims(payload);
  if (claims.isSenderConstrained) {
    // Taking it for a bearer token would undo what binds it to its holder's key (RFC 9449 §7.1).
    const message = 'the token is bound to a key, which is not supported here';
    throw new VerificationError('sender_constraint_unsupported', message, { claim: 'cnf' });
  }
  const { notBeforeSeconds, ipAllowlist } = claims;
  return { accessToken: new AccessToken(claims), notBeforeSeconds, ipAllowlist };
}

/**
 * The phases that no token skips, remembered or not, because what they hold it against changes while it lives. Revocations
 * will be one of them.
 */
function assertAcceptable(token: VerifiedToken, { ip }: VerificationContext, rules: VerifierRules): void {
  // Phase 6, purpose and time.
  assertMeantForUs(token, rules);
  assertCurrent(token, rules);

  // Phase 7, caller: last, so that whoever holds no valid token learns nothing about allowlists.
  assertAllowedFrom(token, ip, rules);
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

function assertSigned({ signingInput, signature }: TokenSegments, key: VerificationKey): void {
  if (!key.isSignatureValid(signingInput, signature)) {
    throw new VerificationError('signature_invalid', 'the signature is not valid');
  }
}

function assertMeantForUs({ accessToken }: VerifiedToken, { issuer, audiences }: VerifierRules): void {
  if (accessToken.issuer !== issuer) {
    const check = { claim: 'iss', actual: accessToken.issuer, expected: issuer };
    throw new VerificationError('issuer_mismatch', 'the token is from another issuer', check);
  }
  if (audiences !== null && !accessToken.audience.some((audience) => audiences.includes(audience))) {
    const check = { claim: 'aud', actual: accessToken.audience, expected: audiences };
    throw new VerificationError('audience_mismatch', 'the token is for another audience', check);
  }
}

function assertCurrent(token: VerifiedToken, { clock, clockToleranceSeconds }: VerifierRules): void {
  const nowSeconds = clock.nowMs() / 1000;
  const { expiresAtSeconds, issuedAtSeconds } = token.accessToken;
  if (expiresAtSeconds <= nowSeconds - clockToleranceSeconds) {
    throw new VerificationError('token_expired', 'the token has expired', {
      claim: 'exp',
      actual: expiresAtSeconds,
      expected: `after ${nowSeconds}`,
    });
  }
  const latestSeconds = nowSeconds + clockToleranceSeconds;
  const claim = issuedAtSeconds > latestSeconds ? 'iat' : 'nbf';
  const validFromSeconds = Math.max(issuedAtSeconds, token.notBeforeSeconds ?? 0);
  if (validFromSeconds > latestSeconds) {
    const check = { claim, actual: validFromSeconds, expected: `at most ${nowSeconds}` };
    throw new VerificationError('token_not_yet_valid', 'the token is from the future', check);
  }
}

function assertAllowedFrom({ ipAllowlist }: VerifiedToken, ip: unknown, { enforceIpAllowlist }: VerifierRules): void {
  if (ipAllowlist === null || !enforceIpAllowlist) return;
  if (ip === undefined) {
    throw new VerificationError('ip_required', 'the token has an IP allowlist: pass the ip of the caller to verify');
  }
  if (!ipAllowlist.allows(typeof ip === 'string' ? ip : null)) {
    throw new VerificationError('ip_not_allowed', 'the token may not be used from this address', { actual: ip });
  }
}
