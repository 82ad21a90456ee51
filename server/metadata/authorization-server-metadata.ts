import { SIGNING_ALGORITHMS } from '../signing-keys/signing-key.ts';

export const GRANT_TYPES = ['client_credentials', 'refresh_token'] as const;

/**
 * RFC 8414 §2. Served under both well-known names, because some libraries look only at OpenID Connect's; what that one
 * demands besides (`subject_types_supported`, `id_token_signing_alg_values_supported`) is there so that they accept it,
 * though no ID token is ever issued.
 */
export function authorizationServerMetadata(issuer: string) {
  return {
    issuer,
    token_endpoint: `${issuer}/oauth/token`,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    response_types_supported: [],
    grant_types_supported: GRANT_TYPES,
    // `none`: a refresh token alone is enough, unless its API key sets refresh_requires_client_auth.
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    service_documentation: `${issuer}/errors`,
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: SIGNING_ALGORITHMS,
  };
}
