/**
 * Express middleware that protects routes with Keyturn's access tokens and answers as RFC 6750 says. Of Express it takes
 * the types alone.
 */
export type { BearerError, BearerFailure, BearerFailureCode } from '../verifier/bearer-failure.ts';
export type { AuthenticateOptions, Respond } from './authenticate.ts';
export { accessTokenOf, authenticate } from './authenticate.ts';
export { requirePermission } from './require-permission.ts';
