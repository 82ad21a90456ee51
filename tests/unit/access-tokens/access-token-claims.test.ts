import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import {
  type AccessTokenInput,
  accessTokenLength,
  buildAccessTokenClaims,
  MAX_ACCESS_TOKEN_LENGTH,
} from '../../../server/access-tokens/access-token-claims.ts';
import { createSigningKeyPairs } from '../../../server/crypto/key-pairs.ts';
import { parseMasterKeys } from '../../../server/crypto/master-key.ts';
import { SIGNING_ALGORITHMS } from '../../../server/signing-keys/signing-key.ts';

const input: AccessTokenInput = {
  issuer: 'https://keyturn.example',
  keyId: 'key_01jd0000000000000000000000',
  clientId: 'ci-runner_l2j4391xlw0k2ipwx5ejmdor8',
  projectId: 'prj_01jd0000000000000000000000',
  audience: ['https://api.example'],
  permissions: ['read:credential', 'write:credential/prod-*'],
  ipAllowlist: ['203.0.113.0/24'],
  sessionId: 'ses_01jd0000000000000000000000',
  tokenId: 'a-token-id',
  issuedAtSeconds: 1_800_000_000,
  expiresAtSeconds: 1_800_007_200,
};

describe('buildAccessTokenClaims', () => {
  test('carries every claim, in a fixed order', () => {
    expect(JSON.stringify(buildAccessTokenClaims(input))).toBe(
      JSON.stringify({
        iss: 'https://keyturn.example',
        sub: 'key_01jd0000000000000000000000',
        client_id: 'ci-runner_l2j4391xlw0k2ipwx5ejmdor8',
        aud: 'https://api.example',
        iat: 1_800_000_000,
        exp: 1_800_007_200,
        jti: 'a-token-id',
        scope: 'read:credential write:credential/prod-*',
        project: 'prj_01jd0000000000000000000000',
        sid: 'ses_01jd0000000000000000000000',
        ip_allowlist: ['203.0.113.0/24'],
      }),
    );
  });

  test('leaves out what is not there', () => {
    const claims = buildAccessTokenClaims({ ...input, permissions: [], ipAllowlist: [], sessionId: null });
    expect(Object.keys(claims)).toEqual(['iss', 'sub', 'client_id', 'aud', 'iat', 'exp', 'jti', 'project']);
  });

  test.each([
    [[], 'https://keyturn.example'],
    [['https://a.example'], 'https://a.example'],
    [
      ['https://a.example', 'https://b.example'],
      ['https://a.example', 'https://b.example'],
    ],
  ])('audience %j becomes %j', (audience, aud) => {
    expect(buildAccessTokenClaims({ ...input, audience }).aud).toEqual(aud);
  });
});

describe('accessTokenLength', () => {
  test.each(SIGNING_ALGORITHMS)('is the length of the token signed with %s', async (algorithm) => {
    const keyPairs = createSigningKeyPairs(parseMasterKeys(randomBytes(32).toString('base64')));
    const times = { sequence: 1, createdAtMs: 0, activeFromMs: 0, retiringFromMs: null, retiredFromMs: null };
    const signer = keyPairs.signer({ ...(await keyPairs.generate(algorithm)), ...times });
    // Three lengths in a row and some UTF-8, so that every remainder of base64 is met.
    for (const tokenId of ['x', 'xy', 'xyz', 'ü€']) {
      const claims = buildAccessTokenClaims({ ...input, tokenId });
      expect(accessTokenLength(claims, signer)).toBe(signer.sign(claims).length);
    }
  });

  test('tells a token that is one character too long from one that just fits', () => {
    const signer = { kid: 'k'.repeat(43), algorithm: 'ES256', signatureBytes: 64 } as const;
    const lengthWith = (scopeLength: number) =>
      accessTokenLength(buildAccessTokenClaims({ ...input, permissions: ['p'.repeat(scopeLength)] }), signer);
    let longest = 1;
    while (lengthWith(longest + 1) <= MAX_ACCESS_TOKEN_LENGTH) longest += 1;
    expect(MAX_ACCESS_TOKEN_LENGTH).toBe(8192);
    expect(lengthWith(longest)).toBeGreaterThan(8192 - 3);
    expect(longest).toBeGreaterThan(5000);
  });
});
