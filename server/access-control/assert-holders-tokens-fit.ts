import { InvalidPermission } from '@keyturn/lib/protocol';
import { assertTokenFits, TokenTooLarge } from '../api-keys/assert-token-fits.ts';
import type { Project } from './project.ts';
import type { Role } from './role.ts';
import { effectivePermissions } from './role-assignment.ts';
import type { RoleHolder, RoleStore } from './role-store.ts';

const KEYS_PER_PAGE = 500;
/** Few enough to be looked at within the deadline of a request. Of the rest the token endpoint refuses what is too long. */
const KEYS_MAX = 2_000;

/** Access tokens of a key that has the role would be larger than verifiers and HTTP servers take. */
export class HolderTokenTooLarge extends Error {
  /** `key_…`, the first of them. */
  readonly keyId: string;
  readonly length: number;

  constructor(keyId: string, { message, length }: TokenTooLarge) {
    super(message);
    this.name = 'HolderTokenTooLarge';
    this.keyId = keyId;
    this.length = length;
  }
}

/**
 * @param role as it is about to be
 * @throws {HolderTokenTooLarge}
 */
export async function assertHoldersTokensFit(
  roles: Pick<RoleStore, 'listHolders'>,
  role: Role,
  project: Project,
  issuer: string,
): Promise<void> {
  let afterKeyId = '';
  for (let seen = 0; seen < KEYS_MAX; seen += KEYS_PER_PAGE) {
    const holders = await roles.listHolders(role.id, { afterKeyId, limit: KEYS_PER_PAGE });
    for (const holder of holders) assertHolderTokenFits(holder, role, project, issuer);
    const last = holders.at(-1);
    if (last === undefined || holders.length < KEYS_PER_PAGE) return;
    afterKeyId = last.key.id;
  }
}

function assertHolderTokenFits({ key, assigned }: RoleHolder, role: Role, project: Project, issuer: string): void {
  const { permissions } = role;
  const edited = assigned.map((each) => (each.roleId === role.id ? { ...each, permissions } : each));
  try {
    assertTokenFits({ ...key, effectivePermissions: effectivePermissions(key.permissions, edited) }, project, issuer);
  } catch (error) {
    if (error instanceof TokenTooLarge) throw new HolderTokenTooLarge(key.id, error);
    // Too deep or too long for its workspace: the write itself refuses that, for every holder.
    if (!(error instanceof InvalidPermission)) throw error;
  }
}
