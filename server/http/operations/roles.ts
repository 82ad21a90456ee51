/** `/v1/projects/{project}/roles`. */
import { z } from 'zod';
import type { RoleManagement } from '../../access-control/manage-roles.ts';
import type { Role } from '../../access-control/role.ts';
import type { RoleStore } from '../../access-control/role-store.ts';
import {
  FIELD_RULE,
  hasField,
  namedSettings,
  newNamed,
  oneQuery,
  sentFields,
  slugOrFrom,
  sorts,
  time,
  toTime,
} from '../access-control-schemas.ts';
import { permissions } from '../api-key-schemas.ts';
import { listAnswer, listQuery, listSchema, selectFields, toPageRequest } from '../list-query.ts';
import { type Operation, projectOperation } from '../operation.ts';
import { Problem } from '../problem.ts';

const COLLECTION = '/projects/{project}/roles';
const ONE = '/projects/{project}/roles/{role}';
const shared = { tag: 'Roles', resource: 'role' } as const;

const OF_INSTALLATION = /^[^:]+:keyturn-installation(\/|$)/;
const rolePermissions = permissions.refine(
  (list) => !list.some((permission) => OF_INSTALLATION.test(permission)),
  'must not be of keyturn-installation: what belongs to no project is given to API keys and users, not in a role',
);

const createSchema = z
  .strictObject({ ...newNamed, permissions: rolePermissions.default([]) })
  .meta({ id: 'CreateRole' });

const updateSchema = z
  .strictObject({ ...namedSettings, permissions: rolePermissions })
  .partial()
  .refine(hasField, FIELD_RULE)
  .meta({ id: 'UpdateRole' });

const roleSchema = z
  .object({
    id: z.string(),
    project_id: z.string(),
    slug: z.string(),
    name: z.string(),
    description: z.string().nullable(),
    permissions: z.array(z.string()),
    is_built_in: z
      .boolean()
      .meta({ description: 'Every project has it from its beginning; neither edited nor deleted' }),
    created_at: time,
    updated_at: time,
  })
  .meta({ id: 'Role' });

const heldRoleSchema = roleSchema
  .extend({
    key_count: z.int().meta({ description: 'API keys that have it, counted up to 1,000' }),
    member_count: z.int().meta({ description: 'Members that have it, counted up to 1,000' }),
  })
  .meta({ id: 'RoleWithHolders' });

const toJson = (role: Role): z.input<typeof roleSchema> => ({
  id: role.id,
  project_id: role.projectId,
  slug: role.slug,
  name: role.name,
  description: role.description,
  permissions: [...role.permissions],
  is_built_in: role.isBuiltIn,
  created_at: toTime(role.createdAtMs),
  updated_at: toTime(role.updatedAtMs),
});

const noSuchRole = () => new Problem('not_found', 'no such role in this project');

interface Dependencies {
  readonly roles: Pick<RoleStore, 'find' | 'list' | 'countHolders'>;
  readonly management: RoleManagement;
}

export function createRoleOperations(dependencies: Dependencies): readonly Operation[] {
  return [list, create, show, update, remove].map((define) => define(dependencies));
}

const list = ({ roles }: Dependencies) =>
  projectOperation({
    ...shared,
    id: 'listRoles',
    method: 'GET',
    path: COLLECTION,
    summary: 'List the roles of a project',
    action: 'read',
    query: listQuery(sorts, {}),
    answers: { 200: listSchema(roleSchema) },
    async handle({ query }, { project }) {
      return listAnswer(await roles.list(project.id, toPageRequest(query)), query, toJson);
    },
  });

const create = ({ management }: Dependencies) =>
  projectOperation({
    ...shared,
    id: 'createRole',
    method: 'POST',
    path: COLLECTION,
    summary: 'Create a role',
    action: 'create',
    body: createSchema,
    answers: { 201: roleSchema },
    problems: ['slug_taken', 'permission_exceeds_grantor'],
    async handle({ body }, { project, actor }) {
      const role = await management.create(project, { ...body, slug: slugOrFrom(body) }, actor);
      return {
        status: 201,
        headers: { Location: `/v1/projects/${project.id}/roles/${role.id}` },
        version: role.version,
        body: toJson(role),
      };
    },
  });

const show = ({ roles }: Dependencies) =>
  projectOperation({
    ...shared,
    id: 'getRole',
    method: 'GET',
    path: ONE,
    summary: 'Show a role, and how many have it',
    action: 'read',
    query: oneQuery,
    answers: { 200: heldRoleSchema },
    async handle({ params, query }, { project }) {
      const role = await roles.find(project.id, params['role'] ?? '');
      if (role === null) throw noSuchRole();
      const { keyCount, memberCount } = await roles.countHolders(role.id);
      const json = { ...toJson(role), key_count: keyCount, member_count: memberCount };
      return { status: 200, version: role.version, body: selectFields(json, query.fields) };
    },
  });

const update = ({ management }: Dependencies) =>
  projectOperation({
    ...shared,
    id: 'updateRole',
    method: 'PATCH',
    path: ONE,
    summary: 'Edit a role; API keys and members that have it follow within a second',
    action: 'update',
    body: updateSchema,
    answers: { 200: roleSchema },
    problems: [
      'permission_exceeds_grantor',
      'built_in_role',
      'last_administrator',
      'token_too_large',
      'version_mismatch',
    ],
    async handle({ params, body, expectedVersions }, { project, actor }) {
      const by = { actor, expectedVersions };
      const role = await management.update(project, params['role'] ?? '', sentFields(body), by);
      if (role === null) throw noSuchRole();
      return { status: 200, version: role.version, body: toJson(role) };
    },
  });

const remove = ({ management }: Dependencies) =>
  projectOperation({
    ...shared,
    id: 'deleteRole',
    method: 'DELETE',
    path: ONE,
    summary: 'Delete a role that nobody has',
    action: 'delete',
    answers: { 204: null },
    problems: ['built_in_role', 'object_in_use', 'version_mismatch'],
    async handle({ params, expectedVersions }, { project, actor }) {
      const isDeleted = await management.delete(project.id, params['role'] ?? '', { actor, expectedVersions });
      if (!isDeleted) throw noSuchRole();
      return { status: 204 };
    },
  });
