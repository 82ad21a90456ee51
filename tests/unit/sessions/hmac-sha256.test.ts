import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createHmacSha256 } from '../../../server/sessions/hmac-sha256.ts';

const bytes = (limits: { minLength?: number; maxLength: number }) =>
  fc.uint8Array(limits).map((array) => Buffer.from(array));

describe('HMAC-SHA-256', () => {
  test('gives what RFC 4231 §4.2 and §4.3 print', () => {
    const first = createHmacSha256(Buffer.alloc(20, 0x0b))(Buffer.from('Hi There'));
    expect(first.toString('hex')).toBe('b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7');
    const second = createHmacSha256(Buffer.from('Jefe'))(Buffer.from('what do ya want for nothing?'));
    expect(second.toString('hex')).toBe('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843');
  });

  test('gives what OpenSSL gives, for any key of a block and any message', () => {
    fc.assert(
      fc.property(bytes({ maxLength: 64 }), bytes({ maxLength: 300 }), (key, message) => {
        expect(createHmacSha256(key)(message)).toEqual(createHmac('sha256', key).update(message).digest());
      }),
    );
  });

  test('refuses a key that would have to be hashed first', () => {
    expect(() => createHmacSha256(Buffer.alloc(65))).toThrow(RangeError);
  });
});
