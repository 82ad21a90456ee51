import type { WalkRow } from './openapi-walk.ts';
import { type Call, unique, type World } from './openapi-world.ts';

const newKey = (): Call => ({ json: { name: unique('key') } });

/** So many and so long that no access token of 8 KiB holds them. */
export const longPermissions = (): readonly string[] =>
  Array.from({ length: 100 }, (_, index) => `read:${'x'.repeat(100)}-${index}`);

async function takenName({ make }: World): Promise<string> {
  return (await make('POST', '/v1/projects/default/keys', { name: unique('key') })).name;
}

const octaneKey = (fields: object = {}): Call => ({
  json: { data: [{ name: unique('key'), client_secret: 'Chosen-Secret-42-of-the-walk', ...fields }] },
});

/** By what the key was given: each is decided by another rule. */
const explained =
  (fields: object) =>
  async ({ make }: World): Promise<Call> => {
    const { id } = await make('POST', '/v1/projects/default/keys', { name: unique('key'), ...fields });
    return { params: { key: id }, json: { permission: 'read:x', ip: '203.0.113.7' } };
  };

const filters =
  'q=key&is_valid=true&expires_before=2100-01-01T00:00:00Z&unused_since=2100-01-01T00:00:00Z&permission=read:x';

export const apiKeyRows: Readonly<Record<string, WalkRow>> = {
  listApiKeys: {
    also: [
      () => ({ query: 'limit=2&sort=-name&fields=id,name' }),
      () => ({ query: filters }),
      () => ({ query: 'owner_id=usr_x&role_id=rol_x&workspace_id=wsp_x' }),
    ],
  },
  createApiKey: {
    success: newKey,
    others: {
      409: async (world) => ({ json: { name: await takenName(world) } }),
      422: () => ({ json: { name: unique('key'), permissions: longPermissions() } }),
    },
    also: [
      () => ({
        json: {
          name: unique('key'),
          description: 'x',
          permissions: ['read:credential/prod-*'],
          roles: [{ role_id: 'viewer' }],
          ip_allowlist: ['203.0.113.0/24'],
          expires_at: '2100-01-31T18:00:00+02:00',
          client_secret: 'Chosen-Secret-42-of-the-walk',
        },
      }),
    ],
  },
  getApiKey: { also: [() => ({ query: 'fields=id,name' })] },
  updateApiKey: {
    success: () => ({ json: { is_valid: false } }),
    others: {
      409: async (world) => ({ json: { name: await takenName(world) } }),
      422: () => ({ json: { permissions: longPermissions() } }),
    },
    also: [() => ({ json: { name: unique('key'), permissions: ['read:x'], expires_at: null } })],
  },
  deleteApiKey: {},
  regenerateApiKey: { success: () => ({ json: { overlap_seconds: 60 } }), also: [() => ({ json: {} })] },
  bulkDeleteApiKeys: {
    success: async ({ fresh }) => ({ json: { ids: [await fresh('key'), 'key_of-nobody'] } }),
  },
  explainApiKey: {
    success: () => ({ json: { permission: 'read:x', ip: '203.0.113.7' } }),
    also: [
      explained({ permissions: ['read:*'] }),
      explained({ roles: [{ role_id: 'viewer' }] }),
      explained({ ip_allowlist: ['203.0.113.7'] }),
    ],
  },
  getApiKeyUsage: { also: [() => ({ query: 'since=2026-01-01T00:00:00Z&until=2026-01-02T00:00:00Z' })] },
  listSessions: {
    also: [async (world) => ({ params: { key: (await world.session()).key }, query: 'limit=2&fields=id' })],
  },
  revokeSession: { success: async (world) => ({ params: await world.session() }) },
  listCalyptiaTokens: {},
  createCalyptiaToken: {
    success: () => ({ json: { name: unique('key'), permissions: ['read:x'] } }),
    others: {
      409: async (world) => ({ json: { name: await takenName(world), permissions: [] } }),
      422: () => ({ json: { name: unique('key'), permissions: longPermissions() } }),
    },
  },
  listOctaneApiAccesses: { also: [() => ({ query: 'fields=client_id' })] },
  createOctaneApiAccesses: {
    success: () => octaneKey(),
    others: {
      409: async (world) => octaneKey({ name: await takenName(world) }),
      422: async ({ make }) => {
        const role = { name: unique('role'), permissions: longPermissions() };
        const { id } = await make('POST', '/v1/projects/default/roles', role);
        return octaneKey({ workspace_roles: { data: [{ type: 'workspace_role', id }] } });
      },
    },
    also: [() => ({ ...octaneKey(), query: 'fields=client_id' })],
  },
  getOctaneApiAccess: { also: [() => ({ query: 'fields=client_id' })] },
  updateOctaneApiAccess: { success: () => ({ json: { is_valid: false } }) },
  listOctaneRoles: { also: [() => ({ query: 'fields=name' })] },
  listOctaneWorkspaceRoles: {
    also: [() => ({ query: `fields=role&query=${encodeURIComponent('"(role={id=viewer})"')}` })],
  },
};
