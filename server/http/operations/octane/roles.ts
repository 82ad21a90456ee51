/** `/api/shared_spaces/{project}/roles` and `…/workspace_roles`. */
import { z } from 'zod';
import type { Project } from '../../../access-control/project.ts';
import type { Role } from '../../../access-control/role.ts';
import type { RoleStore } from '../../../access-control/role-store.ts';
import type { Workspace } from '../../../access-control/workspace.ts';
import type { WorkspaceStore } from '../../../access-control/workspace-store.ts';
import { type Operation, projectOperation } from '../../operation.ts';
import {
  type Listed,
  MAX_LISTED,
  octaneFields,
  octaneListAnswer,
  octaneListSchema,
  readFirst,
  reference,
  selectOctaneFields,
  tag,
  toOctaneTime,
} from './octane-list.ts';
import { conditionsParameter } from './octane-query.ts';
import { toRoleReference, toWorkspaceRoleJson, workspaceRoleSchema } from './workspace-role.ts';

const toRoleJson = (role: Role) => ({
  ...toRoleReference(role),
  based_on_system: null,
  last_modified: toOctaneTime(role.updatedAtMs),
  workspace_id: role.projectId,
  is_system: role.isBuiltIn,
  version_stamp: role.version,
  creation_time: toOctaneTime(role.createdAtMs),
});

const roleSchema = reference('role')
  .extend({
    logical_name: z.string().meta({ description: '`role.project.` and the slug; never changes' }),
    name: z.string(),
    based_on_system: z.null(),
    last_modified: z.iso.datetime(),
    workspace_id: z.string().meta({ description: 'Of the shared space that the role belongs to' }),
    is_system: z.boolean().meta({ description: 'Built in: nobody edits it' }),
    version_stamp: z.int(),
    creation_time: z.iso.datetime(),
  })
  .partial()
  .required({ type: true, id: true })
  .meta({ id: 'OctaneRole' });

export interface OctaneRoleStores {
  readonly roles: RoleStore;
  readonly workspaces: WorkspaceStore;
}

interface Asked {
  readonly role?: string;
  readonly workspace?: string;
}

const listed = <T>(found: T | null): Listed<T> => ({ items: found === null ? [] : [found], hasMore: false });

/** Where the roles asked for are given: null is the whole project, and alone when only a role is asked for. */
async function readPlaces(
  { workspaces }: OctaneRoleStores,
  project: Project,
  asked: Asked,
): Promise<Listed<Workspace | null>> {
  if (asked.workspace !== undefined) return listed(await workspaces.find(project.id, asked.workspace));
  if (asked.role !== undefined) return { items: [null], hasMore: false };
  const { items, hasMore } = await readFirst((page) => workspaces.list(project.id, page));
  return { items: [null, ...items], hasMore };
}

async function readWorkspaceRoles(stores: OctaneRoleStores, project: Project, asked: Asked) {
  const places = await readPlaces(stores, project, asked);
  const roles =
    asked.role === undefined
      ? await readFirst((page) => stores.roles.list(project.id, page))
      : listed(await stores.roles.find(project.id, asked.role));
  const all = places.items.flatMap((place) => roles.items.map((role) => toWorkspaceRoleJson(role, place)));
  const items = all.slice(0, MAX_LISTED);
  return { items, hasMore: all.length > items.length || places.hasMore || roles.hasMore };
}

const access = { action: 'read', resource: 'role' } as const;

export function createOctaneRoleOperations(stores: OctaneRoleStores): readonly Operation[] {
  const listRoles = projectOperation({
    ...access,
    id: 'listOctaneRoles',
    method: 'GET',
    base: '/api',
    path: '/shared_spaces/{project}/roles',
    tag,
    summary: 'List the roles of a shared space',
    query: octaneFields(roleSchema),
    answers: { 200: octaneListSchema(roleSchema) },
    async handle({ query }, { project }) {
      const { items, hasMore } = await readFirst((page) => stores.roles.list(project.id, page));
      const data = items.map((role) => selectOctaneFields(toRoleJson(role), query.fields));
      return octaneListAnswer({ items: data, hasMore });
    },
  });

  const listWorkspaceRoles = projectOperation({
    ...access,
    id: 'listOctaneWorkspaceRoles',
    method: 'GET',
    base: '/api',
    path: '/shared_spaces/{project}/workspace_roles',
    tag,
    summary: 'List roles together with where they can be given',
    description: 'Asked by role alone: that role in the whole shared space.',
    query: octaneFields(workspaceRoleSchema).extend({ query: conditionsParameter(['role', 'workspace']) }),
    answers: { 200: octaneListSchema(workspaceRoleSchema) },
    async handle({ query }, { project }) {
      const { items, hasMore } = await readWorkspaceRoles(stores, project, query.query ?? {});
      return octaneListAnswer({ items: items.map((item) => selectOctaneFields(item, query.fields)), hasMore });
    },
  });

  return [listRoles, listWorkspaceRoles];
}
