import type { RoleAssignment } from '../access-control/role-assignment.ts';

/** A person of the installation; what they may do in a project is in their memberships. */
export interface User {
  /** `usr_…` */
  readonly id: string;
  /** Unique in the installation; null: the first user, until they are set up. */
  readonly email: string | null;
  readonly name: string;
  /** Held in the whole installation: those of `keyturn-installation` alone. */
  readonly permissions: readonly string[];
  /** From 1, up by one with each write. */
  readonly version: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** A user, with what proves that it is them. */
export interface Account extends User {
  /** bcrypt; null: not set up yet. */
  readonly passwordHash: string | null;
  readonly lastSignInAtMs: number | null;
}

/** A project that a user is a member of. */
export interface Membership {
  readonly projectId: string;
  readonly projectSlug: string;
  readonly projectName: string;
  readonly roles: readonly RoleAssignment[];
}

/** As it is stored and looked up: people don't mind capitals in an address, and no mail server that matters does. */
export function normalizeEmail(email: string): string {
  return email.trim().normalize('NFC').toLowerCase();
}

const INSTALLATION_PERMISSION = /^[^:]+:keyturn-installation(\/|$)/;

/** A user holds nothing else by themselves: all that is of a project comes with its roles. */
export function isInstallationPermission(permission: string): boolean {
  return INSTALLATION_PERMISSION.test(permission);
}
