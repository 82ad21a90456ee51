import type { ApiKey } from '../api-keys/api-key.ts';
import type { Project, User } from './project.ts';

export interface Installation {
  readonly project: Project;
  readonly user: User;
  readonly apiKey: ApiKey;
  readonly setupLink: {
    /** base64url SHA-256 of the link's secret part, which is not stored. */
    readonly tokenHash: string;
    readonly expiresAtMs: number;
  };
}

/** Projects and the first contents of an empty store. Answers or throws {@link DependencyUnavailable} within about a second. */
export interface ProjectStore {
  /** By `prj_…` or slug. */
  find(idOrSlug: string): Promise<Project | null>;
  isEmpty(): Promise<boolean>;
  /** False, and nothing changed, when any project exists; of two at once exactly one returns true. One transaction. */
  bootstrap(installation: Installation): Promise<boolean>;
}
