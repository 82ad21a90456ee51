import { describe, expect, test } from '@jest/globals';
import { BASE62, newId, randomBase64url, randomText, retryAfterSeconds } from '../../server/random.ts';

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

  test('that are ids sort by time of creation', () => {
    const ids = Array.from({ length: 100 }, () => newId('key'));
    expect([...ids].sort()).toEqual(ids);
    for (const id of ids) expect(id).toMatch(/^key_[0-9a-z]{26}$/);
  });

  test('to wait are 1 to 3 seconds', () => {
    const seconds = new Set(Array.from({ length: 200 }, retryAfterSeconds));
    expect(seconds).toEqual(new Set([1, 2, 3]));
  });
});
