/** Shapes of API keys on the wire: the schemas that validate. */
import {
  CHOSEN_SECRET_FAULT_MESSAGES,
  checkChosenSecret,
  InvalidAllowlist,
  InvalidPermission,
  IpAllowlist,
  PermissionSet,
} from '@keyturn/lib/protocol';
import { z } from 'zod';
import type { ApiKey } from '../api-keys/api-key.ts';
import { listQuery } from './list-query.ts';

const PERMISSIONS_MAX = 100;
/** Lone surrogates (Cs) are stored as U+FFFD, and SQLite cuts a text at NUL: neither would come back as it was sent. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u;
const UNPRINTABLE_IN_PROSE = /(?![\n\r\t])[\p{Cc}\p{Cs}]/u;

const name = z
  .string()
  .transform((text) => text.trim())
  .pipe(z.string().min(1, 'must have 1 to 100 characters').max(100, 'must have 1 to 100 characters'))
  .refine((text) => !UNPRINTABLE.test(text), 'must not hold control characters or half characters');

/** What a parser of lib/protocol makes of the value; its own errors, which say what to do, become the issue. */
function parsed<In, Out>(parse: (value: In) => Out, isRefusal: (error: unknown) => boolean) {
  return (value: In, context: z.RefinementCtx): Out => {
    try {
      return parse(value);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      context.addIssue({ code: 'custom', message: (error as Error).message });
      return z.NEVER;
    }
  };
}

const permissions = z
  .array(z.string())
  .max(PERMISSIONS_MAX, `must have at most ${PERMISSIONS_MAX} entries; a role or a wider pattern says more with less`)
  .transform(
    parsed(
      (list: string[]) => PermissionSet.parse(list).permissions,
      (error) => error instanceof InvalidPermission,
    ),
  );

const ipAllowlist = z.array(z.string()).transform(
  parsed(
    (list: string[]) => IpAllowlist.parse(list).entries,
    (error) => error instanceof InvalidAllowlist,
  ),
);

const clientSecret = z.string().superRefine((secret, context) => {
  const fault = checkChosenSecret(secret);
  if (fault !== null) context.addIssue({ code: 'custom', message: CHOSEN_SECRET_FAULT_MESSAGES[fault] });
});

export const createApiKeySchema = z.strictObject({
  name,
  description: z
    .string()
    .max(1000, 'must have at most 1000 characters')
    .refine((text) => !UNPRINTABLE_IN_PROSE.test(text), 'must not hold control characters or half characters')
    .nullable()
    .default(null),
  permissions: permissions.default([]),
  ip_allowlist: ipAllowlist.default([]),
  expires_at: z.iso
    .datetime({ offset: true, error: 'must be an RFC 3339 time such as 2027-01-31T18:00:00Z' })
    .nullable()
    .default(null),
  client_secret: clientSecret.optional(),
  refresh_tokens: z.boolean().default(true),
  refresh_requires_client_auth: z.boolean().default(false),
});

export const updateApiKeySchema = z.strictObject({ is_valid: z.boolean() });

export const listApiKeysSchema = listQuery(['created_at'], {});

const toTime = (milliseconds: number | null): string | null =>
  milliseconds === null ? null : new Date(milliseconds).toISOString();

/** An API key as it is shown; the secret is not in it. */
export function toApiKeyJson(key: ApiKey) {
  return {
    id: key.id,
    project_id: key.projectId,
    client_id: key.clientId,
    name: key.name,
    description: key.description,
    owner_id: key.ownerId,
    permissions: key.permissions,
    roles: key.roles.map(({ roleId, workspaceId }) => ({ role_id: roleId, workspace_id: workspaceId })),
    effective_permissions: key.effectivePermissions,
    ip_allowlist: key.ipAllowlist,
    expires_at: toTime(key.expiresAtMs),
    is_valid: key.isValid,
    hint: key.hint,
    refresh_tokens: key.refreshTokens,
    refresh_requires_client_auth: key.refreshRequiresClientAuth,
    last_used_at: toTime(key.lastUsedAtMs),
    last_used_ip: key.lastUsedIp,
    last_denied_at: toTime(key.lastDeniedAtMs),
    last_denied_reason: key.lastDeniedReason,
    created_at: toTime(key.createdAtMs),
    created_by: key.createdBy,
    updated_at: toTime(key.updatedAtMs),
  };
}

const time = z.iso.datetime();

export const apiKeySchema = z
  .object({
    id: z.string(),
    project_id: z.string(),
    client_id: z.string(),
    name: z.string(),
    description: z.string().nullable(),
    owner_id: z.string(),
    permissions: z.array(z.string()),
    roles: z.array(z.object({ role_id: z.string(), workspace_id: z.string().nullable() })),
    effective_permissions: z.array(z.string()),
    ip_allowlist: z.array(z.string()),
    expires_at: time.nullable(),
    is_valid: z.boolean(),
    hint: z.string(),
    refresh_tokens: z.boolean(),
    refresh_requires_client_auth: z.boolean(),
    last_used_at: time.nullable(),
    last_used_ip: z.string().nullable(),
    last_denied_at: time.nullable(),
    last_denied_reason: z.string().nullable(),
    created_at: time,
    created_by: z.string().nullable(),
    updated_at: time,
  })
  .meta({ id: 'ApiKey' });

export const createdApiKeySchema = apiKeySchema
  .extend({ client_secret: z.string().meta({ description: 'Shown this once' }) })
  .meta({ id: 'CreatedApiKey' });
