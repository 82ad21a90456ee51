import type { OAuthErrorCode } from '@keyturn/lib/protocol';
import { redactSecrets } from '../redact.ts';

export interface TokenFaultEntry {
  /** RFC 6749 §5.2; `invalid_target`: RFC 8707 §2. */
  readonly error: OAuthErrorCode;
  readonly status: 400 | 401 | 405 | 413 | 429 | 500 | 503;
  /** `error_description`: what is wrong and what to do. */
  readonly description: string;
}

const entry = (error: OAuthErrorCode, status: TokenFaultEntry['status'], description: string): TokenFaultEntry => ({
  error,
  status,
  description,
});

/**
 * Every way in which the token endpoint refuses. The name is the internal reason, and the page of the error catalogue;
 * what goes over the wire is `error`, `error_description` and the page's address as `error_uri`.
 */
export const TOKEN_FAULTS = {
  method_not_allowed: entry('invalid_request', 405, 'the token endpoint takes POST only (RFC 6749 section 3.2)'),
  body_not_form: entry(
    'invalid_request',
    400,
    'send the parameters as application/x-www-form-urlencoded, not as JSON or anything else (with curl: -d name=value)',
  ),
  body_encoded: entry('invalid_request', 400, 'send the body as it is, without a Content-Encoding'),
  body_too_large: entry('invalid_request', 413, 'the body is larger than 64 KiB'),
  body_malformed: entry(
    'invalid_request',
    400,
    'the body is not well-formed: each name and value must be percent-encoded UTF-8 without control characters',
  ),
  parameters_in_url: entry(
    'invalid_request',
    400,
    'parameters belong in the body, never in the URL, which ends up in logs; consider the secret in this URL as leaked',
  ),
  parameter_repeated: entry('invalid_request', 400, 'a parameter may be sent only once'),
  grant_type_missing: entry(
    'invalid_request',
    400,
    'grant_type is missing; send grant_type=client_credentials or grant_type=refresh_token',
  ),
  grant_type_unsupported: entry(
    'unsupported_grant_type',
    400,
    'grant_type must be client_credentials or refresh_token',
  ),
  refresh_token_missing: entry('invalid_request', 400, 'refresh_token is missing'),
  refresh_secret_replaced: entry(
    'invalid_grant',
    400,
    'the secret that this session began with has been replaced; exchange the API key anew, with its new secret',
  ),
  scope_malformed: entry(
    'invalid_scope',
    400,
    'scope must be permissions such as read:credential/prod-db with single spaces between; this one is not a permission',
  ),
  scope_not_held: entry('invalid_scope', 400, 'the API key does not hold this permission'),
  scope_not_in_session: entry(
    'invalid_scope',
    400,
    'this permission was not granted when the session began; a refresh can only narrow (RFC 6749 section 6)',
  ),
  token_too_long: entry(
    'invalid_scope',
    400,
    'the access token would be longer than 8192 characters; ask for fewer permissions, or for wider patterns',
  ),
  target_unknown: entry('invalid_target', 400, 'resource is not one of the project’s audiences'),
  client_authentication_repeated: entry(
    'invalid_request',
    400,
    'authenticate in one way only: HTTP Basic, client_secret in the body, or X-API-Key (RFC 6749 section 2.3)',
  ),
  client_id_contradicts: entry(
    'invalid_request',
    400,
    'client_id in the body names another client than HTTP Basic does',
  ),
  client_authentication_missing: entry(
    'invalid_client',
    401,
    'no client authentication; send the API key as X-API-Key, or client_id and client_secret by HTTP Basic or in the body',
  ),
  client_authentication_unsupported: entry(
    'invalid_client',
    401,
    'this Authorization is not well-formed HTTP Basic; send Basic, client_secret in the body, or X-API-Key',
  ),
  client_unproven: entry(
    'invalid_client',
    401,
    'unknown client or wrong secret; check that the API key is whole and has not been regenerated or deleted',
  ),
  client_busy: entry(
    'temporarily_unavailable',
    429,
    'too many secrets are being checked just now; try again after Retry-After seconds, or use a generated API key (ktk_)',
  ),
  api_key_revoked: entry('invalid_client', 401, 'the API key has been revoked'),
  api_key_expired: entry('invalid_client', 401, 'the API key has expired'),
  ip_not_allowed: entry('invalid_client', 401, 'the API key’s IP allowlist does not contain this address'),
  refresh_token_invalid: entry(
    'invalid_grant',
    400,
    'the refresh token is unknown, expired, or its session has ended; exchange the API key again',
  ),
  refresh_token_reused: entry(
    'invalid_grant',
    400,
    'the refresh token had been used before, so its session has been ended; exchange the API key again',
  ),
  refresh_api_key_revoked: entry('invalid_grant', 400, 'the API key of this session has been revoked'),
  refresh_api_key_expired: entry('invalid_grant', 400, 'the API key of this session has expired'),
  refresh_ip_not_allowed: entry('invalid_grant', 400, 'the API key’s IP allowlist does not contain this address'),
  refresh_client_mismatch: entry('invalid_grant', 400, 'the refresh token belongs to another client'),
  refresh_client_required: entry(
    'invalid_client',
    401,
    'this API key demands client authentication at refresh; send it as at the exchange',
  ),
  dependency_unavailable: entry(
    'temporarily_unavailable',
    503,
    'a store that Keyturn needs does not answer in time; try again after Retry-After seconds',
  ),
  internal: entry('server_error', 500, 'an unexpected fault of Keyturn; tell its operator the X-Request-Id'),
} as const satisfies Record<string, TokenFaultEntry>;

export type TokenFaultReason = keyof typeof TOKEN_FAULTS;

/** A refusal of the token endpoint. */
export class TokenFault extends Error {
  readonly reason: TokenFaultReason;
  /** What was refused, for the description: a parameter name, a permission, an address. Never a secret. */
  readonly detail: string | null;

  constructor(reason: TokenFaultReason, detail: string | null = null) {
    super(reason);
    this.name = 'TokenFault';
    this.reason = reason;
    this.detail = detail;
  }
}

const DETAIL_MAX_LENGTH = 300;

/** `error_description` in the characters that RFC 6749 §5.2 allows; a secret sent in the wrong place is not repeated. */
export function describeTokenFault(fault: TokenFault): string {
  const { description } = TOKEN_FAULTS[fault.reason];
  const text =
    fault.detail === null
      ? description
      : `${description}: ${redactSecrets(fault.detail.slice(0, 2 * DETAIL_MAX_LENGTH)).slice(0, DETAIL_MAX_LENGTH)}`;
  return text.replaceAll('’', "'").replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, '?');
}
