/** `/v1/users`, and invitations to a project. */
import { z } from 'zod';
import type { Invited, UserManagement } from '../../users/manage-users.ts';
import { normalizeEmail } from '../../users/user.ts';
import { fieldsParameter, listAnswer, listQuery, listSchema, selectFields, toPageRequest } from '../list-query.ts';
import { installationOperation, type Operation } from '../operation.ts';
import { Problem } from '../problem.ts';
import { createUserSchema, invitedUserSchema, toUserJson, updateUserSchema, userSchema } from '../user-schemas.ts';

const resource = 'user';
const tag = 'Users';
const COLLECTION = '/users';
const ONE = '/users/{user}';

const noSuchUser = () => new Problem('not_found', 'no such user');
const toInvitedJson = ({ account, invitationUrl }: Invited) => ({
  ...toUserJson(account),
  invitation_url: invitationUrl,
});

export function createUserOperations({ management }: { readonly management: UserManagement }): readonly Operation[] {
  const list = installationOperation({
    id: 'listUsers',
    method: 'GET',
    path: COLLECTION,
    tag,
    summary: 'List the users of the installation',
    action: 'read',
    resource,
    query: listQuery(['created_at', 'email'], {
      q: z.string().max(254).optional().meta({ description: 'Beginning of the e-mail address' }),
    }),
    answers: { 200: listSchema(userSchema) },
    async handle({ query }) {
      const filter = { emailBeginning: query.q === undefined ? undefined : normalizeEmail(query.q) };
      return listAnswer(await management.list(filter, toPageRequest(query)), query, toUserJson);
    },
  });

  const create = installationOperation({
    id: 'createUser',
    method: 'POST',
    path: COLLECTION,
    tag,
    summary: 'Create a user, with an invitation by which they set their password',
    action: 'create',
    resource,
    body: createUserSchema,
    answers: { 201: invitedUserSchema },
    problems: ['email_taken', 'permission_exceeds_grantor'],
    async handle({ body }, { actor }) {
      const invited = await management.create(body, actor);
      const { id, version } = invited.account;
      return { status: 201, version, headers: { Location: `/v1/users/${id}` }, body: toInvitedJson(invited) };
    },
  });

  const show = installationOperation({
    id: 'getUser',
    method: 'GET',
    path: ONE,
    tag,
    summary: 'Show a user',
    action: 'read',
    resource,
    query: z.strictObject({ fields: fieldsParameter }),
    answers: { 200: userSchema },
    problems: ['not_found'],
    async handle({ params, query }) {
      const account = await management.find(params['user'] ?? '');
      if (account === null) throw noSuchUser();
      return { status: 200, version: account.version, body: selectFields(toUserJson(account), query.fields) };
    },
  });

  const update = installationOperation({
    id: 'updateUser',
    method: 'PATCH',
    path: ONE,
    tag,
    summary: 'Edit a user',
    action: 'update',
    resource,
    body: updateUserSchema,
    answers: { 200: userSchema },
    problems: ['not_found', 'email_taken', 'permission_exceeds_grantor', 'version_mismatch'],
    async handle({ params, body, expectedVersions }, { actor }) {
      const wanted = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
      const account = await management.update(params['user'] ?? '', wanted, { actor, expectedVersions });
      if (account === null) throw noSuchUser();
      return { status: 200, version: account.version, body: toUserJson(account) };
    },
  });

  const remove = installationOperation({
    id: 'deleteUser',
    method: 'DELETE',
    path: ONE,
    tag,
    summary: 'Delete a user with all memberships; API keys go on naming them as owner',
    action: 'delete',
    resource,
    answers: { 204: null },
    problems: ['not_found', 'own_user', 'last_administrator', 'version_mismatch'],
    async handle({ params, expectedVersions }, { actor }) {
      if (!(await management.delete(params['user'] ?? '', actor, expectedVersions))) throw noSuchUser();
      return { status: 204 };
    },
  });

  const invite = installationOperation({
    id: 'inviteUser',
    method: 'POST',
    path: `${ONE}/invitation`,
    tag,
    summary: 'Make a new invitation, which is also how a forgotten password is replaced; earlier ones end',
    description: 'Takes all that the user holds, in every project: whoever has the link can be that user.',
    action: 'update',
    resource,
    answers: { 201: invitedUserSchema },
    problems: ['not_found', 'permission_exceeds_grantor'],
    async handle({ params }, { actor, grantableIn }) {
      const invited = await management.invite(params['user'] ?? '', actor, grantableIn);
      if (invited === null) throw noSuchUser();
      return { status: 201, body: toInvitedJson(invited) };
    },
  });

  return [list, create, show, update, remove, invite];
}
