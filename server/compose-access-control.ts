import { createMemberManagement } from './access-control/manage-members.ts';
import { createCatalogManagement } from './access-control/manage-permission-catalog.ts';
import { createProjectManagement } from './access-control/manage-projects.ts';
import { createRoleManagement } from './access-control/manage-roles.ts';
import { createWorkspaceManagement } from './access-control/manage-workspaces.ts';
import type { MemberStore } from './access-control/member-store.ts';
import type { PermissionCatalogStore } from './access-control/permission-catalog-store.ts';
import type { ProjectStore } from './access-control/project-store.ts';
import type { RoleStore } from './access-control/role-store.ts';
import type { WorkspaceStore } from './access-control/workspace-store.ts';
import type { ApiKeyCache } from './api-keys/api-key-cache.ts';
import type { Clock } from './clock.ts';
import type { Operation } from './http/operation.ts';
import { createMemberOperations } from './http/operations/members.ts';
import { createPermissionCatalogOperations } from './http/operations/permission-catalog.ts';
import { createProjectOperations } from './http/operations/projects.ts';
import { createRoleOperations } from './http/operations/roles.ts';
import { createWorkspaceOperations } from './http/operations/workspaces.ts';
import type { UserStore } from './users/user-store.ts';

interface Stores {
  readonly projects: ProjectStore;
  readonly workspaces: WorkspaceStore;
  readonly roles: RoleStore;
  readonly members: MemberStore;
  readonly users: UserStore;
  readonly permissionCatalogs: PermissionCatalogStore;
}

/** Projects and who may do what in them. */
export function composeAccessControl(
  { projects, workspaces, roles, members, users, permissionCatalogs }: Stores,
  { keyCache, clock, issuer }: { readonly keyCache: ApiKeyCache; readonly clock: Clock; readonly issuer: string },
): readonly Operation[] {
  // Other instances hear of it within a second; whoever asks this one again sees it at once.
  const onRightsChanged = (projectId: string) => keyCache.forget([projectId]);
  const shared = { clock, onRightsChanged };
  return [
    ...createProjectOperations({
      projects,
      members,
      management: createProjectManagement({ ...shared, projects }),
    }),
    ...createWorkspaceOperations({ workspaces, management: createWorkspaceManagement({ workspaces, clock }) }),
    ...createRoleOperations({
      roles,
      management: createRoleManagement({ ...shared, roles, catalogs: permissionCatalogs, issuer }),
    }),
    ...createPermissionCatalogOperations({
      permissionCatalogs,
      management: createCatalogManagement({ catalogs: permissionCatalogs, clock }),
    }),
    ...createMemberOperations({
      members,
      management: createMemberManagement({ members, users, roles, clock }),
    }),
  ];
}
