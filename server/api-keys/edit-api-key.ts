import type { Actor } from '../access-control/actor.ts';
import { assertGrantable } from '../access-control/grant-rule.ts';
import type { Project } from '../access-control/project.ts';
import type { ResolvedAssignment } from '../access-control/role.ts';
import { newAuditEvent } from '../audit/audit-event.ts';
import type { Clock } from '../clock.ts';
import { assertExpectedVersion, type ExpectedVersions } from '../object-version.ts';
import type { Write } from '../write.ts';
import type { ApiKey } from './api-key.ts';
import { assertTokenFits } from './assert-token-fits.ts';
import { changesBetween, describeApiKey } from './describe-api-key.ts';
import { givenRoles } from './given-roles.ts';

/** What is to be changed; what is absent stays. */
export type ApiKeyEdit = Partial<
  Pick<
    ApiKey,
    | 'name'
    | 'description'
    | 'ownerId'
    | 'permissions'
    | 'ipAllowlist'
    | 'expiresAtMs'
    | 'isValid'
    | 'refreshTokens'
    | 'refreshRequiresClientAuth'
  >
> & { readonly roles?: readonly ResolvedAssignment[] };

/** Revoking takes away and hands nothing out. */
const isRevocation = ({ isValid, ...others }: ApiKeyEdit) => isValid === false && Object.keys(others).length === 0;

/**
 * The key as it is after the edit, and the event that tells what changed.
 *
 * Whoever edits must hold all that the key then holds: also who restores it or widens its allowlist or expiry hands its
 * permissions out.
 *
 * @param assigned the roles that the key has now
 * @throws {VersionMismatch | PermissionExceedsGrantor | TokenTooLarge | RoleNotPlaceable}
 */
export function decideEdit(
  current: ApiKey,
  assigned: readonly ResolvedAssignment[],
  edit: ApiKeyEdit,
  context: {
    readonly actor: Actor;
    readonly project: Project;
    readonly expectedVersions: ExpectedVersions;
    readonly clock: Clock;
    readonly issuer: string;
  },
): Write<ApiKey> {
  const { actor, project, clock } = context;
  assertExpectedVersion(current.version, context.expectedVersions);
  const { roles = assigned, ...fields } = edit;
  const given = givenRoles(edit.permissions ?? current.permissions, roles);
  const edited: ApiKey = { ...current, ...fields, ...given, updatedAtMs: clock.nowMs() };
  if (!isRevocation(edit)) assertGrantable(edited.effectivePermissions, actor);
  const changes = changesBetween(describeApiKey(current), describeApiKey(edited));
  if (changes === null) return { object: current, event: null };
  if (changesToken(edit)) assertTokenFits(edited, project, context.issuer);
  const event = newAuditEvent(clock, eventType(current, edited), actor, {
    projectId: current.projectId,
    objectId: current.id,
    detail: changes,
  });
  return { object: edited, event };
}

/** Nobody must be kept from revoking or renaming a key because its tokens are too long already. */
const changesToken = ({ permissions, roles, ipAllowlist }: ApiKeyEdit) =>
  permissions !== undefined || roles !== undefined || ipAllowlist !== undefined;

/** One event an edit: what else changed with the validity stands in its detail. */
function eventType(current: ApiKey, edited: ApiKey) {
  if (current.isValid === edited.isValid) return 'api_key.updated';
  return edited.isValid ? 'api_key.restored' : 'api_key.revoked';
}
