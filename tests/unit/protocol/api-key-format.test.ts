import { crc32 } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  CHOSEN_SECRET_FAULT_MESSAGES,
  checkChosenSecret,
  clientIdSuffixOf,
  formatGeneratedSecret,
  GENERATED_SECRET_PREFIX,
  isGeneratedSecretForm,
  parseGeneratedSecret,
} from '../../../lib/protocol/index.ts';

const BASE36 = '0123456789abcdefghijklmnopqrstuvwxyz';
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SUFFIX = 'l2j4391xlw0k2ipwx5ejmdor8';
const RANDOM = 'A'.repeat(43);

const suffix = fc.string({ unit: fc.constantFrom(...BASE36), minLength: 25, maxLength: 25 });
const random = fc.string({ unit: fc.constantFrom(...BASE62), minLength: 43, maxLength: 43 });

function checksumValue(secret: string): number {
  return [...secret.slice(-6)].reduce((value, digit) => value * 62 + BASE62.indexOf(digit), 0);
}

describe('generated secret', () => {
  test('has the documented form, its checksum is the CRC-32 of zlib, and it reads back', () => {
    fc.assert(
      fc.property(suffix, random, (clientIdSuffix, randomPart) => {
        const secret = formatGeneratedSecret(clientIdSuffix, randomPart);
        expect(secret).toMatch(/^ktk_[0-9a-z]{25}_[0-9A-Za-z]{49}$/);
        expect(secret.startsWith(`${GENERATED_SECRET_PREFIX}${clientIdSuffix}_${randomPart}`)).toBe(true);
        expect(checksumValue(secret)).toBe(crc32(secret.slice(0, -6)));
        expect(parseGeneratedSecret(secret)).toEqual({ clientIdSuffix });
        expect(isGeneratedSecretForm(secret)).toBe(true);
      }),
    );
  });

  test('any one changed character is refused', () => {
    const secret = formatGeneratedSecret(SUFFIX, RANDOM);
    for (let at = 0; at < secret.length; at++) {
      for (const other of `${BASE62}_-`) {
        if (other === secret[at]) continue;
        expect(parseGeneratedSecret(secret.slice(0, at) + other + secret.slice(at + 1))).toBeNull();
      }
    }
  });

  test('other lengths and surrounding space are refused', () => {
    const secret = formatGeneratedSecret(SUFFIX, RANDOM);
    for (const text of [
      '',
      'ktk_',
      secret.slice(0, -1),
      `${secret}0`,
      ` ${secret}`,
      `${secret}\n`,
      'k'.repeat(100_000),
    ]) {
      expect(parseGeneratedSecret(text)).toBeNull();
    }
  });

  test.each([
    ['short', RANDOM],
    [SUFFIX.toUpperCase(), RANDOM],
    [SUFFIX, 'A'.repeat(42)],
    [SUFFIX, `${'A'.repeat(42)}-`],
  ])('cannot be made of %s and %s, and the error does not repeat them', (clientIdSuffix, randomPart) => {
    expect(() => formatGeneratedSecret(clientIdSuffix, randomPart)).toThrow(RangeError);
    expect(() => formatGeneratedSecret(clientIdSuffix, randomPart)).not.toThrow(randomPart);
  });
});

describe('clientIdSuffixOf', () => {
  test.each([
    ['myKey03_l2j4391xlw0k2ipwx5ejmdor8', SUFFIX],
    [`a_b_${SUFFIX}`, SUFFIX],
    [`${'a'.repeat(40)}_${SUFFIX}`, SUFFIX],
    [`${'a'.repeat(41)}_${SUFFIX}`, null],
    [`_${SUFFIX}`, null],
    [SUFFIX, null],
    [`key_${SUFFIX}x`, null],
    [`key_${SUFFIX.toUpperCase()}`, null],
    [`k y_${SUFFIX}`, null],
    [`key_${SUFFIX}\n`, null],
    ['', null],
    [`${'a'.repeat(100_000)}_${SUFFIX}`, null],
  ])('%s', (clientId, expected) => {
    expect(clientIdSuffixOf(clientId)).toBe(expected);
  });
});

describe('checkChosenSecret', () => {
  test.each([
    ['Abcdefgh1', 'too_short'],
    ['Abcdefghi1', null],
    [`Abcdefgh1${'x'.repeat(21)}`, null],
    [`Abcdefgh1${'x'.repeat(22)}`, 'too_long'],
    ['x'.repeat(100_000), 'too_long'],
    [`Aa1${'\u{1f511}'.repeat(6)}`, 'too_short'],
    [`Aa1${'\u{1f511}'.repeat(17)}`, null],
    [`aA1b${'\u{1f511}'.repeat(17)}`, null],
    [`aA1bc${'\u{1f511}'.repeat(17)}`, 'too_many_bytes'],
    ['Abcdefgh1\u0000', 'control_character'],
    ['Abcdefgh1\n', 'control_character'],
    ['Abcdefgh1\u0085', 'control_character'],
    ['Abcdefgh1\ud800', 'control_character'],
    ['abcdefghijk1', 'too_few_classes'],
    ['ABCDEFGHIJ!', 'too_few_classes'],
    ['abcdefghij1!', null],
    ['ABCDEFGHI 1', null],
    ['Äpfelbäume1', null],
    ['ktk_Abcdefg1', 'looks_generated'],
    ['KTK_abcdefg1', null],
  ])('%j: %s', (secret, expected) => {
    expect(checkChosenSecret(secret)).toBe(expected);
  });

  test('what it lets through survives bcrypt whole', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 8, maxLength: 40 }), (secret) => {
        if (checkChosenSecret(secret) !== null) return;
        expect(Buffer.byteLength(secret)).toBeLessThanOrEqual(72);
        expect(Buffer.from(secret).toString()).toBe(secret);
        expect(secret).not.toContain('\0');
      }),
      { numRuns: 2_000 },
    );
  });

  test('every fault has a message that says what to do', () => {
    for (const message of Object.values(CHOSEN_SECRET_FAULT_MESSAGES)) expect(message).toMatch(/^a chosen secret /);
  });
});
