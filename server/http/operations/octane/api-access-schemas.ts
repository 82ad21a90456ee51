/** Shapes of ALM Octane's API accesses on the wire. */
import { z } from 'zod';
import type { ApiKey } from '../../../api-keys/api-key.ts';
import { createApiKeySchema } from '../../api-key-schemas.ts';
import { reference, selectOctaneFields, toOctaneTime } from './octane-list.ts';
import { formatWorkspaceRoleId } from './workspace-role.ts';

/** Each takes a bcrypt hash, a quarter of a second of one core, one after the other: see withDeadline. */
const MAX_CREATED = 10;
const CREATED_RULE = `must have 1 to ${MAX_CREATED} entries`;
const WORKSPACE_ROLES_MAX = 50;

const { name, client_secret: optionalSecret, expires_at: expiration } = createApiKeySchema.shape;
const clientSecret = optionalSecret.unwrap().meta({ description: 'Chosen by the user; never shown again' });

const workspaceRoles = z.strictObject({
  data: z
    .array(z.strictObject({ type: z.literal('workspace_role'), id: z.string().max(130) }))
    .max(WORKSPACE_ROLES_MAX, `must have at most ${WORKSPACE_ROLES_MAX} entries`),
});

const newApiAccessSchema = z.strictObject({
  client_secret: clientSecret,
  name,
  expiration: expiration.meta({ description: 'A time that is past is taken as it is: the key proves nothing' }),
  workspace_roles: workspaceRoles.default({ data: [] }),
});

export const createApiAccessesSchema = z
  .strictObject({
    data: z.array(newApiAccessSchema).min(1, CREATED_RULE).max(MAX_CREATED, CREATED_RULE),
  })
  .meta({ id: 'CreateOctaneApiAccesses' });

export const updateApiAccessSchema = z
  .strictObject({
    is_valid: z.boolean().meta({ description: 'false revokes; true restores, and with client_secret regenerates' }),
    client_secret: clientSecret.optional(),
  })
  .refine(
    (fields) => fields.is_valid || fields.client_secret === undefined,
    'must not have a client_secret when is_valid is false: that revokes',
  )
  .meta({ id: 'UpdateOctaneApiAccess' });

const ALWAYS = ['type', 'id', 'is_valid'];

/** As it is shown; no secret is in it. */
export function toApiAccessJson(key: ApiKey, fields: readonly string[] | undefined): object {
  const json = {
    type: 'api_access',
    id: key.id,
    client_id: key.clientId,
    is_valid: key.isValid,
    name: key.name,
    expiration: key.expiresAtMs === null ? null : toOctaneTime(key.expiresAtMs),
    workspace_roles: { data: key.roles.map((role) => ({ type: 'workspace_role', id: formatWorkspaceRoleId(role) })) },
    creation_time: toOctaneTime(key.createdAtMs),
    last_modified: toOctaneTime(key.updatedAtMs),
    version_stamp: key.version,
  };
  return selectOctaneFields(json, fields, ALWAYS);
}

export const apiAccessSchema = reference('api_access')
  .extend({
    is_valid: z.boolean().meta({ description: 'False once revoked' }),
    client_id: z.string(),
    name: z.string(),
    expiration: z.iso.datetime().nullable(),
    workspace_roles: z.object({ data: z.array(reference('workspace_role')) }),
    creation_time: z.iso.datetime(),
    last_modified: z.iso.datetime(),
    version_stamp: z.int(),
  })
  .partial()
  .required({ type: true, id: true, is_valid: true })
  .meta({ id: 'OctaneApiAccess' });

export type NewApiAccess = z.output<typeof newApiAccessSchema>;
