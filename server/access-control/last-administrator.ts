import { PermissionSet } from '@keyturn/lib/protocol';

/** The permission that makes a member an administrator of the project. No wildcard but this one gives it. */
export const ADMINISTRATION = '*:keyturn';

export function isAdministrator(permissions: readonly string[]): boolean {
  return PermissionSet.parse(permissions).can(ADMINISTRATION);
}

/** Nobody would administer the project any more. */
export class LastAdministrator extends Error {
  constructor() {
    super('the last administrator of a project stays');
    this.name = 'LastAdministrator';
  }
}
