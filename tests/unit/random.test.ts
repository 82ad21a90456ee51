import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { TypeID } from 'typeid-js';
import { BASE62, newId, randomBase64url, randomText, retryAfterSeconds } from '../../server/random.ts';

const TYPE_ID = /^key_[0-7][0-9a-hjkmnp-tv-z]{25}$/;

describe('random texts', () => {
  test('of bytes have their length and never repeat, across the pool that they are taken from', () => {
    const texts = Array.from({ length: 2000 }, () => randomBase64url(16));
    expect(new Set(texts).size).toBe(2000);
    for (const text of texts) expect(Buffer.from(text, 'base64url')).toHaveLength(16);
    expect(Buffer.from(randomBase64url(4096), 'base64url')).toHaveLength(4096);
  });

  test('do not overlap: no text shares four bytes in a row with the next', () => {
    const texts = Array.from({ length: 500 }, () => Buffer.from(randomBase64url(16), 'base64url').toString('hex'));
    for (const [index, text] of texts.slice(1).entries())
      expect(text.startsWith(texts[index]?.slice(-8) ?? '')).toBe(false);
  });

  test('of an alphabet use all of it and nothing else', () => {
    expect(new Set(randomText(10_000, BASE62))).toEqual(new Set(BASE62));
  });

  test('to wait are 1 to 3 seconds', () => {
    const seconds = new Set(Array.from({ length: 200 }, retryAfterSeconds));
    expect(seconds).toEqual(new Set([1, 2, 3]));
  });
});

describe('ids', () => {
  afterEach(() => void jest.restoreAllMocks());

  const uuidOf = (id: string) => Buffer.from(TypeID.fromString(id).toUUIDBytes());
  const timeOf = (id: string) => uuidOf(id).readUIntBE(0, 6);
  const make = (count: number) => Array.from({ length: count }, () => newId('key'));
  /** A clock of which each reading is told. */
  const onClock = (reading: (index: number) => number) => {
    let index = 0;
    jest.spyOn(Date, 'now').mockImplementation(() => reading(index++));
  };
  const startMs = Date.now() + 3_600_000;

  test.each([
    ['goes on', null],
    ['stands still', () => startMs],
    ['goes back, a little at a time', (index: number) => startMs - index],
    ['jumps to and fro', (index: number) => startMs + (index % 2 === 0 ? -3_600_000 : index % 7)],
  ])('are unique, sorted UUIDv7s, 100,000 of them, while the clock %s', (_, reading) => {
    if (reading !== null) onClock(reading);
    const ids = make(100_000);
    // Counted: a comparison of two long lists takes minutes to say how they differ.
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id, index) => index > 0 && id <= (ids[index - 1] ?? ''))).toHaveLength(0);
    const malformed = ids.filter((id) => {
      const uuid = uuidOf(id);
      return !TYPE_ID.test(id) || uuid.readUInt8(6) >> 4 !== 7 || uuid.readUInt8(8) >> 6 !== 2;
    });
    expect(malformed).toHaveLength(0);
    // 62 random bits, which alone tell apart the ids of two processes.
    expect(new Set(ids.map((id) => uuidOf(id).toString('hex', 8))).size).toBe(ids.length);
  });

  test('say when they were made, and start each millisecond anywhere in its lower half', () => {
    const firstMs = startMs + 86_400_000;
    onClock((index) => firstMs + index);
    const ids = make(500);
    expect(ids.map(timeOf)).toEqual(ids.map((_, index) => firstMs + index));
    const sequences = ids.map((id) => uuidOf(id).readUInt16BE(6) & 0xfff);
    expect(Math.max(...sequences)).toBeLessThan(0x800);
    expect(new Set(sequences).size).toBeGreaterThan(300);
  });

  test('run ahead of a clock that stands still by no more than they must', () => {
    const standingMs = startMs + 2 * 86_400_000;
    onClock(() => standingMs);
    const ids = make(10_000);
    expect(timeOf(ids[0] ?? '')).toBe(standingMs);
    expect(timeOf(ids.at(-1) ?? '')).toBeLessThanOrEqual(standingMs + 3);
  });
});
