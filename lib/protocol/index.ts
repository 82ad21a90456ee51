/**
 * What every part of Keyturn must agree on (permissions, IP rules, secret formats, error codes), decided once and
 * without a single import, so that server, verifier, CLI and browser run the same code.
 */
export type { ChosenSecretFault } from './api-key-format.ts';
export {
  CHOSEN_SECRET_FAULT_MESSAGES,
  checkChosenSecret,
  clientIdSuffixOf,
  formatGeneratedSecret,
  GENERATED_SECRET_PREFIX,
  isGeneratedSecretForm,
  parseGeneratedSecret,
} from './api-key-format.ts';
export type { ForwardedRequest } from './client-ip.ts';
export { resolveClientIp } from './client-ip.ts';
export type { OAuthErrorCode, VerificationErrorCode } from './error-codes.ts';
export { OAUTH_ERROR_CODES, VERIFICATION_ERROR_CODES } from './error-codes.ts';
export type { CidrBlock, IpAddress, IpFamily } from './ip.ts';
export { cidrContains, InvalidIp, isIp, parseCidr, parseIp } from './ip.ts';
export { InvalidAllowlist, IpAllowlist } from './ip-allowlist.ts';
export type { EntityFilter } from './permission-set.ts';
export { PermissionSet } from './permission-set.ts';
export type { Permission, PermissionRule } from './permissions.ts';
export {
  covers,
  InvalidPermission,
  isPermission,
  MAX_PERMISSION_CHARACTERS,
  parsePermission,
  permissionWithin,
} from './permissions.ts';
