import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RecentMap } from '../../../lib/protocol/recent-map.ts';

const weightOf = (value: number): number => value;
const found = (map: RecentMap<number>, keys: readonly string[]): string[] =>
  keys.filter((key) => map.get(key) !== undefined);

describe('RecentMap', () => {
  test('gives back what was added, and nothing else', () => {
    const map = new RecentMap<number>({ maxEntries: 4 });
    map.add('a', 1);
    expect([map.get('a'), map.get('b'), map.get('__proto__'), map.get('constructor')]).toEqual([
      1,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('keeps the first of two values for a key', () => {
    const map = new RecentMap<number>({ maxEntries: 4 });
    map.add('a', 1);
    map.add('a', 2);
    expect(map.get('a')).toBe(1);
  });

  test('counts a key once, however often it is added', () => {
    const map = new RecentMap({ maxEntries: 8, maxWeight: 8, weightOf });
    map.add('other', 2);
    for (let time = 0; time < 100; time += 1) map.add('a', 2);
    expect(found(map, ['other', 'a'])).toEqual(['other', 'a']);
  });

  test('does not keep what is heavier than half of all', () => {
    const map = new RecentMap({ maxEntries: 8, maxWeight: 8, weightOf });
    map.add('light', 4);
    map.add('heavy', 5);
    expect(found(map, ['light', 'heavy'])).toEqual(['light']);
  });

  test('never holds more than its bounds, and always the latest half', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(weights, fc.integer({ min: 2, max: 20 }), fc.integer({ min: 20, max: 60 }), (all, count, weight) => {
        const create = () => {
          const map = new RecentMap({ maxEntries: count, maxWeight: weight, weightOf });
          for (const [index, value] of all.entries()) map.add(String(index), value);
          return map;
        };
        const keys = all.map((_, index) => String(index));
        // Each key is looked up in a map of its own, because looking moves what is found.
        const held = keys.filter((key) => create().get(key) !== undefined);
        expect(held.length).toBeLessThanOrEqual(count);
        expect(held.reduce((sum, key) => sum + (all[Number(key)] as number), 0)).toBeLessThanOrEqual(weight);
        let latest = 0;
        let latestWeight = 0;
        for (const value of all.toReversed()) {
          latestWeight += value;
          if (latest + 1 > Math.floor(count / 2) || latestWeight > weight / 2) break;
          latest += 1;
        }
        expect(held.slice(held.length - latest)).toEqual(keys.slice(keys.length - latest));
      }),
      { numRuns: 500 },
    );
  });

  test('what is used stays through a flood of keys that come once', () => {
    const map = new RecentMap<number>({ maxEntries: 100 });
    map.add('used', 1);
    map.add('unused', 1);
    for (let index = 0; index < 10_000; index += 1) {
      map.add(`once-${index}`, 1);
      if (index % 40 === 0) expect(map.get('used')).toBe(1);
    }
    expect(map.get('unused')).toBeUndefined();
  });
});
