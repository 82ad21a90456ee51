/** A tenant: owns keys, workspaces, roles and members. */
export interface Project {
  /** `prj_…` */
  readonly id: string;
  /** Stands for the id in paths; unique in the installation. */
  readonly slug: string;
  readonly name: string;
  /** `aud` of access tokens when no `resource` is asked for; empty: the issuer alone. */
  readonly audiences: readonly string[];
  readonly createdAtMs: number;
}

export interface User {
  /** `usr_…` */
  readonly id: string;
  readonly email: string | null;
  readonly name: string;
  readonly createdAtMs: number;
}
