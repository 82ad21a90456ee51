import type { Knex } from 'knex';
import type { Page, PageRequest, Position } from '../../server/page.ts';

const MAX_COUNTED = 10_000;

interface PageColumns {
  /** Unique, and the tie-breaker of every order: `api_keys.id`. */
  readonly id: string;
  /** Column of each sort; the id where the order is that of creation. */
  readonly sorts: Readonly<Record<string, string>>;
}

/**
 * Reads one page of `query`, which has its conditions and joins and neither columns nor an order.
 *
 * NULL is below every value, as MySQL and SQLite both have it.
 *
 * @param maxCounted as far as is counted. Default 10,000.
 */
export async function readPage<Row extends object, T>(
  knex: Knex,
  query: Knex.QueryBuilder,
  {
    columns,
    request,
    select,
    toItem,
    maxCounted = MAX_COUNTED,
  }: {
    readonly columns: PageColumns;
    readonly request: PageRequest;
    /** Columns to read, such as `api_keys.*`. */
    readonly select: string;
    readonly toItem: (row: Row) => T;
    readonly maxCounted?: number;
  },
): Promise<Page<T>> {
  const sorted = columns.sorts[request.sort];
  if (sorted === undefined) throw new RangeError(`no order ${request.sort}`);
  const counted = await countUpTo(knex, query.clone().select(columns.id), maxCounted);
  const direction = request.isDescending ? 'desc' : 'asc';
  const rows = (await query
    .clone()
    .where((builder) => whereAfter(builder, { sorted, ...columns }, request))
    .orderBy(
      sorted === columns.id ? [{ column: columns.id, order: direction }] : orderOf(sorted, columns.id, direction),
    )
    // One more than asked for tells whether there is a next page.
    .limit(request.limit + 1)
    .select(select, { page_id: columns.id, page_value: sorted })) as (Row & PositionRow)[];
  const shown = rows.slice(0, request.limit);
  const last = shown.at(-1);
  return {
    items: shown.map(toItem),
    next: rows.length > request.limit && last ? positionOf(last, sorted === columns.id) : null,
    ...counted,
  };
}

interface PositionRow {
  readonly page_id: string;
  readonly page_value: string | number | null;
}

const orderOf = (sorted: string, id: string, order: 'asc' | 'desc') => [
  { column: sorted, order },
  { column: id, order },
];

function positionOf({ page_id: id, page_value: value }: PositionRow, isById: boolean): Position {
  return { id, value: isById ? null : value };
}

function whereAfter(
  builder: Knex.QueryBuilder,
  { sorted, id }: { readonly sorted: string; readonly id: string },
  { after, isDescending }: PageRequest,
): void {
  if (after === null) return;
  const beyond = isDescending ? '<' : '>';
  if (sorted === id) return void builder.where(id, beyond, after.id);
  // The same value, a later id.
  builder.where((tied) => tied.where(sorted, after.value).where(id, beyond, after.id));
  if (after.value !== null) {
    builder.orWhere(sorted, beyond, after.value);
    if (isDescending) builder.orWhereNull(sorted);
  } else if (!isDescending) builder.orWhereNotNull(sorted);
}

/** A count reads an index entry for each row: without a limit the list of a million keys takes a hundred times as long. */
export async function countUpTo(
  knex: Knex,
  ids: Knex.QueryBuilder,
  limit = MAX_COUNTED,
): Promise<{ readonly totalCount: number; readonly exceedsTotalCount: boolean }> {
  const counted = await knex
    .count({ count: '*' })
    .from(ids.limit(limit + 1).as('some'))
    .first();
  const count = Number(counted?.count);
  return { totalCount: Math.min(count, limit), exceedsTotalCount: count > limit };
}
