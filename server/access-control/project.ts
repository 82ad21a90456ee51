/** A tenant: owns keys, workspaces, roles and members. */
export interface Project {
  /** `prj_…` */
  readonly id: string;
  /** Stands for the id in paths; unique in the installation, never changes. */
  readonly slug: string;
  readonly name: string;
  readonly description: string | null;
  /** `aud` of access tokens when no `resource` is asked for; empty: the issuer alone. */
  readonly audiences: readonly string[];
  /** From 1, up by one with each write. */
  readonly version: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}
