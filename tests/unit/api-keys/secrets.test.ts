import { describe, expect, test } from '@jest/globals';
import { parseGeneratedSecret } from '@keyturn/lib/protocol';
import { type ApiKeyDescription, makeApiKey, slugOf } from '../../../server/api-keys/new-api-key.ts';
import {
  bcryptHashOf,
  hashGeneratedSecret,
  isSameSha256,
  sha256Of,
  sha256OfGeneratedSecret,
  tagBcryptHash,
} from '../../../server/api-keys/secret-hash.ts';
import type { SecretHasher } from '../../../server/api-keys/secret-hasher.ts';
import { createVerifiedSecrets } from '../../../server/api-keys/verified-secrets.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

describe('secret hash', () => {
  test('proves the generated secret that it was made of, and no other', () => {
    const hash = sha256OfGeneratedSecret(hashGeneratedSecret('ktk_a'));
    expect(isSameSha256(sha256Of('ktk_a'), hash)).toBe(true);
    expect(isSameSha256(sha256Of('ktk_b'), hash)).toBe(false);
  });

  test('of nobody, or of a chosen secret, proves nothing: not even the secret whose hash stands in for it', () => {
    expect(isSameSha256(sha256Of(''), null)).toBe(false);
    expect(isSameSha256(sha256Of(''), sha256OfGeneratedSecret(tagBcryptHash('$2b$12$x')))).toBe(false);
  });

  test('tells by its tag what proves it', () => {
    expect(bcryptHashOf(tagBcryptHash('$2b$12$x'))).toBe('$2b$12$x');
    expect(bcryptHashOf(hashGeneratedSecret('ktk_a'))).toBeNull();
  });
});

describe('verified secrets', () => {
  const HOUR_MS = 3_600_000;

  test('are remembered as long as they are used once a day', () => {
    const clock = createFakeClock();
    const verified = createVerifiedSecrets(clock);
    const name = verified.nameOf('client', 'secret');
    verified.add(name, 'hash');
    for (let day = 0; day < 3; day += 1) {
      clock.advance(23 * HOUR_MS);
      expect(verified.hashOf(name)).toBe('hash');
    }
    clock.advance(25 * HOUR_MS);
    expect(verified.hashOf(name)).toBeUndefined();
  });

  test('are of one client and one secret', () => {
    const verified = createVerifiedSecrets(createFakeClock());
    verified.add(verified.nameOf('client_1', 'secret'), 'hash');
    expect(verified.hashOf(verified.nameOf('client_1', 'secret'))).toBe('hash');
    expect(verified.hashOf(verified.nameOf('client_2', 'secret'))).toBeUndefined();
    expect(verified.hashOf(verified.nameOf('client_1', 'Secret'))).toBeUndefined();
    expect(verified.hashOf(verified.nameOf('client_', '1secret'))).toBeUndefined();
  });

  test('have names that say nothing: no two processes give the same', () => {
    const nameOf = () => createVerifiedSecrets(createFakeClock()).nameOf('client', 'secret');
    expect(nameOf()).not.toBe(nameOf());
  });

  test('are bounded: what was used longest ago is forgotten first', () => {
    const verified = createVerifiedSecrets(createFakeClock(), { maxEntries: 2 });
    verified.add('name 1', 'hash');
    verified.add('name 2', 'hash');
    verified.hashOf('name 1');
    verified.add('name 3', 'hash');
    expect(['name 1', 'name 2', 'name 3'].map(verified.hashOf)).toEqual(['hash', undefined, 'hash']);
  });
});

describe('makeApiKey', () => {
  const description: ApiKeyDescription = {
    projectId: 'prj_1',
    name: 'CI runner (eu)',
    description: null,
    ownerId: 'usr_1',
    permissions: ['read:credential'],
    roles: [],
    effectivePermissions: ['read:credential'],
    ipAllowlist: [],
    expiresAtMs: null,
    refreshTokens: true,
    refreshRequiresClientAuth: false,
    createdBy: null,
  };
  const secretHasher: SecretHasher = {
    capacity: 1,
    hash: async () => '$2b$12$hash',
    compare: async () => false,
    close: async () => {},
  };
  const make = (chosen: string | null) => makeApiKey(description, chosen, { clock: createFakeClock(), secretHasher });

  test('generates a secret that names its client_id and carries a good checksum', async () => {
    const { apiKey, clientSecret } = await make(null);
    const parsed = parseGeneratedSecret(clientSecret);
    expect(apiKey.clientId).toBe(`CI-runner-eu_${parsed?.clientIdSuffix}`);
    expect(isSameSha256(sha256Of(clientSecret), sha256OfGeneratedSecret(apiKey.secretHash))).toBe(true);
    expect(clientSecret.endsWith(apiKey.hint)).toBe(true);
    expect(JSON.stringify(apiKey)).not.toContain(clientSecret);
  });

  test('never generates the same secret or client_id twice', async () => {
    const made = await Promise.all(Array.from({ length: 500 }, () => make(null)));
    expect(new Set(made.map(({ clientSecret }) => clientSecret)).size).toBe(500);
    expect(new Set(made.map(({ apiKey }) => apiKey.clientId)).size).toBe(500);
  });

  test('keeps of a chosen secret its bcrypt hash and hint', async () => {
    const { apiKey, clientSecret } = await make('9011@83sd!f1042ds+f19fg86M');
    expect(clientSecret).toBe('9011@83sd!f1042ds+f19fg86M');
    expect(apiKey).toMatchObject({ secretHash: 'bcrypt:$2b$12$hash', hint: 'g86M' });
  });

  test.each([
    ['myKey03', 'myKey03'],
    ['  nightly   backup ', 'nightly-backup'],
    ['Schlüssel', 'Schlu-ssel'],
    ['<img src=x onerror=alert(1)>', 'img-src-x-onerror-alert-1'],
    ['密钥', 'key'],
    ['a'.repeat(100), 'a'.repeat(40)],
    [`${'a'.repeat(39)} b`, 'a'.repeat(39)],
  ])('makes of the name %j the slug %s', (name, slug) => {
    expect(slugOf(name)).toBe(slug);
  });
});
