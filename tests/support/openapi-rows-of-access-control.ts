import { longPermissions } from './openapi-rows-of-api-keys.ts';
import type { WalkRow } from './openapi-walk.ts';
import { type Call, unique, type World } from './openapi-world.ts';

const named = (): Call => ({ json: { name: unique('name') } });
const described = (): Call => ({ json: { description: 'x' } });
const role = (): Call => ({ json: { name: unique('role'), permissions: ['read:x'] } });
const pageOfNames = () => ({ query: 'limit=2&sort=-name&fields=id,name' });
const onlyName = () => ({ query: 'fields=name' });

/** The only administrator of a project. */
async function lastAdministrator({ project }: World): Promise<Call> {
  const { id, userId } = await project();
  return { params: { project: id, user: userId } };
}

async function newMember({ make, fresh }: World): Promise<Call> {
  const user = await fresh('user');
  await make('POST', '/v1/projects/default/members', { user_id: user });
  return { params: { user } };
}

/** A role that an API key has, so that what becomes of it becomes of the key. */
async function heldRole({ make, fresh }: World): Promise<string> {
  const id = await fresh('role');
  await make('POST', '/v1/projects/default/keys', { name: unique('key'), roles: [{ role_id: id }] });
  return id;
}

export const accessControlRows: Readonly<Record<string, WalkRow>> = {
  listProjects: { also: [pageOfNames] },
  createProject: { success: named, others: { 409: () => ({ json: { name: 'Default', slug: 'default' } }) } },
  getProject: { also: [onlyName] },
  updateProject: { success: () => ({ json: { description: 'x', audiences: [] } }) },
  deleteProject: {
    success: async ({ project }) => ({ params: { project: (await project()).id } }),
    others: { 409: () => ({ params: { project: 'default' } }) },
  },
  listWorkspaces: { also: [pageOfNames] },
  createWorkspace: {
    success: named,
    others: {
      409: async ({ make }) => {
        const { name, slug } = await make('POST', '/v1/projects/default/workspaces', { name: unique('workspace') });
        return { json: { name, slug } };
      },
    },
  },
  getWorkspace: { also: [onlyName] },
  updateWorkspace: { success: described },
  deleteWorkspace: {
    others: {
      409: async ({ make, fresh }) => {
        const workspace = await fresh('workspace');
        const roles = [{ role_id: await fresh('role'), workspace_id: workspace }];
        await make('POST', '/v1/projects/default/keys', { name: unique('key'), roles });
        return { params: { workspace } };
      },
    },
  },
  listRoles: { also: [pageOfNames] },
  createRole: { success: role, others: { 409: () => ({ json: { name: 'Viewer', permissions: [] } }) } },
  getRole: { also: [onlyName] },
  updateRole: {
    success: () => ({ json: { permissions: ['read:x'] } }),
    others: {
      409: () => ({ params: { role: 'viewer' }, json: { name: 'x' } }),
      422: async (world) => ({ params: { role: await heldRole(world) }, json: { permissions: longPermissions() } }),
    },
  },
  deleteRole: { others: { 409: async (world) => ({ params: { role: await heldRole(world) } }) } },
  getPermissionCatalog: {},
  replacePermissionCatalog: {
    success: async ({ project }) => ({
      params: { project: (await project()).id },
      json: {
        actions: [{ name: 'read', description: 'x' }],
        resources: [{ path: 'credential', actions: ['read'], entities_url: 'https://example.com/credentials' }],
      },
    }),
  },
  listMembers: { also: [() => ({ query: 'limit=2&fields=user_id' })] },
  addMember: {
    success: async ({ fresh }) => ({ json: { user_id: await fresh('user'), roles: [{ role_id: 'viewer' }] } }),
    others: { 409: async (world) => ({ json: { user_id: (await newMember(world)).params?.['user'] } }) },
  },
  getMember: { success: newMember, also: [newMember] },
  updateMember: {
    success: async (world) => ({ ...(await newMember(world)), json: { roles: [{ role_id: 'viewer' }] } }),
    others: { 409: async (world) => ({ ...(await lastAdministrator(world)), json: { roles: [] } }) },
  },
  removeMember: { success: newMember, others: { 409: lastAdministrator } },
};
