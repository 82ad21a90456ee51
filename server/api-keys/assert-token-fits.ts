import type { Project } from '../access-control/project.ts';
import { excessiveTokenLength, MAX_ACCESS_TOKEN_LENGTH } from '../access-tokens/access-token-claims.ts';
import type { ApiKey } from './api-key.ts';

/** Access tokens of the key would be larger than verifiers and HTTP servers take. */
export class TokenTooLarge extends Error {
  readonly length: number;

  constructor(length: number) {
    super(`access tokens would have ${length} characters; ${MAX_ACCESS_TOKEN_LENGTH} are the most`);
    this.name = 'TokenTooLarge';
    this.length = length;
  }
}

/** @throws {TokenTooLarge} */
export function assertTokenFits(
  { id: keyId, clientId, effectivePermissions: permissions, ipAllowlist }: ApiKey,
  { id: projectId, audiences: audience }: Project,
  issuer: string,
): void {
  const length = excessiveTokenLength({ issuer, keyId, clientId, projectId, audience, permissions, ipAllowlist });
  if (length !== null) throw new TokenTooLarge(length);
}
