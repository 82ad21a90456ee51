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
import type { ApiKey, PreviousSecret } from '../api-keys/api-key.ts';

const PERMISSIONS_MAX = 100;
/** Lone surrogates (Cs) are stored as U+FFFD, and SQLite cuts a text at NUL: neither would come back as it was sent. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u;
const UNPRINTABLE_IN_PROSE = /(?![\n\r\t])[\p{Cc}\p{Cs}]/u;

/** Of a key, a role, a project. */
export const name = z
  .string()
  .transform((text) => text.trim())
  .pipe(z.string().min(1, 'must have 1 to 100 characters').max(100, 'must have 1 to 100 characters'))
  .refine((text) => !UNPRINTABLE.test(text), 'must not hold control characters or half characters')
  .meta({ wire: { type: 'string', minLength: 1, maxLength: 100 } });

export const description = z
  .string()
  .max(1000, 'must have at most 1000 characters')
  .refine((text) => !UNPRINTABLE_IN_PROSE.test(text), 'must not hold control characters or half characters')
  .nullable();

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

/** The permissions of a key or a role. */
export const permissions = z
  .array(z.string())
  .max(PERMISSIONS_MAX, `must have at most ${PERMISSIONS_MAX} entries; a role or a wider pattern says more with less`)
  .transform(
    parsed(
      (list: string[]) => PermissionSet.parse(list).permissions,
      (error) => error instanceof InvalidPermission,
    ),
  )
  .meta({ description: 'Such as `read:credential/prod-*`; docs/reference/permissions.md' });

const ROLES_MAX = 50;

/** Roles of a key or a member, each in the whole project or in one workspace. */
export const roleAssignments = z
  .array(
    z.strictObject({
      role_id: z.string().max(64).meta({ description: 'Id or slug' }),
      workspace_id: z
        .string()
        .max(64)
        .nullable()
        .default(null)
        .meta({ description: 'Id or slug; null: in the whole project' }),
    }),
  )
  .max(ROLES_MAX, `must have at most ${ROLES_MAX} entries`)
  .transform((list) => list.map(({ role_id: role, workspace_id: workspace }) => ({ role, workspace })));

const ipAllowlist = z
  .array(z.string())
  .transform(
    parsed(
      (list: string[]) => IpAllowlist.parse(list).entries,
      (error) => error instanceof InvalidAllowlist,
    ),
  )
  .meta({ description: 'Up to 100 addresses and CIDRs, IPv4 and IPv6; none: any address' });

const clientSecret = z.string().superRefine((secret, context) => {
  const fault = checkChosenSecret(secret);
  if (fault !== null)
    context.addIssue({ code: 'custom', message: `is refused: ${CHOSEN_SECRET_FAULT_MESSAGES[fault]}` });
});

/** What can be set at creation and edited afterwards. */
const settings = {
  name,
  description,
  owner_id: z.string().max(64).meta({ description: 'usr_…, a member of the project' }),
  permissions,
  roles: roleAssignments,
  ip_allowlist: ipAllowlist,
  expires_at: z.iso
    .datetime({ offset: true, error: 'must be an RFC 3339 time such as 2027-01-31T18:00:00Z' })
    .transform((text) => Date.parse(text))
    .nullable(),
  refresh_tokens: z.boolean(),
  refresh_requires_client_auth: z.boolean(),
};

export const createApiKeySchema = z
  .strictObject({
    name: settings.name,
    description: settings.description.default(null),
    owner_id: settings.owner_id.optional().meta({ description: 'Default: the caller, or who answers for its API key' }),
    permissions: settings.permissions.default([]),
    roles: settings.roles.default([]),
    ip_allowlist: settings.ip_allowlist.default([]),
    expires_at: settings.expires_at.default(null),
    client_secret: clientSecret.optional().meta({ description: 'A chosen secret; without it one is generated' }),
    refresh_tokens: settings.refresh_tokens.default(true),
    refresh_requires_client_auth: settings.refresh_requires_client_auth.default(false),
  })
  .meta({ id: 'CreateApiKey' });

export type CreateApiKeyBody = z.output<typeof createApiKeySchema>;

export const updateApiKeySchema = z
  .strictObject({ ...settings, is_valid: z.boolean().meta({ description: 'false revokes, true restores' }) })
  .partial()
  .refine((fields) => Object.values(fields).some((value) => value !== undefined), 'must have at least one field')
  .meta({ id: 'UpdateApiKey' });

export type UpdateApiKeyBody = z.output<typeof updateApiKeySchema>;

const OVERLAP_MAX_SECONDS = 604_800;
const OVERLAP_RULE = `must be a whole number from 0 to ${OVERLAP_MAX_SECONDS}`;

export const regenerateApiKeySchema = z
  .strictObject({
    client_secret: clientSecret.optional().meta({ description: 'A chosen secret; without it one is generated' }),
    overlap_seconds: z
      .number()
      .int(OVERLAP_RULE)
      .min(0, OVERLAP_RULE)
      .max(OVERLAP_MAX_SECONDS, OVERLAP_RULE)
      .default(0)
      .meta({ description: 'How long the secret of until now works beside the new one' }),
  })
  .meta({ id: 'RegenerateApiKey' });

const BULK_MAX = 500;

export const bulkDeleteApiKeysSchema = z
  .strictObject({
    ids: z
      .array(z.string().max(64))
      .min(1, 'must name at least one API key')
      .max(BULK_MAX, `must name at most ${BULK_MAX} API keys`)
      .refine((ids) => new Set(ids).size === ids.length, 'must name each API key once')
      .meta({ uniqueItems: true }),
  })
  .meta({ id: 'BulkDeleteApiKeys' });

const toTime = (milliseconds: number | null): string | null =>
  milliseconds === null ? null : new Date(milliseconds).toISOString();

function toPreviousSecretJson(previous: PreviousSecret | null, nowMs: number) {
  if (previous === null || previous.expiresAtMs <= nowMs) return null;
  return {
    hint: previous.hint,
    expires_at: toTime(previous.expiresAtMs),
    last_used_at: toTime(previous.lastUsedAtMs),
  };
}

/** An API key as it is shown at `nowMs`; no secret is in it. */
export function toApiKeyJson(key: ApiKey, nowMs: number) {
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
    secret_last_used_at: toTime(key.secretLastUsedAtMs),
    previous_secret: toPreviousSecretJson(key.previousSecret, nowMs),
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
    hint: z.string().meta({ description: 'Last four characters of the secret' }),
    secret_last_used_at: time.nullable(),
    previous_secret: z
      .object({ hint: z.string(), expires_at: time, last_used_at: time.nullable() })
      .nullable()
      .meta({ description: 'What works beside the secret, after a regeneration with an overlap' }),
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

export const apiKeyWithSecretSchema = apiKeySchema
  .extend({ client_secret: z.string().meta({ description: 'Shown this once' }) })
  .meta({ id: 'ApiKeyWithSecret' });

export const bulkDeletedApiKeysSchema = z
  .object({
    results: z
      .array(
        z.object({
          id: z.string(),
          status: z.enum(['deleted', 'failed']),
          code: z.enum(['not_found']).optional().meta({ description: 'Why it failed' }),
        }),
      )
      .meta({ description: 'One for each id, in the order asked for' }),
  })
  .meta({ id: 'BulkDeletedApiKeys' });
