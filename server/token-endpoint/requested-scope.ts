import { isPermission, PermissionSet } from '@keyturn/lib/protocol';
import type { ReadyApiKey } from '../api-keys/ready-api-key.ts';
import { TokenFault, type TokenFaultReason } from './token-faults.ts';

/**
 * The permissions asked for by `scope`, each covered by what is held.
 *
 * @throws {TokenFault} scope_malformed, or `notHeld`, naming the value.
 */
export function resolveScope(
  scope: readonly string[],
  held: PermissionSet,
  notHeld: TokenFaultReason,
): readonly string[] {
  for (const value of scope) if (!isPermission(value)) throw new TokenFault('scope_malformed', value);
  const requested = PermissionSet.parse(scope);
  const [uncovered] = held.uncovered(requested.permissions);
  if (uncovered !== undefined) throw new TokenFault(notHeld, uncovered);
  return requested.permissions;
}

/** `aud` of a token for this key (RFC 8707 §2, RFC 9068 §3). */
export function audienceOf(key: ReadyApiKey, resource: string | null, issuer: string): readonly string[] {
  if (resource !== null) return [resource];
  return key.projectAudiences.length > 0 ? key.projectAudiences : [issuer];
}

/**
 * A resource is one of the project's audiences, or Keyturn itself, whose management API every project's keys may call.
 *
 * @throws {TokenFault} target_unknown
 */
export function assertResource(key: ReadyApiKey, resource: string | null, issuer: string): void {
  if (resource === null || resource === issuer || key.projectAudiences.includes(resource)) return;
  throw new TokenFault('target_unknown', resource);
}
