/** `/v1/projects`. */
import { z } from 'zod';
import { decideAccess } from '../../access-control/decide-access.ts';
import type { ProjectManagement } from '../../access-control/manage-projects.ts';
import type { MemberStore } from '../../access-control/member-store.ts';
import type { Project } from '../../access-control/project.ts';
import type { ProjectStore } from '../../access-control/project-store.ts';
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
import type { Caller } from '../authorize.ts';
import { listAnswer, listQuery, listSchema, selectFields, toPageRequest } from '../list-query.ts';
import { callerOperation, installationOperation, type Operation, projectOperation } from '../operation.ts';
import { Problem } from '../problem.ts';

const AUDIENCES_MAX = 20;
const AUDIENCE_RULE = 'must be an absolute URI of at most 255 characters, such as https://api.example.com';
const COLLECTION = '/projects';
const ONE = '/projects/{project}';
const shared = { tag: 'Projects', resource: 'project' } as const;

/** RFC 8707 §2: absolute, without a fragment. */
const isAudience = (text: string): boolean => URL.canParse(text) && /^[a-z][a-z0-9+.-]*:[^\s#]+$/i.test(text);

const audiences = z
  .array(z.string().max(255, AUDIENCE_RULE).refine(isAudience, AUDIENCE_RULE))
  .max(AUDIENCES_MAX, `must have at most ${AUDIENCES_MAX} entries`)
  .refine((list) => new Set(list).size === list.length, 'must name each audience once')
  .meta({
    description:
      '`aud` of access tokens when no `resource` is asked for; empty: the issuer alone. Others are only accepted here',
  });

const createSchema = z.strictObject({ ...newNamed, audiences: audiences.default([]) }).meta({ id: 'CreateProject' });

const updateSchema = z
  .strictObject({ ...namedSettings, audiences })
  .partial()
  .refine(hasField, FIELD_RULE)
  .meta({ id: 'UpdateProject' });

const projectSchema = z
  .object({
    id: z.string(),
    slug: z.string(),
    name: z.string(),
    description: z.string().nullable(),
    audiences: z.array(z.string()),
    created_at: time,
    updated_at: time,
  })
  .meta({ id: 'Project' });

const toJson = (project: Project): z.input<typeof projectSchema> => ({
  id: project.id,
  slug: project.slug,
  name: project.name,
  description: project.description,
  audiences: [...project.audiences],
  created_at: toTime(project.createdAtMs),
  updated_at: toTime(project.updatedAtMs),
});

const noSuchProject = () => new Problem('not_found', 'no such project');

interface Dependencies {
  readonly projects: Pick<ProjectStore, 'find' | 'list'>;
  readonly members: Pick<MemberStore, 'projectIdsOf'>;
  readonly management: ProjectManagement;
}

export function createProjectOperations(dependencies: Dependencies): readonly Operation[] {
  return [list, create, show, update, remove].map((define) => define(dependencies));
}

const list = (dependencies: Dependencies) =>
  callerOperation({
    id: 'listProjects',
    method: 'GET',
    path: COLLECTION,
    tag: shared.tag,
    summary: 'List the projects that the caller may read',
    description: 'All of them takes read:keyturn-installation/project.',
    query: listQuery(sorts, {}),
    answers: { 200: listSchema(projectSchema) },
    async handle({ query }, { identify }) {
      const ids = await readableProjectIds(await identify(), dependencies);
      return listAnswer(await dependencies.projects.list(ids, toPageRequest(query)), query, toJson);
    },
  });

/** Null: all of the installation. */
async function readableProjectIds(
  { actorId, userId, principalIn }: Caller,
  { projects, members }: Dependencies,
): Promise<readonly string[] | null> {
  const principal = await principalIn(null);
  if (principal.can('read:keyturn-installation/project')) return null;
  const isUser = actorId === userId;
  const own = isUser ? await members.projectIdsOf(userId) : [principal.projectId].filter((id) => id !== null);
  const readable: string[] = [];
  for (const id of own) {
    const project = await projects.find(id);
    const decision = decideAccess(await principalIn(project), project, 'read', 'project');
    if (decision.outcome === 'allowed') readable.push(id);
  }
  return readable;
}

const create = ({ management }: Dependencies) =>
  installationOperation({
    ...shared,
    id: 'createProject',
    method: 'POST',
    path: COLLECTION,
    summary: 'Create a project',
    description: 'It has its built-in roles, and whoever creates it as its first administrator.',
    action: 'create',
    body: createSchema,
    answers: { 201: projectSchema },
    problems: ['slug_taken'],
    async handle({ body }, { actor }) {
      const project = await management.create({ ...body, slug: slugOrFrom(body) }, actor);
      return {
        status: 201,
        headers: { Location: `/v1/projects/${project.id}` },
        version: project.version,
        body: toJson(project),
      };
    },
  });

const show = (_: Dependencies) =>
  projectOperation({
    ...shared,
    id: 'getProject',
    method: 'GET',
    path: ONE,
    summary: 'Show a project',
    action: 'read',
    query: oneQuery,
    answers: { 200: projectSchema },
    async handle({ query }, { project }) {
      return { status: 200, version: project.version, body: selectFields(toJson(project), query.fields) };
    },
  });

const update = ({ management }: Dependencies) =>
  projectOperation({
    ...shared,
    id: 'updateProject',
    method: 'PATCH',
    path: ONE,
    summary: 'Edit a project; its slug stays',
    action: 'update',
    body: updateSchema,
    answers: { 200: projectSchema },
    problems: ['version_mismatch'],
    async handle({ body, expectedVersions }, { project, actor }) {
      const updated = await management.update(project.id, sentFields(body), actor, expectedVersions);
      if (updated === null) throw noSuchProject();
      return { status: 200, version: updated.version, body: toJson(updated) };
    },
  });

const remove = ({ management }: Dependencies) =>
  projectOperation({
    ...shared,
    id: 'deleteProject',
    method: 'DELETE',
    path: ONE,
    summary: 'Delete a project that has no API keys, with its workspaces, roles and members',
    action: 'delete',
    answers: { 204: null },
    problems: ['object_in_use', 'last_project', 'version_mismatch'],
    async handle({ expectedVersions }, { project, actor }) {
      if (!(await management.delete(project.id, actor, expectedVersions))) throw noSuchProject();
      return { status: 204 };
    },
  });
