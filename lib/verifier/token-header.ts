import { parseCanonicalJsonObject } from './canonical-json.ts';
import { VerificationError } from './verification-error.ts';
import { isSigningAlgorithm, type SigningAlgorithm } from './verification-key.ts';

export interface TokenHeader {
  readonly algorithm: SigningAlgorithm;
  readonly kid: string;
}

/** RFC 9068 §4: no other type passes, so that an ID token or a client assertion is never taken for an access token. */
const ACCESS_TOKEN_TYPES: readonly unknown[] = ['at+jwt', 'application/at+jwt'];

/** Ways of bringing one's own key: an embedded one (CVE-2018-0114) or an address to fetch it from (SSRF). */
const KEY_BEARING_PARAMETERS = ['jwk', 'jku', 'x5u', 'x5c'];
/** Extensions and encodings that we don't implement; ignoring `crit` is forbidden by RFC 7515 §4.1.11 (CVE-2025-59420). */
const UNSUPPORTED_PARAMETERS = ['crit', 'b64', 'zip', 'enc'];
const REFUSED_PARAMETERS = [...KEY_BEARING_PARAMETERS, ...UNSUPPORTED_PARAMETERS];

/**
 * @throws {VerificationError} `header_invalid`, `algorithm_not_allowed` or `type_not_allowed`
 */
export function parseTokenHeader(segment: string, algorithms: readonly SigningAlgorithm[]): TokenHeader {
  const header = parseCanonicalJsonObject(segment);
  if (header === null) {
    throw new VerificationError('header_invalid', 'the header is not a JSON object in its one canonical form');
  }
  for (const claim of REFUSED_PARAMETERS) {
    if (Object.hasOwn(header, claim)) {
      throw new VerificationError('header_invalid', `the header parameter ${claim} is not accepted`, { claim });
    }
  }
  const { alg, typ, kid } = header;
  if (!isSigningAlgorithm(alg) || !algorithms.includes(alg)) {
    const check = { claim: 'alg', actual: alg, expected: algorithms };
    throw new VerificationError('algorithm_not_allowed', 'the algorithm is not accepted', check);
  }
  if (!ACCESS_TOKEN_TYPES.includes(typ)) {
    const check = { claim: 'typ', actual: typ, expected: 'at+jwt' };
    throw new VerificationError('type_not_allowed', 'the token is not an access token (RFC 9068)', check);
  }
  if (typeof kid !== 'string' || kid === '') {
    const check = { claim: 'kid', actual: kid, expected: 'a non-empty string' };
    throw new VerificationError('header_invalid', 'the header names no key', check);
  }
  return { algorithm: alg, kid };
}
