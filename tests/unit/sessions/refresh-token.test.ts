import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { newId } from '../../../server/random.ts';
import { createRefreshTokenCodec } from '../../../server/sessions/refresh-token.ts';

const macKey = randomBytes(32);
const codec = createRefreshTokenCodec([macKey]);
const content = () => ({ sessionId: newId('ses'), keyId: newId('key'), generation: 7 });

describe('refresh token', () => {
  test('says what it was made of', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0xffffffff }), (generation) => {
        const made = { ...content(), generation };
        expect(codec.parse(codec.format(made))).toEqual(made);
      }),
    );
  });

  test('of one session and generation is always the same, and of another never', () => {
    const made = content();
    expect(codec.format(made)).toBe(codec.format(made));
    expect(codec.format({ ...made, generation: 8 })).not.toBe(codec.format(made));
  });

  test('with any one character changed is refused: no spelling of it is left but one', () => {
    const token = codec.format(content());
    for (let index = 0; index < token.length; index += 1) {
      const other = token[index] === 'A' ? 'B' : 'A';
      expect(codec.parse(token.slice(0, index) + other + token.slice(index + 1))).toBeNull();
    }
  });

  test.each(['', 'ktr_', 'x', `ktr_${'A'.repeat(80)}`, `ktr_${'A'.repeat(81)}`, `KTR_${'A'.repeat(80)}`])(
    'is not %j',
    (text) => {
      expect(codec.parse(text)).toBeNull();
    },
  );

  test.each([' ', '\n', '=', '.'])('is not followed by %j', (tail) => {
    expect(codec.parse(codec.format(content()) + tail)).toBeNull();
  });

  test('under an older MAC key is still read, and new ones are made under the first', () => {
    const newer = randomBytes(32);
    const both = createRefreshTokenCodec([newer, macKey]);
    const made = content();
    expect(both.parse(codec.format(made))).toEqual(made);
    expect(codec.parse(both.format(made))).toBeNull();
    expect(createRefreshTokenCodec([newer]).parse(both.format(made))).toEqual(made);
  });

  test('needs a MAC key', () => {
    expect(() => createRefreshTokenCodec([])).toThrow(TypeError);
  });
});
