import type { ApiKey } from '../api-keys/api-key.ts';
import type { AuditEvent } from '../audit/audit-event.ts';
import type { Page, PageRequest } from '../page.ts';
import type { SetupLink } from '../users/setup-link.ts';
import type { User } from '../users/user.ts';
import type { Decide, DecideDelete } from '../write.ts';
import type { Project } from './project.ts';
import type { Role } from './role.ts';

/** The last project of the installation is not deleted: an empty store would be bootstrapped anew. */
export class LastProject extends Error {
  constructor() {
    super('the last project is not deleted');
    this.name = 'LastProject';
  }
}

/** What a project has from its beginning. */
export interface ProjectBeginning {
  readonly project: Project;
  /** See {@link BUILT_IN_ROLES}. */
  readonly roles: readonly Role[];
  /** First member, with that one of `roles` in the whole project. */
  readonly administrator: { readonly userId: string; readonly roleId: string };
  readonly events: readonly AuditEvent[];
}

export interface Installation extends ProjectBeginning {
  readonly user: User;
  readonly apiKey: ApiKey;
  readonly setupLink: SetupLink;
}

/** Projects and the first contents of an empty store. Answers or throws {@link DependencyUnavailable} within about a second. */
export interface ProjectStore {
  /** By `prj_…` or slug. */
  find(idOrSlug: string): Promise<Project | null>;
  /** @param ids null: all of the installation */
  list(ids: readonly string[] | null, page: PageRequest<'created_at' | 'name'>): Promise<Page<Project>>;
  /** Throws {@link SlugTaken}. */
  insert(beginning: ProjectBeginning): Promise<void>;
  /** The project as it is afterwards; null when there is none. Numbered as a change of all its keys when audiences change. */
  update(id: string, decide: Decide<Project>): Promise<Project | null>;
  /**
   * With its roles, workspaces, members and catalog; its audit events stay. False when there is none. Throws
   * {@link ObjectInUse} while it has API keys, and {@link LastProject}.
   */
  delete(id: string, decide: DecideDelete<Project>): Promise<boolean>;
  isEmpty(): Promise<boolean>;
  /** False, and nothing changed, when any project exists; of two at once exactly one returns true. One transaction. */
  bootstrap(installation: Installation): Promise<boolean>;
}
