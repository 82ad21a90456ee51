import { describe, expect, test } from '@jest/globals';
import { parseGeneratedSecret } from '@keyturn/lib/protocol';
import { type ApiKeyDescription, makeApiKey, slugOf } from '../../../server/api-keys/new-api-key.ts';
import {
  bcryptHashOf,
  hashGeneratedSecret,
  isGeneratedSecret,
  sha256OfGeneratedSecret,
  tagBcryptHash,
} from '../../../server/api-keys/secret-hash.ts';
import type { SecretHasher } from '../../../server/api-keys/secret-hasher.ts';
import { createVerifiedSecrets } from '../../../server/api-keys/verified-secrets.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

describe('secret hash', () => {
  test('proves the generated secret that it was made of, and no other', () => {
    const hash = sha256OfGeneratedSecret(hashGeneratedSecret('ktk_a'));
    expect(isGeneratedSecret('ktk_a', hash)).toBe(true);
    expect(isGeneratedSecret('ktk_b', hash)).toBe(false);
  });

  test('of nobody, or of a chosen secret, proves nothing: not even the secret whose hash stands in for it', () => {
    expect(isGeneratedSecret('', null)).toBe(false);
    expect(isGeneratedSecret('', sha256OfGeneratedSecret(tagBcryptHash('$2b$12$x')))).toBe(false);
  });

  test('tells by its tag what proves it', () => {
    expect(bcryptHashOf(tagBcryptHash('$2b$12$x'))).toBe('$2b$12$x');
    expect(bcryptHashOf(hashGeneratedSecret('ktk_a'))).toBeNull();
  });
});

describe('verified secrets', () => {
  test('are remembered for five minutes and not longer, however often they are used', () => {
    const clock = createFakeClock();
    const verified = createVerifiedSecrets(clock);
    verified.add('key_1', 1, 'secret');
    for (let minute = 0; minute < 5; minute += 1) {
      expect(verified.has('key_1', 1, 'secret')).toBe(true);
      clock.advance(60_000);
    }
    expect(verified.has('key_1', 1, 'secret')).toBe(false);
  });

  test('are of one key, one version and one secret', () => {
    const verified = createVerifiedSecrets(createFakeClock());
    verified.add('key_1', 1, 'secret');
    expect(verified.has('key_2', 1, 'secret')).toBe(false);
    expect(verified.has('key_1', 2, 'secret')).toBe(false);
    expect(verified.has('key_1', 1, 'Secret')).toBe(false);
  });

  test('are bounded: the oldest is forgotten first', () => {
    const verified = createVerifiedSecrets(createFakeClock(), { maxEntries: 2 });
    for (const keyId of ['key_1', 'key_2', 'key_3']) verified.add(keyId, 1, 's');
    expect(['key_1', 'key_2', 'key_3'].map((keyId) => verified.has(keyId, 1, 's'))).toEqual([false, true, true]);
  });

  test('cannot be remembered for longer than five minutes', () => {
    expect(() => createVerifiedSecrets(createFakeClock(), { seconds: 301 })).toThrow(RangeError);
  });
});

describe('makeApiKey', () => {
  const description: ApiKeyDescription = {
    projectId: 'prj_1',
    name: 'CI runner (eu)',
    description: null,
    ownerId: 'usr_1',
    permissions: ['read:credential'],
    ipAllowlist: [],
    expiresAtMs: null,
    refreshTokens: true,
    refreshRequiresClientAuth: false,
    createdBy: null,
  };
  const secretHasher: SecretHasher = {
    hash: async () => '$2b$12$hash',
    compare: async () => false,
    close: async () => {},
  };
  const make = (chosen: string | null) => makeApiKey(description, chosen, { clock: createFakeClock(), secretHasher });

  test('generates a secret that names its client_id and carries a good checksum', async () => {
    const { apiKey, clientSecret } = await make(null);
    const parsed = parseGeneratedSecret(clientSecret);
    expect(apiKey.clientId).toBe(`CI-runner-eu_${parsed?.clientIdSuffix}`);
    expect(isGeneratedSecret(clientSecret, sha256OfGeneratedSecret(apiKey.secretHash))).toBe(true);
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
