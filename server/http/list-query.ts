/** What every list of the management API takes and answers: `limit`, `cursor`, `sort`, `fields`, and its own filters. */
import { z } from 'zod';
import type { Page, PageRequest, Position } from '../page.ts';
import type { Answer } from './operation.ts';
import { Problem } from './problem.ts';

const MAX_LIMIT = 200;
const DEFAULT_LIMIT = 50;
const LIMIT_RULE = `must be a whole number from 1 to ${MAX_LIMIT}`;
const CURSOR_RULE = 'must be the next_cursor of an earlier answer, asked with the same sort';

const limit = z
  .string()
  .regex(/^\d{1,3}$/, LIMIT_RULE)
  .transform(Number)
  .pipe(z.number().min(1, LIMIT_RULE).max(MAX_LIMIT, LIMIT_RULE))
  .default(DEFAULT_LIMIT)
  .meta({
    description: 'Most objects in the answer',
    wire: { type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT },
  });

const positionSchema = z.tuple([z.string().max(64), z.union([z.string(), z.number(), z.null()]), z.string().max(64)]);

/** `fields=a,b`: which members of each object are wanted; all without it. */
export const fieldsParameter = z
  .string()
  .max(1000)
  .transform((text) => text.split(','))
  .optional()
  .meta({ description: 'Names of the members wanted, separated by commas' });

/**
 * The query of a list.
 *
 * @param sorts what it can be sorted by, the first by default; `-` before it turns the order round
 * @param filters further query parameters
 * @param defaultOrder default: the first sort
 */
export function listQuery<Sort extends string, Filters extends z.ZodRawShape>(
  sorts: readonly [Sort, ...Sort[]],
  filters: Filters,
  defaultOrder: Sort | `-${Sort}` = sorts[0],
) {
  const orders = sorts.flatMap((sort) => [sort, `-${sort}`] as const);
  const sort = z
    .enum(orders, `must be one of ${orders.join(', ')}`)
    // A text; zod's types can't tell that a generic one is no function.
    .default(defaultOrder as never)
    .meta({ description: 'Order of the list; - turns it round' });
  const cursor = z.string().max(1000, CURSOR_RULE).optional().meta({ description: 'next_cursor of the page before' });
  return z.strictObject({ limit, cursor, sort, fields: fieldsParameter, ...filters });
}

interface ListQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly sort: string;
  readonly fields?: readonly string[] | undefined;
}

/** @throws {Problem} validation_failed for a cursor that is not of this list and order */
export function toPageRequest<Sort extends string>(query: ListQuery & { readonly sort: Sort | `-${Sort}` }) {
  const isDescending = query.sort.startsWith('-');
  const sort = (isDescending ? query.sort.slice(1) : query.sort) as Sort;
  const after = query.cursor === undefined ? null : parseCursor(query.cursor, query.sort);
  return { limit: query.limit, sort, isDescending, after } satisfies PageRequest<Sort>;
}

function parseCursor(cursor: string, order: string): Position {
  try {
    const [cursorOrder, value, id] = positionSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    if (cursorOrder === order) return { value, id };
  } catch {
    // Not one of ours: answered below.
  }
  throw new Problem('validation_failed', `cursor ${CURSOR_RULE}`, {
    errors: [{ field: 'cursor', message: CURSOR_RULE }],
  });
}

/** `next_cursor` of a page that ends there. */
export const toCursor = ({ value, id }: Position, order: string): string =>
  Buffer.from(JSON.stringify([order, value, id])).toString('base64url');

/** @throws {Problem} validation_failed for a field that these objects don't have */
export function listAnswer<T>(page: Page<T>, query: ListQuery, toJson: (item: T) => object): Answer {
  return {
    status: 200,
    body: {
      data: page.items.map((item) => selectFields(toJson(item), query.fields)),
      next_cursor: page.next === null ? null : toCursor(page.next, query.sort),
      total_count: page.totalCount,
      exceeds_total_count: page.exceedsTotalCount,
    },
  };
}

/** The members of `fields`, in their own order; everything when it is absent. */
export function selectFields(json: object, fields: readonly string[] | undefined): object {
  if (fields === undefined) return json;
  const unknown = fields.filter((field) => !Object.hasOwn(json, field));
  if (unknown.length > 0) {
    const message = `knows no ${unknown.join(', ')}; there are ${Object.keys(json).join(', ')}`;
    throw new Problem('validation_failed', `fields ${message}`, { errors: [{ field: 'fields', message }] });
  }
  return Object.fromEntries(Object.entries(json).filter(([name]) => fields.includes(name)));
}

/** Schema of a list's answer, for its documentation and its tests. */
export function listSchema(item: z.ZodType) {
  return z.object({
    data: z.array(item).meta({ description: 'With `fields`, only the members that were asked for' }),
    next_cursor: z.string().nullable().meta({ description: 'Null on the last page' }),
    total_count: z.int().meta({ description: 'Counted up to 1,000' }),
    exceeds_total_count: z.boolean().meta({ description: 'There are more than total_count' }),
  });
}
