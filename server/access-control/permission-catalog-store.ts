import type { Decide } from '../write.ts';
import type { PermissionCatalog } from './permission-catalog.ts';

/** Permission catalogs of projects. Every method answers or throws {@link DependencyUnavailable} within about a second. */
export interface PermissionCatalogStore {
  /** Empty, of version 0, where none was written. */
  find(projectId: string): Promise<PermissionCatalog>;
  /** The catalog as it is afterwards; null when there is no such project. */
  replace(projectId: string, decide: Decide<PermissionCatalog>): Promise<PermissionCatalog | null>;
}
