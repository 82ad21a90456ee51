/** Roles given to API keys and members, as `role` or `role@workspace`. */
import { InvalidArgumentError } from 'commander';
import type { OpenProject } from './client-command.ts';
import { CommandFailure } from './command-failure.ts';
import { type EditedList, editList, type ListEdit } from './list-options.ts';

export interface AssignmentJson {
  readonly role_id: string;
  /** Null: in the whole project. */
  readonly workspace_id: string | null;
}

/** @throws {InvalidArgumentError} */
export function collectAssignment(text: string, earlier: readonly string[] = []): readonly string[] {
  if (/^[^@]+(@[^@]+)?$/.test(text)) return [...earlier, text];
  throw new InvalidArgumentError('It must be a role, or a role and a workspace: viewer, viewer@staging.');
}

export const ROLE_LIST: EditedList = {
  whole: 'role',
  entry: 'role',
  list: 'roles',
  value: '<role[@workspace]>',
  collect: collectAssignment,
};

/** Ids or slugs: the service takes either. */
export function toAssignment(text: string): AssignmentJson {
  const [role = '', workspace] = text.split('@');
  return { role_id: role, workspace_id: workspace ?? null };
}

export const formatAssignment = ({ role_id, workspace_id }: AssignmentJson): string =>
  workspace_id === null ? role_id : `${role_id}@${workspace_id}`;

async function idOf({ api, path }: OpenProject, collection: 'roles' | 'workspaces', slug: string): Promise<string> {
  try {
    return (await api.request<{ id: string }>('GET', path(collection, slug))).id;
  } catch (error) {
    if (!(error instanceof CommandFailure) || error.code !== 'not_found') throw error;
    // Of several that were given, the service's own words don't say which.
    throw new CommandFailure(error.exitCode, error.code, `${slug}: ${error.message}`, error.members);
  }
}

/** @param role id or slug */
export async function roleIdOf(project: OpenProject, role: string): Promise<string> {
  return role.startsWith('rol_') ? role : idOf(project, 'roles', role);
}

/** @param workspace id or slug */
export async function workspaceIdOf(project: OpenProject, workspace: string): Promise<string> {
  return workspace.startsWith('wsp_') ? workspace : idOf(project, 'workspaces', workspace);
}

/** With ids for slugs, so that it can be compared with what an object has. */
async function resolve(project: OpenProject, text: string): Promise<string> {
  const { role_id, workspace_id } = toAssignment(text);
  return formatAssignment({
    role_id: await roleIdOf(project, role_id),
    workspace_id: workspace_id === null ? null : await workspaceIdOf(project, workspace_id),
  });
}

/** The roles after the edit; undefined when nothing was asked for. */
export async function editAssignments(
  project: OpenProject,
  current: readonly AssignmentJson[],
  { whole, added, removed }: ListEdit,
): Promise<readonly AssignmentJson[] | undefined> {
  const resolveAll = (texts: readonly string[]) => Promise.all(texts.map((text) => resolve(project, text)));
  const edit = { whole, added: await resolveAll(added), removed: await resolveAll(removed) };
  return editList(current.map(formatAssignment), edit, ROLE_LIST)?.map(toAssignment);
}
