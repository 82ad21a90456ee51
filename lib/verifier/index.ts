/**
 * Verifies Keyturn's access tokens (JWTs of RFC 9068) offline, with the issuer's public keys, more strictly than a general
 * JOSE library can (RFC 8725).
 */
export type { EntityFilter, VerificationErrorCode } from '../protocol/index.ts';
export { InvalidPermission, VERIFICATION_ERROR_CODES } from '../protocol/index.ts';
export { AccessToken } from './access-token.ts';
export type { Clock } from './clock.ts';
export { VerificationError } from './verification-error.ts';
export type { SigningAlgorithm } from './verification-key.ts';
export type { VerificationContext, Verifier } from './verifier.ts';
export { createVerifier } from './verifier.ts';
export type { Jwks, VerifierOptions } from './verifier-options.ts';
