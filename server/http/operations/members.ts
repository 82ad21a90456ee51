/** `/v1/projects/{project}/members`. */
import { z } from 'zod';
import type { MemberManagement } from '../../access-control/manage-members.ts';
import type { Member } from '../../access-control/member.ts';
import type { MemberStore } from '../../access-control/member-store.ts';
import { oneQuery, time, toTime } from '../access-control-schemas.ts';
import { roleAssignments } from '../api-key-schemas.ts';
import { listAnswer, listQuery, listSchema, selectFields, toPageRequest } from '../list-query.ts';
import { type Operation, projectOperation } from '../operation.ts';
import { Problem } from '../problem.ts';

const COLLECTION = '/projects/{project}/members';
const ONE = '/projects/{project}/members/{user}';
const shared = { tag: 'Members', resource: 'member' } as const;

const addSchema = z
  .strictObject({
    user_id: z.string().max(64).optional(),
    email: z.string().max(254).optional().meta({ description: 'In place of user_id; the user must exist' }),
    roles: roleAssignments.default([]),
  })
  .refine(
    ({ user_id: userId, email }) => (userId === undefined) !== (email === undefined),
    'must have either user_id or email',
  )
  .meta({ id: 'AddMember' });

const updateSchema = z.strictObject({ roles: roleAssignments }).meta({ id: 'UpdateMember' });

const memberSchema = z
  .object({
    project_id: z.string(),
    user_id: z.string(),
    email: z.string().nullable(),
    name: z.string(),
    roles: z.array(z.object({ role_id: z.string(), workspace_id: z.string().nullable() })),
    permissions: z.array(z.string()).meta({ description: 'What the roles give, workspaces worked in' }),
    created_at: time,
    updated_at: time,
  })
  .meta({ id: 'Member' });

const toJson = (member: Member): z.input<typeof memberSchema> => ({
  project_id: member.projectId,
  user_id: member.userId,
  email: member.email,
  name: member.name,
  roles: member.roles.map(({ roleId, workspaceId }) => ({ role_id: roleId, workspace_id: workspaceId })),
  permissions: [...member.permissions],
  created_at: toTime(member.createdAtMs),
  updated_at: toTime(member.updatedAtMs),
});

const noSuchMember = () => new Problem('not_found', 'no such member in this project');

interface Dependencies {
  readonly members: Pick<MemberStore, 'find' | 'list'>;
  readonly management: MemberManagement;
}

export function createMemberOperations(dependencies: Dependencies): readonly Operation[] {
  return [list, add, show, update, remove].map((define) => define(dependencies));
}

const list = ({ members }: Dependencies) =>
  projectOperation({
    ...shared,
    id: 'listMembers',
    method: 'GET',
    path: COLLECTION,
    summary: 'List the members of a project and their roles',
    action: 'read',
    query: listQuery(['created_at'], {}),
    answers: { 200: listSchema(memberSchema) },
    async handle({ query }, { project }) {
      return listAnswer(await members.list(project.id, toPageRequest(query)), query, toJson);
    },
  });

const add = ({ management }: Dependencies) =>
  projectOperation({
    ...shared,
    id: 'addMember',
    method: 'POST',
    path: COLLECTION,
    summary: 'Make a user a member of the project',
    action: 'create',
    body: addSchema,
    answers: { 201: memberSchema },
    problems: ['already_member', 'permission_exceeds_grantor'],
    async handle({ body }, { project, actor }) {
      const reference = body.user_id === undefined ? { email: body.email ?? '' } : { userId: body.user_id };
      const member = await management.add(project.id, reference, body.roles, actor);
      return {
        status: 201,
        headers: { Location: `/v1/projects/${project.id}/members/${member.userId}` },
        version: member.version,
        body: toJson(member),
      };
    },
  });

const show = ({ members }: Dependencies) =>
  projectOperation({
    ...shared,
    id: 'getMember',
    method: 'GET',
    path: ONE,
    summary: 'Show a member and their roles',
    action: 'read',
    query: oneQuery,
    answers: { 200: memberSchema },
    async handle({ params, query }, { project }) {
      const member = await members.find(project.id, params['user'] ?? '');
      if (member === null) throw noSuchMember();
      return { status: 200, version: member.version, body: selectFields(toJson(member), query.fields) };
    },
  });

const update = ({ management }: Dependencies) =>
  projectOperation({
    ...shared,
    id: 'updateMember',
    method: 'PATCH',
    path: ONE,
    summary: 'Give a member other roles',
    action: 'update',
    body: updateSchema,
    answers: { 200: memberSchema },
    problems: ['last_administrator', 'permission_exceeds_grantor', 'version_mismatch'],
    async handle({ params, body, expectedVersions }, { project, actor }) {
      const by = { actor, expectedVersions };
      const member = await management.update(project.id, params['user'] ?? '', body.roles, by);
      if (member === null) throw noSuchMember();
      return { status: 200, version: member.version, body: toJson(member) };
    },
  });

const remove = ({ management }: Dependencies) =>
  projectOperation({
    ...shared,
    id: 'removeMember',
    method: 'DELETE',
    path: ONE,
    summary: 'Remove a member; their API keys stay',
    action: 'delete',
    answers: { 204: null },
    problems: ['last_administrator', 'version_mismatch'],
    async handle({ params, expectedVersions }, { project, actor }) {
      const isRemoved = await management.delete(project.id, params['user'] ?? '', { actor, expectedVersions });
      if (!isRemoved) throw noSuchMember();
      return { status: 204 };
    },
  });
