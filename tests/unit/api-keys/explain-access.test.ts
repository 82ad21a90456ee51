import { describe, expect, test } from '@jest/globals';
import { parseIp } from '@keyturn/lib/protocol';
import type { ApiKey } from '../../../server/api-keys/api-key.ts';
import { explainAccess } from '../../../server/api-keys/explain-access.ts';

const NOW_MS = 1_800_000_000_000;
const KEY = {
  isValid: true,
  expiresAtMs: null,
  ipAllowlist: ['198.51.100.7', '203.0.113.0/24'],
  permissions: ['read:credential/prod-*'],
} as unknown as ApiKey;
const ROLES = [
  { roleId: 'rol_defects', workspaceId: 'wsp_1', workspaceSlug: 'one', permissions: ['write:defect'] },
  { roleId: 'rol_reader', workspaceId: null, workspaceSlug: null, permissions: ['read:*'] },
];

const explain = (changes: Partial<ApiKey>, permission: string, ip: string | null = '203.0.113.9') =>
  explainAccess({ ...KEY, ...changes }, ROLES, { permission, ip: ip === null ? null : parseIp(ip) }, NOW_MS);

describe('what decides', () => {
  test.each([
    ['the key itself', 'read:credential/prod-db', { kind: 'permission', permission: 'read:credential/prod-*' }],
    ['a role in the whole project', 'read:build/7', { kind: 'role', roleId: 'rol_reader', permission: 'read:*' }],
    [
      'a role in its workspace',
      'write:workspace/one/defect/5',
      { workspaceId: 'wsp_1', permission: 'write:workspace/one/defect' },
    ],
  ])('%s allows', (_name, permission, rule) => {
    expect(explain({}, permission)).toMatchObject({ isAllowed: true, rule, allowlistEntry: '203.0.113.0/24' });
  });

  test.each(['write:defect/5', 'write:workspace/two/defect', 'read:keyturn/api-key', 'write:credential/prod-db'])(
    'nothing allows %s',
    (permission) => {
      const rule = { kind: 'permission', permission: null };
      expect(explain({}, permission)).toMatchObject({ isAllowed: false, rule, allowlistEntry: '203.0.113.0/24' });
    },
  );

  test('the first rule that refuses, in the order of an exchange', () => {
    const expired = { expiresAtMs: NOW_MS - 1 };
    const refusal = (changes: Partial<ApiKey>) => explain(changes, 'delete:nothing', '192.0.2.1');
    expect(refusal({ ...expired, isValid: false })).toMatchObject({ isAllowed: false, rule: { kind: 'validity' } });
    expect(refusal(expired)).toMatchObject({ isAllowed: false, rule: { kind: 'expiry', expiresAtMs: NOW_MS - 1 } });
    expect(refusal({})).toMatchObject({ isAllowed: false, rule: { kind: 'ip_allowlist' } });
    expect(refusal({ ipAllowlist: [] })).toMatchObject({ isAllowed: false, rule: { kind: 'permission' } });
  });

  test('no address: the allowlist is left out, and the reason says so', () => {
    const { isAllowed, reason, allowlistEntry } = explain({}, 'read:credential/prod-db', null);
    expect({ isAllowed, allowlistEntry }).toEqual({ isAllowed: true, allowlistEntry: null });
    expect(reason).toMatch(/allowlist/);
    expect(explain({ ipAllowlist: [] }, 'read:credential/prod-db', null).reason).not.toMatch(/allowlist/);
  });
});
