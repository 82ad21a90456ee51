/** Part of a project in which a role can be given. */
export interface Workspace {
  /** `wsp_…` */
  readonly id: string;
  readonly projectId: string;
  /** Stands for the id in paths, and in the permissions of roles given here; unique in the project, never changes. */
  readonly slug: string;
  readonly name: string;
  readonly description: string | null;
  /** From 1, up by one with each write. */
  readonly version: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}
