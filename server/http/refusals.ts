/** What the domain refuses, as problems of the management API. */
import { PermissionExceedsGrantor } from '../access-control/actor.ts';
import { HolderTokenTooLarge } from '../access-control/assert-holders-tokens-fit.ts';
import { LastAdministrator } from '../access-control/last-administrator.ts';
import { AlreadyMember, UnknownUser } from '../access-control/manage-members.ts';
import { BuiltInRole } from '../access-control/manage-roles.ts';
import { UnknownPermissions } from '../access-control/permission-catalog.ts';
import { LastProject } from '../access-control/project-store.ts';
import { ObjectInUse, PermissionNotPlaceable, SlugTaken, UnknownAssignment } from '../access-control/role-store.ts';
import { ApiKeyNameTaken } from '../api-keys/api-key-store.ts';
import { TokenTooLarge } from '../api-keys/assert-token-fits.ts';
import { RoleNotPlaceable } from '../api-keys/given-roles.ts';
import { OwnerNotMember } from '../api-keys/manage-api-keys.ts';
import { VersionMismatch } from '../object-version.ts';
import { InvalidSessionCursor } from '../sessions/session-store.ts';
import { SigningKeyPending } from '../signing-keys/signing-key-lifecycle.ts';
import { SignInLocked } from '../users/counted-attempt.ts';
import { OwnUser } from '../users/manage-users.ts';
import { UnacceptablePassword } from '../users/password.ts';
import { EmailMissing, SetupLinkSpent, WrongPassword } from '../users/set-password.ts';
import { SignInFailed } from '../users/sign-in.ts';
import { EmailTaken } from '../users/user-store.ts';
import { PROBLEMS, Problem } from './problem.ts';

/** A field whose value the schema could not know to be wrong. */
export function invalidField(field: string, message: string): Problem {
  return new Problem('validation_failed', `${field} ${message}`, { errors: [{ field, message }] });
}

const counted = (count: number, noun: string): string | null =>
  count === 0 ? null : `${count} ${noun}${count === 1 ? '' : 's'}`;

/** Null for what is no refusal of the domain. */
export function refusalOf(error: unknown): Problem | null {
  if (error instanceof ApiKeyNameTaken)
    return new Problem('name_taken', `this project has an API key named ${JSON.stringify(error.apiKeyName)}`);
  if (error instanceof SlugTaken) return new Problem('slug_taken', `the slug ${JSON.stringify(error.slug)} is taken`);
  if (error instanceof PermissionExceedsGrantor) {
    const { permissions } = error;
    return new Problem('permission_exceeds_grantor', `you do not hold ${permissions.join(', ')}`, { permissions });
  }
  if (error instanceof TokenTooLarge) return new Problem('token_too_large', error.message, { length: error.length });
  if (error instanceof VersionMismatch) return new Problem('version_mismatch', PROBLEMS.version_mismatch.remedy);
  if (error instanceof UnknownAssignment) {
    const { index, what, given } = error;
    return invalidField(`roles.${index}.${what}_id`, `names no ${what} of this project: ${JSON.stringify(given)}`);
  }
  if (error instanceof RoleNotPlaceable)
    return invalidField('roles', `place ${error.roleId} where its permissions do not fit: ${error.reason}`);
  if (error instanceof OwnerNotMember) return invalidField('owner_id', 'must be a member of this project');
  if (error instanceof ObjectInUse) {
    const { keyCount, memberCount } = error;
    const users = [counted(keyCount, 'API key'), counted(memberCount, 'member')].filter((text) => text !== null);
    const detail = `it is in use by ${users.join(' and ')}`;
    return new Problem('object_in_use', detail, { key_count: keyCount, member_count: memberCount });
  }
  return accessControlRefusalOf(error) ?? userRefusalOf(error);
}

function accessControlRefusalOf(error: unknown): Problem | null {
  if (error instanceof UnknownPermissions) {
    const names = error.permissions.join(', ');
    return invalidField('permissions', `names what the permission catalog of this project does not have: ${names}`);
  }
  if (error instanceof PermissionNotPlaceable)
    return invalidField('permissions', `does not fit workspace ${error.workspaceSlug}: ${error.reason}`);
  if (error instanceof HolderTokenTooLarge) {
    const { keyId, length, message } = error;
    return new Problem('token_too_large', `of ${keyId}, ${message}`, { length, key_id: keyId });
  }
  if (error instanceof BuiltInRole)
    return new Problem('built_in_role', `${error.roleName} is the same in every project`);
  if (error instanceof LastAdministrator)
    return new Problem('last_administrator', 'no other member would administer this project');
  if (error instanceof LastProject) return new Problem('last_project', PROBLEMS.last_project.title);
  if (error instanceof AlreadyMember)
    return new Problem('already_member', `${error.userId} is a member of this project`, { user_id: error.userId });
  if (error instanceof UnknownUser) {
    const advice = error.field === 'email' ? '; who is new is invited, with POST …/invitations' : '';
    return invalidField(error.field, `names no user of this installation${advice}`);
  }
  return null;
}

function userRefusalOf(error: unknown): Problem | null {
  if (error instanceof SignInFailed) return new Problem('sign_in_failed', PROBLEMS.sign_in_failed.title);
  if (error instanceof SignInLocked) {
    const { retryAfterSeconds } = error;
    const members = { retry_after_seconds: retryAfterSeconds };
    return new Problem('sign_in_locked', `try again in ${retryAfterSeconds} seconds`, members);
  }
  if (error instanceof SetupLinkSpent) return new Problem('setup_link_spent', PROBLEMS.setup_link_spent.remedy);
  if (error instanceof EmailTaken) return new Problem('email_taken', `a user has the address ${error.email}`);
  if (error instanceof OwnUser) return new Problem('own_user', PROBLEMS.own_user.title);
  if (error instanceof UnacceptablePassword) return invalidField('password', error.message);
  if (error instanceof WrongPassword) return invalidField('current_password', 'is not your password');
  if (error instanceof EmailMissing) return invalidField('email', 'is missing; this user has none yet');
  if (error instanceof SigningKeyPending) return new Problem('signing_key_pending', error.message, { kid: error.kid });
  if (error instanceof InvalidSessionCursor)
    return invalidField('cursor', 'must be the next_cursor of an earlier answer');
  return null;
}
