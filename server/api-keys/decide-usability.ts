import type { IpAddress } from '@keyturn/lib/protocol';
import type { ApiKey } from './api-key.ts';
import type { ApiKeyRules } from './ready-api-key.ts';

export type UnusableReason = 'api_key_revoked' | 'api_key_expired' | 'ip_not_allowed';

type UsableKey = Pick<ApiKey, 'isValid' | 'expiresAtMs'> & { readonly rules: Pick<ApiKeyRules, 'allowlist'> };

/** Why a proven key may not be used now, from here; null when it may. `ip` null: the address could not be told. */
export function decideUsability(key: UsableKey, ip: IpAddress | null, nowMs: number): UnusableReason | null {
  if (!key.isValid) return 'api_key_revoked';
  // In its last second already: the shortest token lives for one, and none outlives its key.
  if (key.expiresAtMs !== null && key.expiresAtMs - nowMs < 1000) return 'api_key_expired';
  if (!key.rules.allowlist.allows(ip)) return 'ip_not_allowed';
  return null;
}
