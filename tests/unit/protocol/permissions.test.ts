import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  covers,
  InvalidPermission,
  isPermission,
  parsePermission,
  permissionWithin,
} from '../../../lib/protocol/index.ts';
import { concretePermissionText, literalSegment, permissionText, widen, widening } from './permission-arbitraries.ts';

const vectors: {
  covers: [string, string, boolean][];
  valid: string[];
  invalid: string[];
  within: [string, string, string][];
} = JSON.parse(readFileSync(new URL('../../vectors/permissions.json', import.meta.url), 'utf8'));

function coversText(grant: string, requirement: string): boolean {
  return covers(parsePermission(grant), parsePermission(requirement));
}

function faultOf(text: string): InvalidPermission {
  try {
    parsePermission(text);
  } catch (error) {
    if (error instanceof InvalidPermission) return error;
    throw error;
  }
  throw new Error(`accepted: ${text}`);
}

describe('vectors', () => {
  test.each(vectors.covers)('%s covers %s: %s', (grant, requirement, expected) => {
    expect(coversText(grant, requirement)).toBe(expected);
  });

  test.each(vectors.valid)('%s is a permission', (text) => {
    expect(isPermission(text)).toBe(true);
    expect(parsePermission(text).text).toBe(text);
  });

  test.each(vectors.invalid)('%j is no permission', (text) => {
    expect(isPermission(text)).toBe(false);
    expect(() => parsePermission(text)).toThrow(InvalidPermission);
  });

  test.each(vectors.within)('%s within %s is %s', (permission, workspace, expected) => {
    expect(permissionWithin(permission, workspace)).toBe(expected);
  });
});

describe('parsePermission', () => {
  test('takes apart action and segments', () => {
    expect(parsePermission('read:credential/prod-*')).toEqual({
      text: 'read:credential/prod-*',
      action: 'read',
      segments: ['credential', 'prod-*'],
    });
  });

  test.each([
    ['', 'colon_missing'],
    ['Read:x', 'action_invalid'],
    ['r*:x', 'action_invalid'],
    [':x', 'action_invalid'],
    ['read:', 'segment_empty'],
    ['read:a//b', 'segment_empty'],
    ['read:a*b', 'wildcard_misplaced'],
    ['read:**', 'wildcard_misplaced'],
    ['read:a b', 'character_invalid'],
    ['read:a\n', 'character_invalid'],
    ['read:a:b', 'character_invalid'],
    ['read:a/a/a/a/a/a/a/a/a', 'too_many_segments'],
    [`read:${'a'.repeat(251)}`, 'too_long'],
  ])('%j breaks the rule %s', (text, rule) => {
    expect(faultOf(text).rule).toBe(rule);
  });

  test('takes exactly 255 characters and 8 segments', () => {
    expect(isPermission(`read:${'a'.repeat(250)}`)).toBe(true);
    expect(isPermission('read:a/a/a/a/a/a/a/a')).toBe(true);
  });

  test.each([[undefined], [null], [7], [['read:a']], [{ length: 3 }]])(
    '%j, which is no text, is no permission',
    (value) => {
      expect(isPermission(value)).toBe(false);
    },
  );

  test('a huge text is refused before it is scanned, and not repeated in the message', () => {
    const unscannable = Object.assign(Object.create(null), { length: 100_000, slice: () => 'read:aaa' });
    expect(() => parsePermission(unscannable)).toThrow(InvalidPermission);
    const fault = faultOf('a'.repeat(100_000));
    expect(fault.message.length).toBeLessThan(350);
    expect(fault.permission.length).toBeLessThan(300);
  });

  test('what could break out of a header, a JSON text or a log line is written as its code point', () => {
    expect(faultOf('a"b\\c\r\n\u{1f511}').permission).toBe("'a<U+0022>b<U+005C>c<U+000D><U+000A><U+1F511>'");
  });

  test('messages hold only what RFC 6749 §5.2 allows in error_description', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        fc.pre(!isPermission(text));
        const fault = faultOf(text);
        expect(fault.message).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
        expect(fault.permission.length).toBeLessThan(300);
      }),
    );
  });
});

describe('covers', () => {
  test('is reflexive', () => {
    fc.assert(fc.property(permissionText, (text) => coversText(text, text)));
  });

  test('a widened permission covers what it was made of, unless that is reserved', () => {
    fc.assert(
      fc.property(permissionText, widening, (text, wider) => {
        const wide = widen(text, wider);
        const first = parsePermission(text).segments[0];
        const reached = first !== 'keyturn' && first !== 'keyturn-installation';
        expect(coversText(wide, text)).toBe(reached || parsePermission(wide).segments[0] === first);
      }),
      { numRuns: 5_000 },
    );
  });

  test('is transitive', () => {
    let chains = 0;
    fc.assert(
      fc.property(permissionText, widening, widening, (c, once, twice) => {
        const b = widen(c, once);
        const a = widen(b, twice);
        if (!coversText(a, b) || !coversText(b, c)) return;
        chains++;
        expect(coversText(a, c)).toBe(true);
      }),
      { numRuns: 5_000 },
    );
    expect(chains).toBeGreaterThan(1_000);
  });

  test('a narrower grant never passes for a wider one: what covers it covers all that it covers', () => {
    let cases = 0;
    fc.assert(
      fc.property(concretePermissionText, widening, permissionText, widening, (concrete, once, unrelated, twice) => {
        const narrow = widen(concrete, once);
        for (const wide of [unrelated, widen(narrow, twice)]) {
          if (!coversText(wide, narrow) || !coversText(narrow, concrete)) continue;
          cases++;
          expect(coversText(wide, concrete)).toBe(true);
        }
      }),
      { numRuns: 5_000 },
    );
    expect(cases).toBeGreaterThan(1_000);
  });

  test('two permissions that cover each other are one and the same: a narrower one never passes for the wider', () => {
    fc.assert(
      fc.property(permissionText, permissionText, (a, b) => {
        if (coversText(a, b) && coversText(b, a)) expect(a).toBe(b);
      }),
      { numRuns: 20_000 },
    );
  });

  test('whatever a grant adds below a resource never reaches the resource itself', () => {
    fc.assert(
      fc.property(permissionText, fc.constantFrom('x', '*', 'a*'), (text, last) => {
        expect(coversText(`${text}/${last}`, text)).toBe(false);
        expect(coversText(text, `${text}/${last}`)).toBe(true);
      }),
    );
  });

  test.each(['keyturn', 'keyturn-installation'])('%s is reached only by its own name', (reserved) => {
    fc.assert(
      fc.property(permissionText, fc.array(literalSegment, { maxLength: 3 }), (grant, below) => {
        const requirement = `read:${[reserved, ...below].join('/')}`;
        if (coversText(grant, requirement)) expect(parsePermission(grant).segments[0]).toBe(reserved);
      }),
      { numRuns: 5_000 },
    );
    for (let length = 0; length <= reserved.length; length++) {
      expect(coversText(`*:${reserved.slice(0, length)}*`, `read:${reserved}/x`)).toBe(false);
    }
    expect(coversText(`*:${reserved}`, `read:${reserved}/x`)).toBe(true);
  });

  test('the reserved names are ordinary ones further down', () => {
    expect(coversText('read:*/*', 'read:a/keyturn')).toBe(true);
  });
});

describe('permissionWithin', () => {
  test('never reaches outside the workspace', () => {
    fc.assert(
      fc.property(permissionText, literalSegment, (permission, workspace) => {
        expect(coversText(`*:workspace/${workspace}`, permissionWithin(permission, workspace))).toBe(true);
      }),
    );
  });

  test.each(['*', 'a*', '', 'a/b', '..\\', 'a b'])('refuses %j as workspace', (workspace) => {
    expect(() => permissionWithin('read:defect', workspace)).toThrow(
      expect.objectContaining({ rule: 'workspace_invalid' }),
    );
  });

  test('refuses a path that gets too long', () => {
    expect(() => permissionWithin('read:a/b/c/d/e/f/g', '1')).toThrow(
      expect.objectContaining({ rule: 'too_many_segments' }),
    );
  });
});
