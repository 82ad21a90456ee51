/** Query parameters of the list of API keys: filters, all of which must hold, and orders. */
import { clientIdSuffixOf } from '@keyturn/lib/protocol';
import { z } from 'zod';
import type { ApiKeyFilter } from '../api-keys/api-key-store.ts';
import { searchWords } from '../api-keys/search-words.ts';
import { listQuery } from './list-query.ts';
import { permissionText } from './permission-text.ts';

const KEY_ID = /^key_[0-9a-z]{26}$/;

const id = z.string().min(1).max(64);

const time = z.iso
  .datetime({ offset: true, error: 'must be an RFC 3339 time such as 2027-01-31T18:00:00Z' })
  .transform((text) => Date.parse(text));

/** A whole id or client_id names one key; anything else is looked for among the words. */
function parseSearch(text: string): Pick<ApiKeyFilter, 'id' | 'words'> | null {
  if (KEY_ID.test(text)) return { id: text };
  const suffix = clientIdSuffixOf(text);
  const words = suffix === null ? searchWords(text) : [suffix];
  return words.length === 0 ? null : { words };
}

const search = z
  .string()
  .max(200, 'must have at most 200 characters')
  .transform((text, context) => {
    const parsed = parseSearch(text.trim());
    if (parsed !== null) return parsed;
    context.addIssue({ code: 'custom', message: 'must hold a letter or a digit' });
    return z.NEVER;
  });

export const listApiKeysSchema = listQuery(['created_at', 'name', 'last_used_at', 'expires_at'], {
  q: search.optional().meta({
    description:
      'Beginnings of words of the name, all of which must match: ci run finds run-ci-eu. Or a client_id, its random end, or an id',
  }),
  owner_id: id.optional().meta({ description: 'Whose owner this is' }),
  is_valid: z
    .enum(['true', 'false'], 'must be true or false')
    .transform((text) => text === 'true')
    .optional()
    .meta({ description: 'false: the revoked ones' }),
  expires_before: time.optional().meta({ description: 'Which have an expiry, before this' }),
  unused_since: time.optional().meta({ description: 'Last used before this; or never used, and created before this' }),
  permission: permissionText.optional().meta({
    description:
      'Which could do this. Looks at 1,000 keys in the order of the list: a page may be short, even empty, and have a next_cursor; total_count is then that of the page',
  }),
  role_id: id.optional().meta({ description: 'Which have this role; with workspace_id, in that workspace' }),
  workspace_id: id.optional().meta({ description: 'Which have a role in this workspace' }),
});

export function toApiKeyFilter(query: z.output<typeof listApiKeysSchema>): ApiKeyFilter {
  return {
    ...query.q,
    ownerId: query.owner_id,
    isValid: query.is_valid,
    expiresBeforeMs: query.expires_before,
    unusedSinceMs: query.unused_since,
    permission: query.permission,
    roleId: query.role_id,
    workspaceId: query.workspace_id,
  };
}
