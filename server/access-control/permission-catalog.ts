import { isPermission, parsePermission } from '@keyturn/lib/protocol';

/** What permissions of a project can be about: for people who pick them, and against misspelt ones. */
export interface PermissionCatalog {
  readonly projectId: string;
  readonly actions: readonly CatalogAction[];
  readonly resources: readonly CatalogResource[];
  /** 0: never written. */
  readonly version: number;
  /** Null: never written. */
  readonly updatedAtMs: number | null;
}

export interface CatalogAction {
  readonly name: string;
  readonly description: string;
}

export interface CatalogResource {
  /** `credential`, or deeper: `cluster/pipeline`. `*` alone in a segment stands for an entity: `cluster/*\/pipeline`. */
  readonly path: string;
  readonly description: string;
  /** Names of actions that it knows; absent: all of the catalog. */
  readonly actions?: readonly string[] | undefined;
  /** Where its entities can be listed. */
  readonly entitiesUrl?: string | undefined;
}

/** Permissions name what the catalog does not have. */
export class UnknownPermissions extends Error {
  readonly permissions: readonly string[];

  constructor(permissions: readonly string[]) {
    super('the permission catalog has no such permissions');
    this.name = 'UnknownPermissions';
    this.permissions = permissions;
  }
}

type Catalog = Pick<PermissionCatalog, 'actions' | 'resources'>;

/** Whether a text can be the path of a resource. */
export function isResourcePath(path: string): boolean {
  return isPermission(`read:${path}`) && path.split('/').every((segment) => segment === '*' || !segment.includes('*'));
}

/**
 * Those that nothing in the catalog can be meant by: their action is neither known nor `*`, or their path neither names a
 * known resource, or entities below one, nor as a pattern can match one. A catalog without actions knows every action,
 * one without resources every path. Keyturn's own permissions are always known; those placed in a workspace are judged by
 * what comes after it.
 *
 * @throws {InvalidPermission} for a malformed one
 */
export function unknownPermissions(catalog: Catalog, permissions: readonly string[]): string[] {
  if (catalog.actions.length === 0 && catalog.resources.length === 0) return [];
  const actions = new Set(catalog.actions.map(({ name }) => name));
  const resources = catalog.resources.map(({ path, actions: own }) => ({ segments: path.split('/'), actions: own }));
  return permissions.filter((text) => {
    const { action, segments } = parsePermission(text);
    if (isOfKeyturn(segments)) return false;
    if (action !== '*' && actions.size > 0 && !actions.has(action)) return true;
    if (resources.length === 0) return false;
    return !judgedPaths(segments).some((path) =>
      resources.some((resource) => knowsAction(resource.actions, action) && canMatch(path, resource.segments)),
    );
  });
}

/** @throws {UnknownPermissions} */
export function assertKnownPermissions(catalog: Catalog, permissions: readonly string[]): void {
  const unknown = unknownPermissions(catalog, permissions);
  if (unknown.length > 0) throw new UnknownPermissions(unknown);
}

const isOfKeyturn = ([first]: readonly string[]): boolean => first === 'keyturn' || first === 'keyturn-installation';

/** The path as it stands and, for one within a workspace, what comes after that; the workspace alone is everything in it. */
function judgedPaths(segments: readonly string[]): readonly (readonly string[])[] {
  if (segments[0] !== 'workspace') return [segments];
  return [segments, segments.length <= 2 ? ['*'] : segments.slice(2)];
}

const knowsAction = (known: readonly string[] | undefined, action: string): boolean =>
  known === undefined || action === '*' || known.includes(action);

function canMatch(path: readonly string[], resource: readonly string[]): boolean {
  return path
    .slice(0, resource.length)
    .every((segment, place) => resource[place] === '*' || segmentCovers(segment, resource[place] as string));
}

const segmentCovers = (given: string, wanted: string): boolean =>
  given.endsWith('*') ? wanted.startsWith(given.slice(0, -1)) : given === wanted;
