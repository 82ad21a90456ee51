/** Shapes of users on the wire: the schemas that validate. */
import { z } from 'zod';
import { type Account, isInstallationPermission, type Membership, normalizeEmail } from '../users/user.ts';
import { permissions } from './api-key-schemas.ts';

const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u;
const MAX_EMAIL_CHARACTERS = 254;

export const email = z
  .email('must be an e-mail address')
  .max(MAX_EMAIL_CHARACTERS, `must have at most ${MAX_EMAIL_CHARACTERS} characters`)
  .transform(normalizeEmail)
  .meta({ description: 'Capitals make no difference: kept in lower case' });

export const personName = z
  .string()
  .transform((text) => text.trim())
  .pipe(z.string().min(1, 'must have 1 to 100 characters').max(100, 'must have 1 to 100 characters'))
  .refine((text) => !UNPRINTABLE.test(text), 'must not hold control characters or half characters')
  .meta({ wire: { type: 'string', minLength: 1, maxLength: 100 } });

const installationPermissions = permissions.refine(
  (list) => list.every(isInstallationPermission),
  'must be permissions of keyturn-installation; what a user may do in a project is in their roles there',
);

/** Its rules are told by {@link UnacceptablePassword}; here only what bounds the work. */
const password = z.string().max(1024, 'must have at most 72 bytes').meta({ format: 'password' });

export const createUserSchema = z
  .strictObject({ email, name: personName, permissions: installationPermissions.default([]) })
  .meta({ id: 'CreateUser' });

export const updateUserSchema = z
  .strictObject({
    email: email.optional(),
    name: personName.optional(),
    permissions: installationPermissions.optional(),
  })
  .refine((fields) => Object.keys(fields).length > 0, 'must have at least one field')
  .meta({ id: 'UpdateUser' });

export const signInSchema = z
  .strictObject({ email: z.string().max(MAX_EMAIL_CHARACTERS), password })
  .meta({ id: 'SignIn' });

export const setUpSchema = z
  .strictObject({
    token: z.string().max(100).meta({ description: 'What stands after # in the link' }),
    password: password.meta({ description: 'At least 12 characters, at most 72 bytes, and hard to guess' }),
    name: personName.optional(),
    email: email.optional().meta({ description: 'For a user who has none yet; ignored for any other' }),
  })
  .meta({ id: 'SetUp' });

export const changePasswordSchema = z
  .strictObject({ current_password: password, new_password: password })
  .meta({ id: 'ChangePassword' });

const time = z.iso.datetime();

export const userSchema = z
  .object({
    id: z.string(),
    email: z.string().nullable().meta({ description: 'Null for the first user, until they are set up' }),
    name: z.string(),
    permissions: z.array(z.string()).meta({ description: 'Held in the whole installation' }),
    has_password: z.boolean().meta({ description: 'False until they have opened their invitation' }),
    last_sign_in_at: time.nullable(),
    created_at: time,
    updated_at: time,
  })
  .meta({ id: 'User' });

export const invitedUserSchema = userSchema
  .extend({
    invitation_url: z.string().meta({
      description: 'Shown this once. Works once, for seven days; whoever opens it sets the password of the user',
    }),
  })
  .meta({ id: 'InvitedUser' });

const membershipSchema = z
  .object({
    project_id: z.string(),
    project_slug: z.string(),
    project_name: z.string(),
    roles: z.array(z.object({ role_id: z.string(), workspace_id: z.string().nullable() })),
  })
  .meta({ id: 'Membership' });

export const consoleSessionSchema = z
  .object({
    user: userSchema,
    memberships: z.array(membershipSchema),
    created_at: time,
    idle_ends_at: time.meta({ description: 'It ends then, unless a request comes before' }),
    ends_at: time.meta({ description: 'It ends then, whatever comes' }),
  })
  .meta({ id: 'ConsoleSession' });

export const meAsPersonSchema = z
  .object({
    user_id: z.string(),
    email: z.string().nullable(),
    name: z.string(),
    permissions: z.array(z.string()).meta({ description: 'Held in the whole installation' }),
    memberships: z.array(membershipSchema),
    ip: z.string().nullable().meta({ description: 'The address that Keyturn sees' }),
  })
  .meta({ id: 'MeAsPerson', description: 'For whoever is signed in to the console' });

export const toTime = (milliseconds: number): string => new Date(milliseconds).toISOString();

/** A user as it is shown; nothing of the password is in it. */
export function toUserJson(account: Account) {
  return {
    id: account.id,
    email: account.email,
    name: account.name,
    permissions: account.permissions,
    has_password: account.passwordHash !== null,
    last_sign_in_at: account.lastSignInAtMs === null ? null : toTime(account.lastSignInAtMs),
    created_at: toTime(account.createdAtMs),
    updated_at: toTime(account.updatedAtMs),
  };
}

export function toMembershipJson({ projectId, projectSlug, projectName, roles }: Membership) {
  return {
    project_id: projectId,
    project_slug: projectSlug,
    project_name: projectName,
    roles: roles.map(({ roleId, workspaceId }) => ({ role_id: roleId, workspace_id: workspaceId })),
  };
}
