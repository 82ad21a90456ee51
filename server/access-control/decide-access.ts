import type { Project } from './project.ts';

/** Somebody who manages, and what they hold. */
export interface Principal {
  /** The one project that permissions for `keyturn` count in; null: none. */
  readonly projectId: string | null;
  readonly permissions: readonly string[];
  can(permission: string): boolean;
}

export type AccessDecision =
  | { readonly outcome: 'allowed' }
  /** Another project's object: answered as an absent one. */
  | { readonly outcome: 'absent' }
  | { readonly outcome: 'forbidden'; readonly requiredPermission: string };

/**
 * May the principal do `action` on a `resource` of the project? In its own project that takes `action:keyturn/resource`;
 * in any other `action:keyturn-installation/resource`, without which the project does not exist for it.
 */
export function decideAccess(
  principal: Principal,
  project: Project | null,
  action: string,
  resource: string,
): AccessDecision {
  if (project === null) return { outcome: 'absent' };
  const isInstallationWide = principal.can(`${action}:keyturn-installation/${resource}`);
  if (project.id !== principal.projectId) return { outcome: isInstallationWide ? 'allowed' : 'absent' };
  const requiredPermission = `${action}:keyturn/${resource}`;
  if (isInstallationWide || principal.can(requiredPermission)) return { outcome: 'allowed' };
  return { outcome: 'forbidden', requiredPermission };
}

const INSTALLATION_PERMISSION = /^([^:]+):keyturn-installation(\/.*)?$/;
const OWN_PROJECT_PERMISSION = /^[^:]+:keyturn(\/.*)?$/;

/**
 * What the principal may hand out in the project: what it holds, except that permissions for Keyturn itself count only in
 * the project that they are for. In any other they have to be held for the whole installation: a `*:keyturn` of one
 * project must not become a `*:keyturn` of another.
 */
export function grantablePermissions({ permissions, projectId }: Principal, project: Project): readonly string[] {
  const installationWide = permissions.flatMap((permission) => {
    const [, action, path = ''] = INSTALLATION_PERMISSION.exec(permission) ?? [];
    return action === undefined ? [] : [`${action}:keyturn${path}`];
  });
  const own =
    project.id === projectId
      ? permissions
      : permissions.filter((permission) => !OWN_PROJECT_PERMISSION.test(permission));
  return [...own, ...installationWide];
}
