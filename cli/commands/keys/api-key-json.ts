/** An API key as the service answers it, and as people read it. */
import { IpAllowlist } from '@keyturn/lib/protocol';
import { InvalidArgumentError } from 'commander';
import { systemClock } from '../../../server/clock.ts';
import type { toApiKeyJson } from '../../../server/http/api-key-schemas.ts';
import type { EditedList } from '../../list-options.ts';
import { formatAssignment } from '../../role-assignments.ts';

export type ApiKeyJson = ReturnType<typeof toApiKeyJson>;
export type CreatedApiKeyJson = ApiKeyJson & { readonly client_secret: string };

/** With host bits cleared; what is no address goes as it is, to be refused by the service. */
function storedAddress(text: string): string {
  try {
    return IpAllowlist.parse([text]).entries[0] ?? text;
  } catch {
    return text;
  }
}

export const ALLOWLIST: EditedList = {
  whole: 'allow-ip',
  entry: 'ip',
  list: 'allowlist',
  value: '<cidr>',
  stored: storedAddress,
};

export function stateOf({ is_valid, expires_at }: Pick<ApiKeyJson, 'is_valid' | 'expires_at'>): string {
  if (!is_valid) return 'revoked';
  return expires_at !== null && Date.parse(expires_at) <= systemClock.nowMs() ? 'expired' : 'valid';
}

/** Lines of one key for people, by name. */
export function fieldsOf({ is_valid, ...key }: ApiKeyJson): Record<string, unknown> {
  const { expires_at, roles, previous_secret: previous } = key;
  return {
    state: stateOf({ is_valid, expires_at }),
    ...key,
    roles: roles.map(formatAssignment),
    previous_secret:
      previous && `…${previous.hint} until ${previous.expires_at}, last used ${previous.last_used_at ?? 'never'}`,
  };
}

export function parseKeyId(text: string): string {
  if (/^key_[0-9a-z]{26}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be the id of a key (key_…), not its client_id; keys list shows both.');
}

/** Addresses are stored with host bits cleared; undefined when all are stored as they were given. */
export function allowlistNote(given: readonly string[], { ip_allowlist }: ApiKeyJson): string | undefined {
  if (given.every((entry) => ip_allowlist.includes(entry))) return undefined;
  return `The IP allowlist was stored as ${ip_allowlist.join(' ')}.`;
}
