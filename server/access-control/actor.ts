import type { AuditOrigin } from '../audit/audit-event.ts';

/** Who manages, and from where. */
export interface Actor extends AuditOrigin {
  /** `key_…` of an API key or `usr_…` of a user. */
  readonly actorId: string;
  /** `usr_…`: the user, or whoever is answerable for the API key. */
  readonly userId: string;
  /** What it may hand out: in the project, where the operation is of one. */
  readonly grantable: readonly string[];
  readonly requestId: string;
}

/** Nobody hands out what they don't hold. */
export class PermissionExceedsGrantor extends Error {
  /** Those that the grantor doesn't hold. */
  readonly permissions: readonly string[];

  constructor(permissions: readonly string[]) {
    super('permissions exceed those of the grantor');
    this.name = 'PermissionExceedsGrantor';
    this.permissions = permissions;
  }
}
