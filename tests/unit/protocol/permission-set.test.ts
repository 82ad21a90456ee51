import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { covers, InvalidPermission, PermissionSet, parsePermission } from '../../../lib/protocol/index.ts';
import { literalSegment, permissionText } from './permission-arbitraries.ts';

const permissionTexts = fc.array(permissionText, { maxLength: 6 });

function anyCovers(grants: readonly string[], requirement: string): boolean {
  return grants.some((grant) => covers(parsePermission(grant), parsePermission(requirement)));
}

test('keeps the permissions as given, each once, in order', () => {
  expect(PermissionSet.parse(['read:b', 'read:a', 'read:b']).permissions).toEqual(['read:b', 'read:a']);
});

test('refuses a member that is no permission', () => {
  expect(() => PermissionSet.parse(['read:a', 'read:'])).toThrow(InvalidPermission);
});

describe('can', () => {
  test('agrees with covers, grant by grant', () => {
    fc.assert(
      fc.property(permissionTexts, permissionText, (grants, requirement) => {
        expect(PermissionSet.parse(grants).can(requirement)).toBe(anyCovers(grants, requirement));
      }),
      { numRuns: 5_000 },
    );
  });

  test('agrees with covers among many grants that begin alike', () => {
    // Few words, so that grants share their first segments, prefixes of several lengths hold one another, and some reach Keyturn.
    const segment = fc.constantFrom('a', 'ab', 'abc', 'keyturn', 'a*', 'ab*', 'abc*', 'k*', '*');
    const text = fc
      .tuple(fc.constantFrom('read', 'update', '*'), fc.array(segment, { minLength: 1, maxLength: 5 }))
      .map(([action, segments]) => `${action}:${segments.join('/')}`);
    const outcomes = { covered: 0, uncovered: 0 };
    fc.assert(
      fc.property(
        fc.array(text, { maxLength: 60 }),
        fc.array(text, { minLength: 10, maxLength: 10 }),
        (grants, asked) => {
          const set = PermissionSet.parse(grants);
          for (const requirement of asked) {
            const isCovered = anyCovers(grants, requirement);
            outcomes[isCovered ? 'covered' : 'uncovered'] += 1;
            expect(set.can(requirement)).toBe(isCovered);
          }
        },
      ),
      { numRuns: 1_000 },
    );
    expect(Math.min(outcomes.covered, outcomes.uncovered)).toBeGreaterThan(1_000);
  });

  test('the empty set allows nothing', () => {
    expect(PermissionSet.parse([]).can('read:a')).toBe(false);
  });

  test('a malformed requirement throws, also for a set that holds everything', () => {
    const everything = PermissionSet.parse(['*:*']);
    for (const requirement of ['read:', 'read:a/', 'read:a/..\\x', `read:${'a'.repeat(100_000)}`]) {
      expect(() => everything.can(requirement)).toThrow(InvalidPermission);
    }
  });

  test('answers stay right while more requirements pass by than are remembered', () => {
    const set = PermissionSet.parse(['read:credential/1*']);
    for (let round = 0; round < 2; round++) {
      for (let id = 1; id <= 3_000; id++) {
        expect(set.can(`read:credential/${id}`)).toBe(String(id).startsWith('1'));
      }
    }
  });
});

test('uncovered names what no grant covers, in order', () => {
  const set = PermissionSet.parse(['read:credential', 'update:credential/prod-*']);
  expect(set.uncovered(['delete:x', 'read:credential/a', 'update:credential', 'update:credential/prod-eu-*'])).toEqual([
    'delete:x',
    'update:credential',
  ]);
  expect(() => set.uncovered(['read:'])).toThrow(InvalidPermission);
});

describe('narrow', () => {
  const set = PermissionSet.parse([
    'read:credential/prod-*',
    'read:credential/qa',
    '*:credential/shared',
    'read:*/any',
    'read:credential/deep/version',
    'update:credential/staging',
    'read:role',
  ]);

  test('gives the entities that may be listed', () => {
    const filter = set.narrow('read:credential');
    expect(filter.all).toBe(false);
    expect(filter.patterns).toEqual(['prod-*', 'qa', 'shared', 'any']);
    for (const id of ['prod-', 'prod-db', 'qa', 'shared', 'any']) expect(filter.includes(id)).toBe(true);
    for (const id of ['prod', 'qa2', 'deep', 'staging', '']) expect(filter.includes(id)).toBe(false);
  });

  test('an id that cannot be a segment is included only where all are', () => {
    const none = PermissionSet.parse(['read:credential/*']).narrow('read:credential');
    for (const id of ['a/b', 'a b', '*', 'prod-*', 'a\n', '', '\u0000', 'a'.repeat(100_000)]) {
      expect(none.includes(id)).toBe(false);
    }
    expect(none.includes('anything')).toBe(true);
    expect(PermissionSet.parse(['read:credential']).narrow('read:credential').includes('a b')).toBe(true);
  });

  test('a covered requirement means all', () => {
    expect(set.narrow('read:role')).toMatchObject({ all: true, patterns: [] });
  });

  test('nothing held means nothing listed', () => {
    const filter = PermissionSet.parse([]).narrow('read:credential');
    expect(filter).toMatchObject({ all: false, patterns: [] });
    expect(filter.includes('a')).toBe(false);
  });

  test('no wildcard lists what is Keyturn’s own', () => {
    expect(PermissionSet.parse(['*:*/*', '*:*']).narrow('read:keyturn')).toMatchObject({ all: false, patterns: [] });
  });

  test('agrees with can for each entity', () => {
    fc.assert(
      fc.property(permissionTexts, permissionText, literalSegment, (grants, requirement, id) => {
        const permissions = PermissionSet.parse(grants);
        expect(permissions.narrow(requirement).includes(id)).toBe(permissions.can(`${requirement}/${id}`));
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('intersect', () => {
  test('keeps the narrower of two', () => {
    const held = PermissionSet.parse(['read:credential', 'update:role/7']);
    const asked = PermissionSet.parse(['read:credential/prod-*', 'update:role', 'delete:x']);
    expect(held.intersect(asked).permissions).toEqual(['update:role/7', 'read:credential/prod-*']);
  });

  test('is covered by both sides, holds every member of either that both cover, and is symmetric', () => {
    fc.assert(
      fc.property(permissionTexts, permissionTexts, (left, right) => {
        const both = PermissionSet.parse(left).intersect(PermissionSet.parse(right));
        for (const member of both.permissions) {
          expect(anyCovers(left, member)).toBe(true);
          expect(anyCovers(right, member)).toBe(true);
        }
        for (const member of [...left, ...right]) {
          if (anyCovers(left, member) && anyCovers(right, member)) expect(both.permissions).toContain(member);
        }
        const mirrored = PermissionSet.parse(right).intersect(PermissionSet.parse(left));
        expect([...mirrored.permissions].sort()).toEqual([...both.permissions].sort());
      }),
      { numRuns: 3_000 },
    );
  });

  test('with nothing is nothing, with itself is itself', () => {
    fc.assert(
      fc.property(permissionTexts, (texts) => {
        const set = PermissionSet.parse(texts);
        expect(set.intersect(PermissionSet.parse([])).permissions).toEqual([]);
        expect(set.intersect(set).permissions).toEqual(set.permissions);
      }),
    );
  });
});
