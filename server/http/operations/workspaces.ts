/** `/v1/projects/{project}/workspaces`. */
import { z } from 'zod';
import type { WorkspaceManagement } from '../../access-control/manage-workspaces.ts';
import type { Workspace } from '../../access-control/workspace.ts';
import type { WorkspaceStore } from '../../access-control/workspace-store.ts';
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
import { listAnswer, listQuery, listSchema, selectFields, toPageRequest } from '../list-query.ts';
import { type Operation, projectOperation } from '../operation.ts';
import { Problem } from '../problem.ts';

const COLLECTION = '/projects/{project}/workspaces';
const ONE = '/projects/{project}/workspaces/{workspace}';
const shared = { tag: 'Workspaces', resource: 'workspace' } as const;

const createSchema = z.strictObject(newNamed).meta({ id: 'CreateWorkspace' });

const updateSchema = z
  .strictObject(namedSettings)
  .partial()
  .refine(hasField, FIELD_RULE)
  .meta({ id: 'UpdateWorkspace' });

const workspaceSchema = z
  .object({
    id: z.string(),
    project_id: z.string(),
    slug: z.string().meta({ description: 'Stands in the permissions of roles given here: read:workspace/<slug>/…' }),
    name: z.string(),
    description: z.string().nullable(),
    created_at: time,
    updated_at: time,
  })
  .meta({ id: 'Workspace' });

const toJson = (workspace: Workspace): z.input<typeof workspaceSchema> => ({
  id: workspace.id,
  project_id: workspace.projectId,
  slug: workspace.slug,
  name: workspace.name,
  description: workspace.description,
  created_at: toTime(workspace.createdAtMs),
  updated_at: toTime(workspace.updatedAtMs),
});

const noSuchWorkspace = () => new Problem('not_found', 'no such workspace in this project');

interface Dependencies {
  readonly workspaces: Pick<WorkspaceStore, 'find' | 'list'>;
  readonly management: WorkspaceManagement;
}

export function createWorkspaceOperations(dependencies: Dependencies): readonly Operation[] {
  return [list, create, show, update, remove].map((define) => define(dependencies));
}

const list = ({ workspaces }: Dependencies) =>
  projectOperation({
    ...shared,
    id: 'listWorkspaces',
    method: 'GET',
    path: COLLECTION,
    summary: 'List the workspaces of a project',
    action: 'read',
    query: listQuery(sorts, {}),
    answers: { 200: listSchema(workspaceSchema) },
    async handle({ query }, { project }) {
      return listAnswer(await workspaces.list(project.id, toPageRequest(query)), query, toJson);
    },
  });

const create = ({ management }: Dependencies) =>
  projectOperation({
    ...shared,
    id: 'createWorkspace',
    method: 'POST',
    path: COLLECTION,
    summary: 'Create a workspace',
    action: 'create',
    body: createSchema,
    answers: { 201: workspaceSchema },
    problems: ['slug_taken'],
    async handle({ body }, { project, actor }) {
      const workspace = await management.create(project.id, { ...body, slug: slugOrFrom(body) }, actor);
      return {
        status: 201,
        headers: { Location: `/v1/projects/${project.id}/workspaces/${workspace.id}` },
        version: workspace.version,
        body: toJson(workspace),
      };
    },
  });

const show = ({ workspaces }: Dependencies) =>
  projectOperation({
    ...shared,
    id: 'getWorkspace',
    method: 'GET',
    path: ONE,
    summary: 'Show a workspace',
    action: 'read',
    query: oneQuery,
    answers: { 200: workspaceSchema },
    async handle({ params, query }, { project }) {
      const workspace = await workspaces.find(project.id, params['workspace'] ?? '');
      if (workspace === null) throw noSuchWorkspace();
      return { status: 200, version: workspace.version, body: selectFields(toJson(workspace), query.fields) };
    },
  });

const update = ({ management }: Dependencies) =>
  projectOperation({
    ...shared,
    id: 'updateWorkspace',
    method: 'PATCH',
    path: ONE,
    summary: 'Edit a workspace; its slug stays',
    action: 'update',
    body: updateSchema,
    answers: { 200: workspaceSchema },
    problems: ['version_mismatch'],
    async handle({ params, body, expectedVersions }, { project, actor }) {
      const by = { actor, expectedVersions };
      const workspace = await management.update(project.id, params['workspace'] ?? '', sentFields(body), by);
      if (workspace === null) throw noSuchWorkspace();
      return { status: 200, version: workspace.version, body: toJson(workspace) };
    },
  });

const remove = ({ management }: Dependencies) =>
  projectOperation({
    ...shared,
    id: 'deleteWorkspace',
    method: 'DELETE',
    path: ONE,
    summary: 'Delete a workspace in which no role is given',
    action: 'delete',
    answers: { 204: null },
    problems: ['object_in_use', 'version_mismatch'],
    async handle({ params, expectedVersions }, { project, actor }) {
      const isDeleted = await management.delete(project.id, params['workspace'] ?? '', actor, expectedVersions);
      if (!isDeleted) throw noSuchWorkspace();
      return { status: 204 };
    },
  });
