import { describe, expect, test } from '@jest/globals';
import { parseIp } from '@keyturn/lib/protocol';
import type { ApiKeyForExchange } from '../../../server/api-keys/api-key.ts';
import { decideUsability } from '../../../server/api-keys/decide-usability.ts';
import { readyApiKey } from '../../../server/api-keys/ready-api-key.ts';

const NOW = 1_800_000_000_000;
const key = (changes: Partial<ApiKeyForExchange>) =>
  readyApiKey({ isValid: true, expiresAtMs: null, ipAllowlist: [], ...changes } as unknown as ApiKeyForExchange);
const ip = parseIp('203.0.113.7');

describe('decideUsability', () => {
  test.each([
    ['a plain key', {}, ip, null],
    ['a plain key from an address that could not be told', {}, null, null],
    ['a revoked key', { isValid: false }, ip, 'api_key_revoked'],
    ['a key a second before its expiry', { expiresAtMs: NOW + 1000 }, ip, null],
    ['a key in its last second', { expiresAtMs: NOW + 999 }, ip, 'api_key_expired'],
    ['a key at its expiry', { expiresAtMs: NOW }, ip, 'api_key_expired'],
    ['an allowed address', { ipAllowlist: ['203.0.113.0/24'] }, ip, null],
    ['another address', { ipAllowlist: ['203.0.114.0/24'] }, ip, 'ip_not_allowed'],
    [
      'an allowlist, and an address that could not be told',
      { ipAllowlist: ['203.0.113.0/24'] },
      null,
      'ip_not_allowed',
    ],
    [
      'all at once: revocation first',
      { isValid: false, expiresAtMs: NOW, ipAllowlist: ['::1'] },
      ip,
      'api_key_revoked',
    ],
  ] as const)('%s', (_name, changes, address, expected) => {
    expect(decideUsability(key(changes), address, NOW)).toBe(expected);
  });
});
