/** What the domain refuses, as problems of the management API. */
import { PermissionExceedsGrantor } from '../access-control/actor.ts';
import { ObjectInUse, SlugTaken, UnknownAssignment } from '../access-control/role-store.ts';
import { ApiKeyNameTaken } from '../api-keys/api-key-store.ts';
import { TokenTooLarge } from '../api-keys/manage-api-keys.ts';
import { VersionMismatch } from '../object-version.ts';
import { PROBLEMS, Problem } from './problem.ts';

/** A field whose value the schema could not know to be wrong. */
export function invalidField(field: string, message: string): Problem {
  return new Problem('validation_failed', `${field} ${message}`, { errors: [{ field, message }] });
}

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
  if (error instanceof UnknownAssignment)
    return invalidField(`roles.${error.index}.${error.what}_id`, `names no ${error.what} of this project`);
  if (error instanceof ObjectInUse) {
    const { keyCount, memberCount } = error;
    const detail = `${keyCount} API keys and ${memberCount} members have it`;
    return new Problem('object_in_use', detail, { key_count: keyCount, member_count: memberCount });
  }
  return null;
}
