/** Lists and objects as ALM Octane answers them. */
import { z } from 'zod';
import type { Page, PageRequest } from '../../../page.ts';
import { fieldsParameter, selectFields } from '../../list-query.ts';
import type { Answer } from '../../operation.ts';

export const tag = 'ALM Octane';

/** Its lists are not continued: whoever has more asks under `/v1`, or narrows the query. */
export const MAX_LISTED = 1_000;
const PAGE_LIMIT = 200;

export interface Listed<T> {
  readonly items: readonly T[];
  readonly hasMore: boolean;
}

/** The first {@link MAX_LISTED} of a list, in order of creation. */
export async function readFirst<T>(list: (page: PageRequest<'created_at'>) => Promise<Page<T>>): Promise<Listed<T>> {
  const items: T[] = [];
  let after: PageRequest['after'] = null;
  do {
    const page: Page<T> = await list({ limit: PAGE_LIMIT, sort: 'created_at', isDescending: false, after });
    items.push(...page.items);
    after = page.next;
  } while (after !== null && items.length < MAX_LISTED);
  return { items, hasMore: after !== null };
}

/** What stands in every object, whatever `fields` asks for. */
const ALWAYS = ['type', 'id'];

/** A query of nothing but `fields`, the names that `item` has: what it doesn't know is refused before anything is written. */
export function octaneFields(item: z.ZodObject) {
  const names = Object.keys(item.shape);
  const fields = fieldsParameter
    .refine((asked = []) => asked.every((name) => names.includes(name)), `must be of ${names.join(', ')}`)
    .meta({ description: `Names of the members wanted beside those that always stand there: ${names.join(', ')}` });
  return z.strictObject({ fields });
}

/** The members that `fields` asks for, and those that always stand there; all without it. */
export function selectOctaneFields(json: object, fields: readonly string[] | undefined, always = ALWAYS): object {
  return selectFields(json, fields && [...always, ...fields]);
}

/** @param status default 200 */
export function octaneListAnswer({ items, hasMore }: Listed<object>, status = 200): Answer {
  return { status, body: { total_count: items.length, data: items, exceeds_total_count: hasMore } };
}

export function octaneListSchema(item: z.ZodType) {
  return z.object({
    total_count: z.int().meta({ description: `How many there are in data, at most ${MAX_LISTED}` }),
    data: z
      .array(item)
      .meta({ description: 'With `fields`, only the members asked for and those that always stand there' }),
    exceeds_total_count: z.boolean().meta({ description: 'There are more' }),
  });
}

export const reference = <Type extends string>(type: Type) => z.object({ type: z.literal(type), id: z.string() });

/** Without the milliseconds, which its answers don't have. */
export const toOctaneTime = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().replace(/\.\d{3}Z$/, 'Z');
