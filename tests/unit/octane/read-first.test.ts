import { expect, test } from '@jest/globals';
import { readFirst } from '../../../server/http/operations/octane/octane-list.ts';
import type { Page, PageRequest } from '../../../server/page.ts';

/** A store's list of the numbers from 0 on; every page but the last is full. */
const listOf =
  (count: number) =>
  async ({ limit, after }: PageRequest): Promise<Page<number>> => {
    const start = after === null ? 0 : Number(after.id) + 1;
    const items = Array.from({ length: Math.min(limit, count - start) }, (_, index) => start + index);
    const last = start + items.length - 1;
    const next = last + 1 < count ? { value: null, id: String(last) } : null;
    return { items, next, totalCount: Math.min(count, 1_000), exceedsTotalCount: count > 1_000 };
  };

test.each([
  [0, 0, false],
  [1, 1, false],
  [200, 200, false],
  [201, 201, false],
  [1_000, 1_000, false],
  [1_001, 1_000, true],
  [5_000, 1_000, true],
])('of a list of %i the first %i are read; there are more: %s', async (count, expected, hasMore) => {
  const read = await readFirst(listOf(count));
  expect(read).toEqual({ items: Array.from({ length: expected }, (_, index) => index), hasMore });
});
