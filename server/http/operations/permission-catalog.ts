/** `/v1/projects/{project}/permission-catalog`. */
import { isPermission } from '@keyturn/lib/protocol';
import { z } from 'zod';
import type { CatalogManagement } from '../../access-control/manage-permission-catalog.ts';
import { isResourcePath, type PermissionCatalog } from '../../access-control/permission-catalog.ts';
import type { PermissionCatalogStore } from '../../access-control/permission-catalog-store.ts';
import { time, toTime } from '../access-control-schemas.ts';
import { type Operation, projectOperation } from '../operation.ts';
import { Problem } from '../problem.ts';

const ACTIONS_MAX = 100;
const RESOURCES_MAX = 500;
const URL_RULE = 'must be an http or https URL without a user name, of at most 2000 characters';
const PATH_RULE =
  "must be a path such as credential or cluster/pipeline; '*' alone in a segment stands for any entity there";
const PATH = '/projects/{project}/permission-catalog';
const shared = { tag: 'Permission catalog', resource: 'permission-catalog' } as const;

const prose = z.string().max(200, 'must have at most 200 characters').default('');

const isActionName = (text: string): boolean => text !== '*' && isPermission(`${text}:x`);
const actionName = z
  .string()
  .max(64, 'must have at most 64 characters')
  .refine(isActionName, "must be lower-case letters, digits, '_' and '-', beginning with a letter");

function isEntitiesUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return (protocol === 'https:' || protocol === 'http:') && username === '' && password === '';
}

const catalogSchema = z
  .strictObject({
    actions: z
      .array(z.strictObject({ name: actionName, description: prose }))
      .max(ACTIONS_MAX, `must have at most ${ACTIONS_MAX} entries`)
      .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'must name each action once'),
    resources: z
      .array(
        z.strictObject({
          path: z.string().max(200, PATH_RULE).refine(isResourcePath, PATH_RULE),
          description: prose,
          actions: z
            .array(actionName)
            .max(ACTIONS_MAX, `must have at most ${ACTIONS_MAX} entries`)
            .optional()
            .meta({ description: 'Names of the actions that it knows; absent: all' }),
          entities_url: z
            .string()
            .max(2000, URL_RULE)
            .refine(isEntitiesUrl, URL_RULE)
            .optional()
            .meta({ description: 'Where its entities can be listed; never called by Keyturn' }),
        }),
      )
      .max(RESOURCES_MAX, `must have at most ${RESOURCES_MAX} entries`)
      .refine((list) => new Set(list.map(({ path }) => path)).size === list.length, 'must name each resource once'),
  })
  .superRefine(({ actions, resources }, context) => {
    const known = new Set(actions.map(({ name }) => name));
    for (const [index, { actions: own = [] }] of resources.entries())
      for (const name of own.filter((each) => !known.has(each)))
        context.addIssue({
          code: 'custom',
          path: ['resources', index, 'actions'],
          message: `names ${name}, which is not among actions`,
        });
  })
  .meta({ id: 'ReplacePermissionCatalog' });

const answerSchema = z
  .object({
    project_id: z.string(),
    actions: z.array(z.object({ name: z.string(), description: z.string() })),
    resources: z.array(
      z.object({
        path: z.string(),
        description: z.string(),
        actions: z.array(z.string()).optional(),
        entities_url: z.string().optional(),
      }),
    ),
    updated_at: time.nullable().meta({ description: 'Null: never written' }),
  })
  .meta({ id: 'PermissionCatalog' });

const toJson = (catalog: PermissionCatalog): z.input<typeof answerSchema> => ({
  project_id: catalog.projectId,
  actions: catalog.actions.map((action) => ({ ...action })),
  resources: catalog.resources.map(({ path, description, actions, entitiesUrl }) => ({
    path,
    description,
    ...(actions && { actions: [...actions] }),
    ...(entitiesUrl !== undefined && { entities_url: entitiesUrl }),
  })),
  updated_at: catalog.updatedAtMs === null ? null : toTime(catalog.updatedAtMs),
});

interface Dependencies {
  readonly permissionCatalogs: Pick<PermissionCatalogStore, 'find'>;
  readonly management: CatalogManagement;
}

export function createPermissionCatalogOperations(dependencies: Dependencies): readonly Operation[] {
  return [show, replace].map((define) => define(dependencies));
}

const show = ({ permissionCatalogs }: Dependencies) =>
  projectOperation({
    ...shared,
    id: 'getPermissionCatalog',
    method: 'GET',
    path: PATH,
    summary: 'Show what permissions of the project can be about',
    action: 'read',
    answers: { 200: answerSchema },
    async handle(_, { project }) {
      const catalog = await permissionCatalogs.find(project.id);
      return { status: 200, version: catalog.version, body: toJson(catalog) };
    },
  });

const replace = ({ management }: Dependencies) =>
  projectOperation({
    ...shared,
    id: 'replacePermissionCatalog',
    method: 'PUT',
    path: PATH,
    summary: 'Write the whole catalog',
    description:
      'While it is not empty, permissions of keys and roles written from then on must fit it. What they hold already stays.',
    action: 'update',
    body: catalogSchema,
    answers: { 200: answerSchema },
    problems: ['version_mismatch'],
    async handle({ body, expectedVersions }, { project, actor }) {
      const resources = body.resources.map(({ entities_url: entitiesUrl, ...resource }) => ({
        ...resource,
        ...(entitiesUrl !== undefined && { entitiesUrl }),
      }));
      const contents = { actions: body.actions, resources };
      const catalog = await management.replace(project.id, contents, actor, expectedVersions);
      if (catalog === null) throw new Problem('not_found', 'no such project');
      return { status: 200, version: catalog.version, body: toJson(catalog) };
    },
  });
