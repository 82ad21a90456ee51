import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { TypeID } from 'typeid-js';
import { formatTypeId, typeIdOfUuid, uuidOfTypeId, writeTypeIdBytes } from '../../server/type-id.ts';

const uuid = fc.uint8Array({ minLength: 16, maxLength: 16 });
const prefix = fc.constantFrom('key', 'ses', 'prj', 'a', 'some_longer_prefix');
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const suffix = fc
  .tuple(
    fc.constantFrom(...'01234567'),
    fc.array(fc.constantFrom(...ALPHABET), { minLength: 25, maxLength: 25, size: 'max' }),
  )
  .map(([first, rest]) => first + rest.join(''));

function bytesOf(typeId: string): Uint8Array {
  const bytes = new Uint8Array(16);
  writeTypeIdBytes(typeId, bytes);
  return bytes;
}

describe('a TypeID', () => {
  test('is written as typeid-js writes it, and read back', () => {
    const property = fc.property(prefix, uuid, (type, bytes) => {
      const text = formatTypeId(type, bytes);
      expect(text).toBe(TypeID.fromUUIDBytes(type, bytes).toString());
      expect(bytesOf(text)).toEqual(bytes);
    });
    fc.assert(property, { numRuns: 2_000 });
  });

  test('is made of a UUID in either case as typeid-js makes it, and gives it back', () => {
    const property = fc.property(prefix, fc.uuid(), (type, text) => {
      const id = TypeID.fromUUID(type, text).toString();
      expect([typeIdOfUuid(type, text), typeIdOfUuid(type, text.toUpperCase())]).toEqual([id, id]);
      expect(uuidOfTypeId(id)).toBe(text);
    });
    fc.assert(property, { numRuns: 500 });
    expect(() => uuidOfTypeId('key_x')).toThrow(RangeError);
    for (const text of ['', 'default', '123e4567e89b12d3a456426614174000', '123e4567-e89b-12d3-a456-42661417400g'])
      expect(typeIdOfUuid('key', text)).toBeNull();
  });

  test('is read as typeid-js reads it, and written back', () => {
    const property = fc.property(prefix, suffix, (type, end) => {
      const text = `${type}_${end}`;
      expect(bytesOf(text)).toEqual(TypeID.fromString(text).toUUIDBytes());
      expect(formatTypeId(type, bytesOf(text))).toBe(text);
    });
    fc.assert(property, { numRuns: 2_000 });
  });

  test.each([
    ['nothing but zeros', 0x00, 'key_00000000000000000000000000'],
    ['nothing but ones', 0xff, 'key_7zzzzzzzzzzzzzzzzzzzzzzzzz'],
  ])('of %s is %s', (_, byte, text) => {
    const bytes = new Uint8Array(16).fill(byte);
    expect(formatTypeId('key', bytes)).toBe(text);
    expect(bytesOf(text)).toEqual(bytes);
  });

  test('is taken from, and put into, the middle of other bytes, which stay as they are', () => {
    const property = fc.property(uuid, fc.integer({ min: 0, max: 24 }), (bytes, at) => {
      const around = new Uint8Array(40).fill(0xa5);
      writeTypeIdBytes(formatTypeId('ses', bytes), around, at);
      expect(formatTypeId('ses', around, at)).toBe(formatTypeId('ses', bytes));
      expect([...around.subarray(0, at), ...around.subarray(at + 16)]).toEqual(Array(24).fill(0xa5));
    });
    fc.assert(property);
  });

  test('in which any one character is replaced by one that is not in the alphabet is refused', () => {
    const wrong = fc.oneof(
      fc.constantFrom(...'ilouILOU', ...'ABCDEFGHJKMNPQRSTVWXYZ', ...'_-. \n\0\u007f'),
      fc.integer({ min: 0x80, max: 0xffff }).map((code) => String.fromCharCode(code)),
    );
    const property = fc.property(suffix, fc.nat(25), wrong, (end, at, character) => {
      const text = `key_${end.slice(0, at)}${character}${end.slice(at + 1)}`;
      expect(() => bytesOf(text)).toThrow(RangeError);
    });
    fc.assert(property, { numRuns: 2_000 });
  });

  test('of more than 128 bits is refused', () => {
    for (const first of ALPHABET.slice(8)) {
      const text = `key_${first}${'0'.repeat(25)}`;
      expect(() => bytesOf(text)).toThrow(RangeError);
      expect(() => TypeID.fromString(text)).toThrow();
    }
  });

  test('that is cut short is refused', () => {
    const text = 'key_01jd8w4gz0e5vb0z3g0000000a';
    expect(bytesOf(text)).toHaveLength(16);
    for (let length = 0; length < text.length; length += 1)
      expect(() => bytesOf(text.slice(0, length))).toThrow(RangeError);
  });
});
