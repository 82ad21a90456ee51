import { inspect } from 'node:util';
import { describe, expect, jest, test } from '@jest/globals';
import {
  AccessToken,
  createVerifier,
  type SigningAlgorithm,
  VerificationError,
  type VerifierOptions,
} from '@keyturn/lib';
import { SignJWT } from 'jose';
import {
  AUDIENCE,
  claimsOf,
  createKey,
  FakeClock,
  ISSUER,
  NOW_SECONDS,
  outcomeOf,
  signTexts,
  signToken,
} from './forge.ts';

const key = createKey();
const ip = '203.0.113.7';

function verifierOf(changes: Partial<VerifierOptions> = {}) {
  return createVerifier({
    issuer: ISSUER,
    audience: AUDIENCE,
    jwks: { keys: [key.jwk] },
    clock: new FakeClock(),
    ...changes,
  });
}

describe('a valid token', () => {
  test.each<SigningAlgorithm>(['ES256', 'EdDSA', 'RS256', 'PS256'])(
    '%s, made by jose, is accepted',
    async (algorithm) => {
      const own = createKey(algorithm);
      const token = await new SignJWT(claimsOf())
        .setProtectedHeader({ alg: algorithm, typ: 'at+jwt', kid: own.kid })
        .sign(own.privateKey);
      const verifier = verifierOf({ jwks: { keys: [own.jwk] } });
      expect((await verifier.verify(token, { ip })).tokenId).toBe('token-1');
      // The second time by the remembered header.
      expect(await outcomeOf(verifier.verify(token, { ip }))).toBe('accepted');
      expect(await outcomeOf(verifier.verify(signToken({ ...createKey(algorithm), kid: own.kid }), { ip }))).toBe(
        'signature_invalid',
      );
    },
  );

  test('becomes an AccessToken', async () => {
    const token = await verifierOf().verify(
      signToken(key, { aud: [AUDIENCE, 'other'], ip_allowlist: ['203.0.113.0/24'] }),
      { ip },
    );
    expect(token).toBeInstanceOf(AccessToken);
    expect(token).toMatchObject({
      issuer: ISSUER,
      keyId: 'key_01jd0000000000000000000000',
      clientId: 'ci-runner_l2j4391xlw0k2ipwx5ejmdor8',
      projectId: 'prj_01jd0000000000000000000000',
      sessionId: 'ses_01jd0000000000000000000000',
      tokenId: 'token-1',
      permissions: ['read:credential/prod-*', 'update:credential/prod-db'],
      audience: [AUDIENCE, 'other'],
      issuedAtSeconds: NOW_SECONDS,
      expiresAtSeconds: NOW_SECONDS + 7200,
      ipAllowlist: ['203.0.113.0/24'],
    });
    expect(token.can('read:credential/prod-db')).toBe(true);
    expect(token.can('read:credential/staging-db')).toBe(false);
    expect(token.narrow('read:credential').includes('prod-db')).toBe(true);
    expect(token.narrow('read:credential').includes('staging-db')).toBe(false);
  });

  test('may be without session, scope and allowlist: then it is allowed nothing', async () => {
    const token = await verifierOf().verify(signToken(key, { sid: undefined, scope: undefined }), { ip: undefined });
    expect(token).toMatchObject({ sessionId: null, permissions: [], ipAllowlist: [] });
    expect(token.can('read:credential')).toBe(false);
  });

  test('can not be changed afterwards, at any depth', async () => {
    const token = await verifierOf().verify(signToken(key, { act: { sub: 'a', list: [{ deep: 1 }] } }), { ip });
    const act = token.claims['act'] as { list: { deep: number }[] };
    const attempts: (() => void)[] = [
      () => Object.assign(token, { keyId: 'x' }),
      () => (token.permissions as string[]).push('*:*'),
      () => (token.audience as string[]).push('x'),
      () => Object.assign(token.claims, { scope: '*:*' }),
      () => Object.assign(act.list[0] as object, { deep: 2 }),
    ];
    for (const attempt of attempts) expect(attempt).toThrow(TypeError);
  });

  test('does not show its text when printed', async () => {
    const text = signToken(key);
    const token = await verifierOf().verify(text, { ip });
    const printed = inspect(token, { depth: 9, showHidden: true }) + JSON.stringify(token);
    for (const part of text.split('.')) expect(printed).not.toContain(part);
  });

  test('with claims of our own and header parameters without meaning passes', async () => {
    expect(await outcomeOf(verifierOf().verify(signToken(key, { tenant: { a: [1] } }, { note: 'x' }), { ip }))).toBe(
      'accepted',
    );
    const typed = signToken(key, {}, { typ: 'application/at+jwt' });
    expect(await outcomeOf(verifierOf().verify(typed, { ip }))).toBe('accepted');
  });
});

describe('claims', () => {
  const missing = undefined;
  test.each<[string, unknown, string]>([
    ['iss', missing, 'claims_malformed'],
    ['iss', `${ISSUER}/`, 'issuer_mismatch'],
    ['aud', missing, 'claims_malformed'],
    ['aud', '', 'claims_malformed'],
    ['aud', [], 'claims_malformed'],
    ['aud', [AUDIENCE, 7], 'claims_malformed'],
    ['aud', { [AUDIENCE]: true }, 'claims_malformed'],
    ['aud', `${AUDIENCE}/x`, 'audience_mismatch'],
    ['aud', ['a', 'b'], 'audience_mismatch'],
    ['sub', missing, 'claims_malformed'],
    ['sub', '', 'claims_malformed'],
    ['sub', 7, 'claims_malformed'],
    ['client_id', missing, 'claims_malformed'],
    ['jti', missing, 'claims_malformed'],
    ['jti', ['a'], 'claims_malformed'],
    ['project', missing, 'claims_malformed'],
    ['sid', null, 'claims_malformed'],
    ['sid', 7, 'claims_malformed'],
    ['scope', ['read:credential'], 'claims_malformed'],
    ['scope', 'read:credential  read:role', 'claims_malformed'],
    ['scope', ' read:credential', 'claims_malformed'],
    ['scope', 'read:credential\tread:role', 'claims_malformed'],
    ['scope', 'openid', 'claims_malformed'],
    ['ip_allowlist', [], 'claims_malformed'],
    ['ip_allowlist', null, 'claims_malformed'],
    ['ip_allowlist', '203.0.113.7', 'claims_malformed'],
    ['ip_allowlist', [7], 'claims_malformed'],
    ['ip_allowlist', ['203.0.113.07'], 'claims_malformed'],
    ['ip_allowlist', ['0.0.0.0/0'], 'claims_malformed'],
    ['cnf', { jkt: 'x' }, 'sender_constraint_unsupported'],
    ['cnf', null, 'sender_constraint_unsupported'],
    ['exp', missing, 'claims_malformed'],
    ['exp', NOW_SECONDS - 4, 'accepted'],
    ['exp', NOW_SECONDS - 5, 'token_expired'],
    ['iat', missing, 'claims_malformed'],
    ['iat', NOW_SECONDS + 5, 'accepted'],
    ['iat', NOW_SECONDS + 6, 'token_not_yet_valid'],
    ['nbf', NOW_SECONDS + 5, 'accepted'],
    ['nbf', NOW_SECONDS + 6, 'token_not_yet_valid'],
    ['nbf', 'soon', 'claims_malformed'],
    ['nbf', null, 'claims_malformed'],
  ])('%s = %j: %s', async (claim, value, outcome) => {
    expect(await outcomeOf(verifierOf().verify(signToken(key, { [claim]: value }), { ip }))).toBe(outcome);
  });

  test('named __proto__ or constructor stay data', async () => {
    const payload = JSON.stringify(claimsOf()).replace(
      '{',
      '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},',
    );
    const token = await verifierOf().verify(
      signTexts(key, JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: key.kid }), payload),
      { ip },
    );
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
    expect(Object.getPrototypeOf(token.claims)).toBe(Object.prototype);
    const inherited = JSON.stringify({ x: 1 }).replace('"x":1', `"__proto__":${JSON.stringify(claimsOf())}`);
    const header = JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: key.kid });
    expect(await outcomeOf(verifierOf().verify(signTexts(key, header, inherited), { ip }))).toBe('claims_malformed');
  });

  test('audience: one of several is enough; null takes any', async () => {
    const other = signToken(key, { aud: ['x', 'y'] });
    expect(await outcomeOf(verifierOf({ audience: ['z', 'y'] }).verify(other, { ip }))).toBe('accepted');
    expect(await outcomeOf(verifierOf({ audience: null }).verify(other, { ip }))).toBe('accepted');
  });

  test('clock tolerance is what was set', async () => {
    const token = signToken(key, { iat: NOW_SECONDS + 60 });
    expect(await outcomeOf(verifierOf({ clockToleranceSeconds: 60 }).verify(token, { ip }))).toBe('accepted');
    expect(await outcomeOf(verifierOf({ clockToleranceSeconds: 59 }).verify(token, { ip }))).toBe(
      'token_not_yet_valid',
    );
    const expired = signToken(key, { exp: NOW_SECONDS });
    expect(await outcomeOf(verifierOf({ clockToleranceSeconds: 0 }).verify(expired, { ip }))).toBe('token_expired');
  });

  test('a token dies while its verifier lives', async () => {
    const clock = new FakeClock();
    const verifier = verifierOf({ clock });
    const token = signToken(key);
    expect(await outcomeOf(verifier.verify(token, { ip }))).toBe('accepted');
    clock.advanceSeconds(7206);
    expect(await outcomeOf(verifier.verify(token, { ip }))).toBe('token_expired');
  });
});

describe('IP allowlist', () => {
  const bound = signToken(key, { ip_allowlist: ['203.0.113.0/24', '2001:db8::/32'] });

  test.each<[string | null | undefined, string]>([
    ['203.0.113.7', 'accepted'],
    ['::ffff:203.0.113.7', 'accepted'],
    ['2001:db8::1', 'accepted'],
    ['203.0.114.7', 'ip_not_allowed'],
    ['203.0.113.07', 'ip_not_allowed'],
    ['203.0.113.7, 1.1.1.1', 'ip_not_allowed'],
    ['', 'ip_not_allowed'],
    [null, 'ip_not_allowed'],
    [undefined, 'ip_required'],
  ])('from %j: %s', async (from, outcome) => {
    expect(await outcomeOf(verifierOf().verify(bound, { ip: from }))).toBe(outcome);
  });

  test('anything else than text is no address', async () => {
    const from = { ip: ['203.0.113.7'] } as unknown as { ip: string };
    expect(await outcomeOf(verifierOf().verify(bound, from))).toBe('ip_not_allowed');
  });

  test('is switched off by an explicit null only', async () => {
    expect(await outcomeOf(verifierOf({ ipAllowlist: null }).verify(bound, { ip: null }))).toBe('accepted');
    expect(await outcomeOf(verifierOf({ ipAllowlist: undefined } as never).verify(bound, { ip: null }))).toBe(
      'ip_not_allowed',
    );
  });

  test('says nothing to whoever holds no valid token', async () => {
    const forged = signToken(createKey('ES256', key.kid), { ip_allowlist: ['203.0.113.0/24'] });
    expect(await outcomeOf(verifierOf().verify(forged, { ip: '1.1.1.1' }))).toBe('signature_invalid');
    const expired = signToken(key, { exp: 1, ip_allowlist: ['203.0.113.0/24'] });
    expect(await outcomeOf(verifierOf().verify(expired, { ip: '1.1.1.1' }))).toBe('token_expired');
  });
});

describe('errors', () => {
  test('say what was found and wanted, in bounded length, and never the token', async () => {
    const token = signToken(key, { iss: `https://evil.example/${'x'.repeat(500)}` });
    const error = await verifierOf()
      .verify(token, { ip })
      .catch((thrown: unknown) => thrown as VerificationError);
    expect(error).toBeInstanceOf(VerificationError);
    expect(error).toMatchObject({ name: 'VerificationError', code: 'issuer_mismatch', claim: 'iss', expected: ISSUER });
    expect((error as VerificationError).actual).toHaveLength(100);
    for (const part of token.split('.')) expect(inspect(error)).not.toContain(part);
  });

  test('verify without its second argument is a mistake in the program', async () => {
    const verify = verifierOf().verify as (token: string) => Promise<unknown>;
    await expect(verify(signToken(key))).rejects.toThrow(TypeError);
  });
});

describe('header', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['typ missing', { typ: undefined }, 'type_not_allowed'],
    ['typ of a plain JWT', { typ: 'JWT' }, 'type_not_allowed'],
    ['typ in upper case', { typ: 'AT+JWT' }, 'type_not_allowed'],
    ['typ in a list', { typ: ['at+jwt'] }, 'type_not_allowed'],
    ['kid missing', { kid: undefined }, 'header_invalid'],
    ['kid empty', { kid: '' }, 'header_invalid'],
    ['kid unknown', { kid: 'other' }, 'key_unknown'],
    ['alg missing', { alg: undefined }, 'algorithm_not_allowed'],
    ['alg of another key', { alg: 'RS256' }, 'algorithm_not_allowed'],
    ['zip', { zip: 'DEF' }, 'header_invalid'],
    ['enc', { enc: 'A256GCM' }, 'header_invalid'],
    ['x5c', { x5c: ['AA'] }, 'header_invalid'],
    ['crit, empty', { crit: [] }, 'header_invalid'],
  ])('%s', async (_title, header, outcome) => {
    expect(await outcomeOf(verifierOf().verify(signToken(key, {}, header), { ip }))).toBe(outcome);
  });

  test('in another form than the canonical one', async () => {
    const payload = JSON.stringify(claimsOf());
    for (const text of ['[]', '"x"', 'null', '{"alg":"ES256", "typ":"at+jwt","kid":"kid-ES256"}', '\ufeff{}', '{']) {
      expect(await outcomeOf(verifierOf().verify(signTexts(key, text, payload), { ip }))).toBe('header_invalid');
    }
  });

  test('an algorithm that was not asked for is refused before keys are looked for', async () => {
    const verifier = verifierOf({ algorithms: ['EdDSA'] });
    expect(await outcomeOf(verifier.verify(signToken(key), { ip }))).toBe('algorithm_not_allowed');
  });
});

test('a header is parsed once when its token was valid, and every time when it was not', async () => {
  const verifier = verifierOf({ rememberedTokens: null });
  const parse = jest.spyOn(JSON, 'parse');
  const parsed = async (token: string): Promise<number> => {
    parse.mockClear();
    await outcomeOf(verifier.verify(token, { ip }));
    return parse.mock.calls.length;
  };
  const forged = signToken(createKey('ES256', key.kid), {}, { note: 'x' });
  const valid = signToken(key);
  try {
    // A valid token's payload is parsed too.
    expect([await parsed(forged), await parsed(forged), await parsed(valid), await parsed(valid)]).toEqual([
      1, 1, 2, 1,
    ]);
  } finally {
    parse.mockRestore();
  }
});

test('payload bytes that are not UTF-8 are refused', async () => {
  const payload = Buffer.from(JSON.stringify(claimsOf({ note: 'X' })).replace('X', '\u00ff'), 'latin1');
  const header = JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: key.kid });
  expect(await outcomeOf(verifierOf().verify(signTexts(key, header, payload), { ip }))).toBe('claims_malformed');
});

test.each<[string, unknown]>([
  ['undefined', undefined],
  ['null', null],
  ['a number', 7],
  ['an object', { toString: () => signToken(key) }],
  ['a String object', Object(signToken(key))],
  ['an array', [signToken(key)]],
  ['empty', ''],
  ['two dots', '..'],
  ['one part', 'abcd'],
  ['two parts', 'abcd.abcd'],
  ['four parts', 'abcd.abcd.abcd.abcd'],
  ['an empty signature', signToken(key).replace(/[^.]+$/, '')],
  ['padding', `${signToken(key)}==`],
  ['a line break', `${signToken(key)}\n`],
  ['a blank in front', ` ${signToken(key)}`],
  ['a length that no bytes have', 'AAAA.AAAA.AAAAA'],
  ['a header with spare bits of two characters set', 'AB.AAAA.AAAA'],
  ['a payload with spare bits of three characters set', 'AAAA.AAB.AAAA'],
  ['a signature with spare bits of three characters set', 'AAAA.AAAA.AAB'],
])('token that is %s: token_malformed', async (_title, token) => {
  expect(await outcomeOf(verifierOf().verify(token, { ip }))).toBe('token_malformed');
});
