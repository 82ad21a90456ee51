import { isGeneratedSecretForm } from '../protocol/index.ts';
import { VerificationError } from './verification-error.ts';

/** Keyturn never issues a longer one; ten megabytes would cost jose 115 ms. */
const MAX_TOKEN_CHARACTERS = 8192;

/** The three segments of a JWS in compact serialization (RFC 7515 §7.1), each known to be canonical base64url. */
export interface TokenSegments {
  /** All of it, as given. */
  readonly text: string;
  readonly header: string;
  readonly payload: string;
  readonly signature: string;
  /** What the signature is over: header, dot, payload. */
  readonly signingInput: string;
}

const BASE64URL = /^[A-Za-z0-9_-]+$/;
/** Characters whose last four, or last two, bits are zero: what may end a segment of 4n + 2, or 4n + 3, characters. */
const ENDS_WITH_4_ZERO_BITS = /[AQgw]$/;
const ENDS_WITH_2_ZERO_BITS = /[AEIMQUYcgkosw048]$/;

/**
 * Splits a token without decoding any of it. Refuses everything but three segments of canonical base64url, so that one
 * signed token has exactly one text: Node's decoder and jose both accept flipped spare bits, padding and white space,
 * and a deny list by text would then be stepped around.
 *
 * @throws {VerificationError} `token_malformed` or `token_too_large`
 */
export function splitToken(token: unknown): TokenSegments {
  if (typeof token !== 'string') {
    throw malformed('the token is not a string');
  }
  if (token.length > MAX_TOKEN_CHARACTERS) {
    const check = { actual: token.length, expected: `at most ${MAX_TOKEN_CHARACTERS}` };
    throw new VerificationError('token_too_large', 'the token has too many characters', check);
  }
  const firstDot = token.indexOf('.');
  const secondDot = token.indexOf('.', firstDot + 1);
  if (firstDot === -1 || secondDot === -1) {
    throw malformed(
      isGeneratedSecretForm(token)
        ? 'this is an API key, not an access token: exchange it at the token endpoint first'
        : 'the token does not have three parts',
    );
  }
  const segments: TokenSegments = {
    text: token,
    header: token.slice(0, firstDot),
    payload: token.slice(firstDot + 1, secondDot),
    signature: token.slice(secondDot + 1),
    signingInput: token.slice(0, secondDot),
  };
  // A fourth part, as in a JWE, leaves a dot in the last segment, which is not base64url.
  if (!isCanonicalBase64url(segments.header)) throw malformed('the header is not canonical base64url');
  if (!isCanonicalBase64url(segments.payload)) throw malformed('the payload is not canonical base64url');
  if (!isCanonicalBase64url(segments.signature)) throw malformed('the signature is not canonical base64url');
  return segments;
}

function isCanonicalBase64url(segment: string): boolean {
  if (!BASE64URL.test(segment)) return false;
  const remainder = segment.length % 4;
  if (remainder === 0) return true;
  if (remainder === 2) return ENDS_WITH_4_ZERO_BITS.test(segment);
  return remainder === 3 && ENDS_WITH_2_ZERO_BITS.test(segment);
}

function malformed(message: string): VerificationError {
  return new VerificationError('token_malformed', message);
}
