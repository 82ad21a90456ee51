/** `error` of RFC 6749 §5.2, RFC 8707 §2 (`invalid_target`) and, for a store that is down, RFC 6749 §4.1.2.1. */
export const OAUTH_ERROR_CODES = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
  'temporarily_unavailable',
  'server_error',
] as const;

export type OAuthErrorCode = (typeof OAUTH_ERROR_CODES)[number];

/** Why an access token was refused, as the verifier's typed errors name it. */
export const VERIFICATION_ERROR_CODES = [
  'token_missing',
  'token_malformed',
  'token_too_large',
  'header_invalid',
  'algorithm_not_allowed',
  'type_not_allowed',
  'key_unknown',
  'keys_unavailable',
  'signature_invalid',
  'claims_malformed',
  'issuer_mismatch',
  'audience_mismatch',
  'token_expired',
  'token_not_yet_valid',
  'sender_constraint_unsupported',
  'ip_required',
  'ip_not_allowed',
  'permission_missing',
] as const;

export type VerificationErrorCode = (typeof VERIFICATION_ERROR_CODES)[number];
