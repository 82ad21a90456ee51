import { describe, expect, test } from '@jest/globals';
import { createVerifier, type VerifierOptions } from '@keyturn/lib';
import { AUDIENCE, createKey, ISSUER } from './forge.ts';

const valid = { issuer: ISSUER, audience: AUDIENCE };
const create = (changes: object) => () => createVerifier({ ...valid, ...changes } as VerifierOptions);

describe('createVerifier', () => {
  test.each<[object, RegExp]>([
    [{ issuer: undefined }, /issuer/],
    [{ issuer: '' }, /issuer/],
    [{ issuer: ['https://a'] }, /issuer/],
    [{ issuer: 'keyturn' }, /issuer.*jwksUri/],
    [{ audience: undefined }, /audience/],
    [{ audience: '' }, /audience/],
    [{ audience: [] }, /audience/],
    [{ audience: ['a', 7] }, /audience/],
    [{ jwksUri: 'file:///etc/passwd' }, /jwksUri/],
    [{ jwksUri: 'https://user:pw@host/jwks' }, /jwksUri/],
    [{ jwksUri: 'nonsense' }, /jwksUri/],
    [{ jwks: { keys: [createKey().jwk] }, jwksUri: 'https://a/jwks' }, /exclude/],
    [{ jwks: { keys: [] } }, /jwks/],
    [{ jwks: null }, /jwks/],
    [{ algorithms: [] }, /algorithms/],
    [{ algorithms: ['HS256'] }, /algorithms/],
    [{ algorithms: ['none'] }, /algorithms/],
    [{ algorithms: 'ES256' }, /algorithms/],
    [{ ipAllowlist: false }, /ipAllowlist/],
    [{ ipAllowlist: [] }, /ipAllowlist/],
    [{ fetch: 'x' }, /fetch/],
    [{ rememberTokens: 5 }, /no option "rememberTokens"/],
  ])('%j: TypeError that names the option', (changes, message) => {
    expect(create(changes)).toThrow(TypeError);
    expect(create(changes)).toThrow(message);
  });

  test.each<[string, number[], unknown[]]>([
    ['clockToleranceSeconds', [0, 60], [-1, 61, Number.NaN, Number.POSITIVE_INFINITY, '5']],
    ['jwksMaxAgeSeconds', [1, 86_400], [0, 86_401]],
    ['jwksCooldownSeconds', [1, 3600], [0, 3601]],
    ['fetchTimeoutMs', [100, 30_000], [99, 30_001]],
    ['rememberedTokens', [2, 1_000_000], [0, 1, 1_000_001, false, Number.NaN, '100']],
    ['rememberedBytes', [2 ** 20, 2 ** 30], [0, 2 ** 20 - 1, 2 ** 30 + 1, null]],
  ])('%s has bounds', (name, inside, outside) => {
    for (const value of inside) expect(create({ [name]: value })).not.toThrow();
    for (const value of outside) {
      expect(create({ [name]: value })).toThrow(RangeError);
      expect(create({ [name]: value })).toThrow(name);
    }
  });

  test('without options at all: TypeError', () => {
    expect(() => (createVerifier as () => unknown)()).toThrow(TypeError);
  });
});
