import type { Role } from '../../server/access-control/role.ts';

export interface RoleRow {
  readonly id: string;
  readonly project_id: string;
  readonly slug: string;
  readonly name: string;
  readonly description: string | null;
  readonly permissions: string;
  readonly is_built_in: number;
  readonly version: number;
  readonly created_at_ms: number;
  readonly updated_at_ms: number;
}

export function fromRole(role: Role): RoleRow {
  return {
    id: role.id,
    project_id: role.projectId,
    slug: role.slug,
    name: role.name,
    description: role.description,
    permissions: JSON.stringify(role.permissions),
    is_built_in: Number(role.isBuiltIn),
    version: role.version,
    created_at_ms: role.createdAtMs,
    updated_at_ms: role.updatedAtMs,
  };
}

export function toRole(row: RoleRow): Role {
  return {
    id: row.id,
    projectId: row.project_id,
    slug: row.slug,
    name: row.name,
    description: row.description,
    permissions: JSON.parse(row.permissions),
    isBuiltIn: row.is_built_in !== 0,
    version: row.version,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
  };
}
