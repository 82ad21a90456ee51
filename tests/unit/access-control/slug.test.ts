import { describe, expect, it, test } from '@jest/globals';
import fc from 'fast-check';
import { isSlug, slugFrom } from '../../../server/access-control/slug.ts';

describe('slugFrom', () => {
  it.each([
    ['CI runners (EU)', 'ci-runners-eu'],
    ['  Prüfung  Größe ', 'prufung-gro-e'],
    ['1002', '1002'],
    ['--', null],
    ['测试', null],
    [`${'a'.repeat(63)} b`, 'a'.repeat(63)],
  ])('%p gives %p', (name, slug) => {
    expect(slugFrom(name)).toBe(slug);
  });

  test('what it gives is a slug', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (name) => {
        const slug = slugFrom(name);
        expect(slug === null || isSlug(slug)).toBe(true);
      }),
    );
  });
});

test.each(['', '-', 'a-', '-a', 'a--b', 'A', 'a_b', 'prj_01', 'a.b', 'ä', 'a'.repeat(65)])('%p is no slug', (text) => {
  expect(isSlug(text)).toBe(false);
});
