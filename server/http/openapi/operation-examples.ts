import type { Json } from './documented-schemas.ts';

const KEY_ID = 'key_01jz6q9d3nf0wr1k8vqj2y5m7c';
const USER_ID = 'usr_01jz6q8y4mfkab6s0e9rtdh3xw';
const PROJECT_ID = 'prj_01jz6q8x9ae7hv5bnd2kcw4gzt';
const ROLE_ID = 'rol_01jz6qa2vjf4sy9n6tw0kp8dxe';
const WORKSPACE_ID = 'wsp_01jz6qa7h1e5m3rxb8c2zgd9vf';
const CLIENT_ID = 'ci-runner_l2j4391xlw0k2ipwx5ejmdor8';

const apiKey = {
  id: KEY_ID,
  project_id: PROJECT_ID,
  client_id: CLIENT_ID,
  name: 'ci-runner',
  description: null,
  owner_id: USER_ID,
  permissions: ['read:credential/prod-*'],
  roles: [{ role_id: ROLE_ID, workspace_id: WORKSPACE_ID }],
  effective_permissions: ['read:credential/prod-*', 'read:workspace/staging/defect'],
  ip_allowlist: ['203.0.113.0/24'],
  expires_at: '2027-01-31T18:00:00.000Z',
  is_valid: true,
  hint: '9fQz',
  secret_last_used_at: null,
  previous_secret: null,
  refresh_tokens: true,
  refresh_requires_client_auth: false,
  last_used_at: null,
  last_used_ip: null,
  last_denied_at: null,
  last_denied_reason: null,
  created_at: '2026-11-21T16:00:00.000Z',
  created_by: USER_ID,
  updated_at: '2026-11-21T16:00:00.000Z',
};

/** Examples of the main operations, by `operationId`; the lint holds them against the schemas. */
export const operationExamples: Readonly<Record<string, { readonly body?: Json; readonly answer?: Json }>> = {
  getMe: {
    answer: {
      key_id: KEY_ID,
      client_id: CLIENT_ID,
      project_id: PROJECT_ID,
      session_id: 'ses_01jz6qb7xkfm8s3v5c2h4n9prd',
      permissions: ['read:credential/prod-*'],
      ip_allowlist: [],
      token_expires_at: '2027-01-31T18:00:00.000Z',
      ip: '203.0.113.7',
    },
  },
  createApiKey: {
    body: {
      name: 'ci-runner',
      permissions: ['read:credential/prod-*'],
      roles: [{ role_id: 'tester', workspace_id: 'staging' }],
      ip_allowlist: ['203.0.113.0/24'],
      expires_at: '2027-01-31T18:00:00Z',
    },
    answer: { ...apiKey, client_secret: 'ktk_l2j4391xlw0k2ipwx5ejmdor8_…9fQz' },
  },
  listApiKeys: {
    answer: { data: [apiKey], next_cursor: null, total_count: 1, exceeds_total_count: false },
  },
  getApiKey: { answer: apiKey },
  updateApiKey: { body: { is_valid: false }, answer: { ...apiKey, is_valid: false } },
  regenerateApiKey: { body: { overlap_seconds: 3600 } },
  bulkDeleteApiKeys: {
    body: { ids: [KEY_ID] },
    answer: { results: [{ id: KEY_ID, status: 'deleted' }] },
  },
  explainApiKey: {
    body: { permission: 'read:credential/prod-db', ip: '203.0.113.7' },
    answer: {
      allowed: true,
      rule: { kind: 'permission', permission: 'read:credential/prod-*' },
      reason: 'the key holds read:credential/prod-*',
      ip_allowlist_entry: '203.0.113.0/24',
    },
  },
  createProject: { body: { name: 'Payments', slug: 'payments' } },
  createWorkspace: { body: { name: 'Staging' } },
  createRole: { body: { name: 'Tester', permissions: ['read:defect', 'update:defect'] } },
  replacePermissionCatalog: {
    body: {
      actions: [{ name: 'read', description: 'See it' }],
      resources: [{ path: 'credential', description: 'Secrets of deployments', actions: ['read'] }],
    },
  },
  addMember: { body: { email: 'ada@example.com', roles: [{ role_id: 'viewer' }] } },
};
