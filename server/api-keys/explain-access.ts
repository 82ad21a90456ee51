/** Would the key be let do this, from there, and which rule says so? Nothing is used up and nothing recorded. */
import { cidrContains, covers, type IpAddress, IpAllowlist, parseCidr, parsePermission } from '@keyturn/lib/protocol';
import type { ResolvedAssignment } from '../access-control/role.ts';
import { effectivePermissions } from '../access-control/role-assignment.ts';
import type { ApiKey } from './api-key.ts';
import { decideUsability } from './decide-usability.ts';

/** The rule that decides: the first that refuses, or the one that gives the permission. */
export type AccessRule =
  | { readonly kind: 'validity' }
  | { readonly kind: 'expiry'; readonly expiresAtMs: number }
  | { readonly kind: 'ip_allowlist' }
  /** One of the key's own that covers it; null: nothing does. */
  | { readonly kind: 'permission'; readonly permission: string | null }
  /** As the role gives it, in its workspace. */
  | {
      readonly kind: 'role';
      readonly roleId: string;
      readonly workspaceId: string | null;
      readonly permission: string;
    };

export interface AccessExplanation {
  readonly isAllowed: boolean;
  readonly rule: AccessRule;
  /** A sentence for people. */
  readonly reason: string;
  /** The entry that the address is in; null: the list is empty, or has not been looked at. */
  readonly allowlistEntry: string | null;
}

export interface ExplainedRequest {
  readonly permission: string;
  /** Null: the address is left out. */
  readonly ip: IpAddress | null;
}

const refused = (rule: AccessRule, reason: string): AccessExplanation => ({
  isAllowed: false,
  rule,
  reason,
  allowlistEntry: null,
});

/** @throws {InvalidPermission} for a permission that is none */
export function explainAccess(
  key: ApiKey,
  assigned: readonly ResolvedAssignment[],
  { permission, ip }: ExplainedRequest,
  nowMs: number,
): AccessExplanation {
  const unusable = explainUsability(key, ip, nowMs);
  if (unusable !== null) return unusable;
  const allowlistEntry = ip === null ? null : entryWith(key.ipAllowlist, ip);
  const rule = findGrant(key, assigned, permission);
  if (rule === null) {
    const reason = `no permission of the key, its own or a role's, covers ${permission}`;
    return { ...refused({ kind: 'permission', permission: null }, reason), allowlistEntry };
  }
  const source = rule.kind === 'role' ? `the role ${rule.roleId} gives` : 'the key has';
  const from = ip === null && key.ipAllowlist.length > 0 ? ', from the addresses of its IP allowlist' : '';
  const reason = `${source} ${rule.permission}, which covers ${permission}${from}`;
  return { isAllowed: true, rule, reason, allowlistEntry };
}

/** By the rules, and in the order, of an exchange. */
function explainUsability(key: ApiKey, ip: IpAddress | null, nowMs: number): AccessExplanation | null {
  const allowlist = ip === null ? [] : key.ipAllowlist;
  const reason = decideUsability({ ...key, rules: { allowlist: IpAllowlist.parse(allowlist) } }, ip, nowMs);
  switch (reason) {
    case null:
      return null;
    case 'api_key_revoked':
      return refused({ kind: 'validity' }, 'the key is revoked');
    case 'api_key_expired': {
      const expiresAtMs = key.expiresAtMs ?? nowMs;
      return refused({ kind: 'expiry', expiresAtMs }, `the key expired at ${new Date(expiresAtMs).toISOString()}`);
    }
    case 'ip_not_allowed':
      return refused(
        { kind: 'ip_allowlist' },
        `${ip?.text} is in none of the entries of the key's IP allowlist: ${key.ipAllowlist.join(', ')}`,
      );
  }
}

const entryWith = (entries: readonly string[], ip: IpAddress): string | null =>
  entries.find((entry) => cidrContains(parseCidr(entry), ip)) ?? null;

function findGrant(
  key: ApiKey,
  assigned: readonly ResolvedAssignment[],
  permission: string,
):
  | Extract<AccessRule, { readonly kind: 'role' }>
  | { readonly kind: 'permission'; readonly permission: string }
  | null {
  const required = parsePermission(permission);
  const covering = (permissions: readonly string[]) =>
    permissions.find((granted) => covers(parsePermission(granted), required));
  const own = covering(key.permissions);
  if (own !== undefined) return { kind: 'permission', permission: own };
  for (const { roleId, workspaceId, ...given } of assigned) {
    const granted = covering(effectivePermissions([], [given]));
    if (granted !== undefined) return { kind: 'role', roleId, workspaceId, permission: granted };
  }
  return null;
}
