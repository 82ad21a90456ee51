import type { Actor } from '../access-control/actor.ts';
import { assertGrantable } from '../access-control/grant-rule.ts';
import { newAuditEvent } from '../audit/audit-event.ts';
import type { Clock } from '../clock.ts';
import { assertExpectedVersion, type ExpectedVersions } from '../object-version.ts';
import type { Write } from '../write.ts';
import type { ApiKey } from './api-key.ts';
import type { NewSecret } from './new-api-key.ts';

/**
 * May the actor give the key another secret? Whoever knows a key's secret has its permissions.
 *
 * @throws {VersionMismatch | PermissionExceedsGrantor}
 */
export function assertMayRegenerate(
  { version, effectivePermissions }: ApiKey,
  { actor, expectedVersions }: { readonly actor: Actor; readonly expectedVersions: ExpectedVersions },
): void {
  assertExpectedVersion(version, expectedVersions);
  assertGrantable(effectivePermissions, actor);
}

/**
 * The key with another secret. That of until now works for `overlapSeconds` longer, with the sessions that it began, and none
 * of before it. A revoked key
 * stays revoked.
 *
 * @throws {VersionMismatch | PermissionExceedsGrantor}
 */
export function decideRegeneration(
  current: ApiKey,
  { secretHash, hint }: Pick<NewSecret, 'secretHash' | 'hint'>,
  overlapSeconds: number,
  context: { readonly actor: Actor; readonly expectedVersions: ExpectedVersions; readonly clock: Clock },
): Write<ApiKey> {
  assertMayRegenerate(current, context);
  const { actor, clock } = context;
  const nowMs = clock.nowMs();
  const previousSecret = {
    hash: current.secretHash,
    hint: current.hint,
    createdAtMs: current.secretCreatedAtMs,
    expiresAtMs: nowMs + overlapSeconds * 1000,
    lastUsedAtMs: current.secretLastUsedAtMs,
  };
  const object: ApiKey = {
    ...current,
    secretHash,
    hint,
    secretVersion: current.secretVersion + 1,
    secretCreatedAtMs: nowMs,
    secretLastUsedAtMs: null,
    previousSecret: overlapSeconds === 0 ? null : previousSecret,
    updatedAtMs: nowMs,
  };
  const event = newAuditEvent(clock, 'api_key.regenerated', actor, {
    projectId: current.projectId,
    objectId: current.id,
    detail: { overlap_seconds: overlapSeconds },
  });
  return { object, event };
}
