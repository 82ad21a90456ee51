import type { VerificationErrorCode } from '../protocol/index.ts';
import type { VerificationError } from './verification-error.ts';

/** Why a request was not let through: a code of the verifier, or `invalid_request` for a malformed request. */
export type BearerFailureCode = VerificationErrorCode | 'invalid_request';

/** `error` of RFC 6750 §3.1; the last is RFC 6749's word for a dependency that is down. */
export type BearerError = 'invalid_request' | 'invalid_token' | 'insufficient_scope' | 'temporarily_unavailable';

/** An answer to a request that was not let through. */
export interface BearerFailure {
  readonly status: 400 | 401 | 403 | 503;
  readonly error: BearerError;
  readonly code: BearerFailureCode;
  /** One sentence for a person, in the characters that RFC 6750 §3 allows. */
  readonly description: string;
  /** Value of `WWW-Authenticate`; null where credentials are not the matter. */
  readonly challenge: string | null;
  /** Value of `Retry-After`, in seconds. */
  readonly retryAfterSeconds: number | null;
  /** The permission that was missing. */
  readonly requiredPermission: string | null;
}

/** The verifier asks for keys again after its cool-down, 30 s unless set otherwise. */
const KEYS_RETRY_AFTER_SECONDS = 30;

export function missingTokenFailure(realm: string): BearerFailure {
  return {
    status: 401,
    error: 'invalid_token',
    code: 'token_missing',
    description: 'this needs an access token: send Authorization: Bearer and the token',
    // RFC 6750 §3.1: no error code for a request that did not try.
    challenge: formatChallenge(realm, {}),
    retryAfterSeconds: null,
    requiredPermission: null,
  };
}

export function invalidRequestFailure(realm: string, description: string): BearerFailure {
  return challengeFailure(realm, { status: 400, error: 'invalid_request', code: 'invalid_request', description });
}

/** @param permission null when what was asked for can't be written as a permission */
export function permissionFailure(realm: string, permission: string | null): BearerFailure {
  const description =
    permission === null
      ? 'a part of this address cannot be part of a permission'
      : 'the access token does not have the permission that this needs';
  const answer = { status: 403, error: 'insufficient_scope', code: 'permission_missing', description } as const;
  return challengeFailure(realm, answer, permission);
}

export function verificationFailure(realm: string, { code, message }: VerificationError): BearerFailure {
  const description = printable(message);
  switch (code) {
    case 'keys_unavailable':
      return {
        status: 503,
        error: 'temporarily_unavailable',
        code,
        description,
        challenge: null,
        retryAfterSeconds: KEYS_RETRY_AFTER_SECONDS,
        requiredPermission: null,
      };
    case 'token_missing':
      return missingTokenFailure(realm);
    case 'permission_missing':
      return permissionFailure(realm, null);
    case 'token_malformed':
    case 'token_too_large':
    case 'header_invalid':
    case 'algorithm_not_allowed':
    case 'type_not_allowed':
    case 'key_unknown':
    case 'signature_invalid':
    case 'claims_malformed':
    case 'issuer_mismatch':
    case 'audience_mismatch':
    case 'token_expired':
    case 'token_not_yet_valid':
    case 'sender_constraint_unsupported':
    case 'ip_required':
    case 'ip_not_allowed':
      return challengeFailure(realm, { status: 401, error: 'invalid_token', code, description });
  }
}

/** A realm as it may stand between quotes (RFC 9110 §5.6.4): quotes and backslashes escaped, the unprintable replaced. */
export function escapeRealm(realm: string): string {
  return realm.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&');
}

function challengeFailure(
  realm: string,
  answer: Pick<BearerFailure, 'status' | 'error' | 'code' | 'description'>,
  requiredPermission: string | null = null,
): BearerFailure {
  const parameters = {
    error: answer.error,
    error_description: answer.description,
    ...(requiredPermission === null ? {} : { scope: requiredPermission }),
  };
  const challenge = formatChallenge(realm, parameters);
  return { ...answer, challenge, retryAfterSeconds: null, requiredPermission };
}

/** RFC 6750 §3. */
function formatChallenge(realm: string, parameters: Readonly<Record<string, string>>): string {
  const rest = Object.entries(parameters).map(([name, value]) => `, ${name}="${printable(value)}"`);
  return `Bearer realm="${escapeRealm(realm)}"${rest.join('')}`;
}

/** RFC 6750 §3 leaves printable ASCII without `"` and `\`: no way out of the quotes, no second header line. */
function printable(text: string): string {
  return text.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "'");
}
