import type { ApiClient } from './api-client.ts';

/** What the service gives at most in one answer. */
const PAGE_LIMIT = 200;

interface PageJson<T> {
  readonly data: readonly T[];
  readonly next_cursor: string | null;
}

export interface ReadList<T> {
  readonly items: readonly T[];
  /** There are more than were asked for. */
  readonly isCut: boolean;
}

/**
 * A list, page by page. A page may be short or empty and yet not be the last.
 *
 * @param query filters and sort; those that are undefined are not sent
 * @param most how many objects are wanted; Infinity: all
 */
export async function readList<T>(
  api: ApiClient,
  path: string,
  query: Readonly<Record<string, string | undefined>>,
  most: number,
): Promise<ReadList<T>> {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, value);
  const items: T[] = [];
  for (;;) {
    parameters.set('limit', String(Math.min(PAGE_LIMIT, most - items.length)));
    const { data, next_cursor } = await api.request<PageJson<T>>('GET', `${path}?${parameters}`);
    items.push(...data);
    if (next_cursor === null) return { items, isCut: false };
    if (items.length >= most) return { items, isCut: true };
    parameters.set('cursor', next_cursor);
  }
}
