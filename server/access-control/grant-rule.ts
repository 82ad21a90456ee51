import { PermissionSet } from '@keyturn/lib/protocol';
import { type Actor, PermissionExceedsGrantor } from './actor.ts';

/**
 * The grantor rule, for whatever somebody is about to hold after a write: a key, a role, a member.
 *
 * @param permissions all of them, not only what is new
 * @throws {PermissionExceedsGrantor}
 */
export function assertGrantable(permissions: readonly string[], { grantable }: Pick<Actor, 'grantable'>): void {
  const exceeding = PermissionSet.parse(grantable).uncovered(permissions);
  if (exceeding.length > 0) throw new PermissionExceedsGrantor(exceeding);
}
