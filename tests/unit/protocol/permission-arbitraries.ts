import fc from 'fast-check';

/** Few and overlapping words, so that unrelated permissions often do cover each other. */
const literals = ['a', 'ab', 'abc', 'b', 'keyturn', 'keyturn-installation', 'keyturnish'];
const patterns = ['*', 'a*', 'ab*', 'k*', 'keyturn*', 'keyturn-*'];

export const literalSegment = fc.constantFrom(...literals);
const segment = fc.constantFrom(...literals, ...patterns);
const action = fc.constantFrom('read', 'update');

export const permissionText = fc
  .tuple(fc.oneof(action, fc.constant('*')), fc.array(segment, { minLength: 1, maxLength: 4 }))
  .map(([verb, path]) => `${verb}:${path.join('/')}`);

/** Without any wildcard. */
export const concretePermissionText = fc
  .tuple(action, fc.array(literalSegment, { minLength: 1, maxLength: 5 }))
  .map(([verb, path]) => `${verb}:${path.join('/')}`);

/** How to make a permission wider: any action, fewer segments, `*` after the first characters of a segment. */
export interface Widening {
  readonly anyAction: boolean;
  readonly cut: number;
  readonly stars: readonly (number | null)[];
}

export const widening: fc.Arbitrary<Widening> = fc.record({
  anyAction: fc.boolean(),
  cut: fc.nat(2),
  stars: fc.array(fc.option(fc.nat(3)), { maxLength: 4 }),
});

/** Covers the permission it was made of, unless it would take a wildcard into a reserved namespace. */
export function widen(text: string, { anyAction, cut, stars }: Widening): string {
  const [verb, path = ''] = text.split(':');
  const segments = path.split('/');
  const kept = segments.slice(0, Math.max(1, segments.length - cut)).map((segment, place) => {
    const star = stars[place] ?? null;
    return star === null ? segment : `${segment.replace('*', '').slice(0, star)}*`;
  });
  return `${anyAction ? '*' : verb}:${kept.join('/')}`;
}
