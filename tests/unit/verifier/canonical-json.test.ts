import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseCanonicalJsonObject } from '../../../lib/verifier/canonical-json.ts';
import { base64url, claimsOf } from './forge.ts';

const parse = (text: string) => parseCanonicalJsonObject(base64url(text));

/** What the parser promises, in the plainest words. */
function isCanonicalObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) && JSON.stringify(value) === text;
  } catch {
    return false;
  }
}

test.each([
  '{}',
  '{"a":1}',
  '{"a":0}',
  '{"a":999999999999999}',
  '{"a":9007199254740991}',
  '{"a":1.5}',
  '{"a":-1}',
  '{"a":1e+21}',
  '{"a":""}',
  '{"a":["x"]}',
  '{"a":["x","y z"]}',
  '{"a":[]}',
  '{"a":[1]}',
  '{"a":{"b":[null,true]}}',
  '{"A":"\u00e9\ud83d\ude00"}',
  '{"a":"\\"\\\\\\n"}',
  '{"a":"\\ud800"}',
  '{"a":"\u007f"}',
  '{"__proto__":"x","a":"y"}',
  '{"constructor":["x"],"toString":"y"}',
  '{"1":"x","a":"y"}',
  JSON.stringify(claimsOf()),
])('%s is canonical', (text) => {
  expect(isCanonicalObject(text)).toBe(true);
  expect(JSON.stringify(parse(text))).toBe(text);
});

test.each([
  '',
  '[]',
  'null',
  '"a"',
  '{"a":1',
  '{"a":1,}',
  '{"a":01}',
  '{"a":1.0}',
  '{"a":1e3}',
  '{"a":-0}',
  '{"a":9007199254740993}',
  '{"a":12345678901234567890}',
  '{ "a":1}',
  '{"a": 1}',
  '{"a":1}\n',
  '{"a":["x", "y"]}',
  '{"a":"\\u0061"}',
  '{"a":"\\/"}',
  '{"\\u0061":1}',
  '{"a":1,"a":1}',
  '{"a":"x","a":"x"}',
  '{"a":"long","a":""}',
  '{"a":"","a":"long"}',
  '{"a":["x","y"],"b":"z","a":"w"}',
  '{"__proto__":"x","__proto__":"x"}',
  '{"a":"y","1":"x"}',
  '\ufeff{"a":1}',
])('%s is not', (text) => {
  expect(isCanonicalObject(text)).toBe(false);
  expect(parse(text)).toBeNull();
});

describe('agrees with JSON.stringify', () => {
  const name = fc.oneof(
    fc.constantFrom('a', 'b', 'iss', '_', '__proto__', '1', 'A', '"', 'é'),
    fc.string({ maxLength: 3 }),
  );
  const plain = fc.constantFrom('', 'a', ':', ',', '":"', '\\', ' ', '{', ']', '\u007f', '\n', 'é', 'x'.repeat(9));
  const value = fc.oneof(
    plain,
    fc.array(plain, { maxLength: 3 }),
    fc.nat(),
    fc.double(),
    fc.constantFrom(null, true, 0, -0, 1e15, 1e21, Number.MAX_SAFE_INTEGER),
    fc.dictionary(name, plain, { maxKeys: 2 }),
  );
  const members = fc.array(fc.tuple(name, value), { minLength: 1, maxLength: 5 });
  const textOf = (list: readonly (readonly [string, unknown])[]): string =>
    `{${list.map(([key, entry]) => `${JSON.stringify(key)}:${JSON.stringify(entry)}`).join(',')}}`;

  test('for objects with names that repeat, numbers, and what needs escapes', () => {
    let canonical = 0;
    fc.assert(
      fc.property(members, (list) => {
        const text = textOf(list);
        if (isCanonicalObject(text)) canonical += 1;
        expect(parse(text) !== null).toBe(isCanonicalObject(text));
      }),
      { numRuns: 5_000 },
    );
    expect(canonical).toBeGreaterThan(500);
  });

  test('for texts that differ from a canonical one by a character', () => {
    const base = fc.constantFrom(
      JSON.stringify(claimsOf()),
      JSON.stringify(claimsOf({ aud: ['a', 'b'], ip_allowlist: ['x'] })),
    );
    const character = fc.constantFrom(...' "\\,:{}[]0123456789eE+-.aZ\u00e9\u007f\n'.split(''));
    const change = fc.constantFrom('insert', 'replace', 'remove', 'double');
    fc.assert(
      fc.property(base, fc.nat(), character, change, (text, position, inserted, how) => {
        const at = position % text.length;
        const head = text.slice(0, at);
        const changed = {
          insert: head + inserted + text.slice(at),
          replace: head + inserted + text.slice(at + 1),
          remove: head + text.slice(at + 1),
          double: head + text.slice(Math.max(0, at - (position % 40)), at) + text.slice(at),
        }[how];
        expect(parse(changed) !== null).toBe(isCanonicalObject(changed));
      }),
      { numRuns: 10_000 },
    );
  });
});
