import type { Knex } from 'knex';
import type { Page, PageRequest, Position } from '../../server/page.ts';

const MAX_COUNTED = 1_000;

export interface PageColumns {
  /** Unique, and the tie-breaker of every order: `api_keys.id`. */
  readonly id: string;
  /** Column of each sort; the id where the order is that of creation. */
  readonly sorts: Readonly<Record<string, string>>;
  /** Sorts by a column that is unique in the list: they need no tie-breaker, which the column's own index may not have. */
  readonly uniqueSorts?: readonly string[];
}

export interface Counted {
  readonly totalCount: number;
  readonly exceedsTotalCount: boolean;
}

/**
 * Reads one page of `query`, which has its conditions and joins and neither columns nor an order.
 *
 * NULL is below every value, as MySQL and SQLite both have it.
 *
 * @param maxCounted as far as is counted. Default 1,000.
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
  const count = await countUpTo(knex, query.clone().select(columns.id), maxCounted);
  // One more than asked for tells whether there is a next page.
  const range = { columns, request, select: [select], count: request.limit + 1 };
  const rows = await readInOrder<Row>(query, range);
  const shown = rows.slice(0, request.limit);
  const last = shown.at(-1);
  return {
    items: shown.map(toItem),
    next: rows.length > request.limit && last ? last.position : null,
    ...count,
  };
}

export type Positioned<Row> = Row & { readonly position: Position };

/**
 * The next `count` rows of `query` from a position on.
 *
 * Read piece by piece, each a range of the index that has the order: with an OR between them SQLite walks the index from its
 * beginning, and every page would take longer than the one before.
 *
 * @param below of the column that is sorted by, only rows without a value or with one below this
 */
export async function readInOrder<Row extends object>(
  query: Knex.QueryBuilder,
  {
    columns,
    request,
    select,
    count,
    below,
  }: {
    readonly columns: PageColumns;
    readonly request: Omit<PageRequest, 'limit'>;
    readonly select: readonly (string | Knex.Raw)[];
    readonly count: number;
    readonly below?: number | undefined;
  },
): Promise<Positioned<Row>[]> {
  const sorted = columns.sorts[request.sort];
  if (sorted === undefined) throw new RangeError(`no order ${request.sort}`);
  const isById = sorted === columns.id;
  const isUnique = isById || columns.uniqueSorts?.includes(request.sort) === true;
  const rows: Positioned<Row>[] = [];
  for (const take of piecesAfter(request, { sorted, id: columns.id, isUnique, below })) {
    const piece = query.clone().limit(count - rows.length);
    take(piece);
    piece.select(...select, { page_id: columns.id, page_value: sorted });
    const read = (await piece) as (Row & PositionRow)[];
    for (const row of read) rows.push({ ...row, position: { id: row.page_id, value: isById ? null : row.page_value } });
    if (rows.length >= count) break;
  }
  return rows;
}

interface PositionRow {
  readonly page_id: string;
  readonly page_value: string | number | null;
}

interface Order {
  readonly sorted: string;
  readonly id: string;
  /** No two rows have the same value. */
  readonly isUnique: boolean;
  readonly below: number | undefined;
}

/** What comes after a position, in order: the same value with a later id, later values, and NULL at its own end. */
function piecesAfter(
  { after, isDescending }: Pick<PageRequest, 'after' | 'isDescending'>,
  { sorted, id, isUnique, below }: Order,
): ((piece: Knex.QueryBuilder) => unknown)[] {
  const beyond = isDescending ? '<' : '>';
  const order = isDescending ? 'desc' : 'asc';
  const inOrder = (piece: Knex.QueryBuilder) =>
    piece.orderBy([{ column: sorted, order }, ...(isUnique ? [] : [{ column: id, order }])]);
  // By the id alone where the value is one: MariaDB would sort all that have none.
  const tiedTo = (value: string | number | null, piece: Knex.QueryBuilder) =>
    piece.where(sorted, value).orderBy(id, order);
  const withoutValue = (piece: Knex.QueryBuilder) => tiedTo(null, piece);
  const withValue = (piece: Knex.QueryBuilder) =>
    inOrder(below === undefined ? piece.whereNotNull(sorted) : piece.where(sorted, '<', below));

  if (after === null) {
    if (below === undefined) return [inOrder];
    return isDescending ? [withValue, withoutValue] : [withoutValue, withValue];
  }
  const later = (piece: Knex.QueryBuilder) => {
    inOrder(piece).where(sorted, beyond, sorted === id ? after.id : after.value);
    if (below !== undefined && !isDescending) piece.where(sorted, '<', below);
  };
  if (isUnique) return [later];
  const tied = (piece: Knex.QueryBuilder) => tiedTo(after.value, piece).where(id, beyond, after.id);
  if (after.value === null) return isDescending ? [tied] : [tied, withValue];
  return isDescending ? [tied, later, withoutValue] : [tied, later];
}

/** A count reads an index entry for each row: without a limit the list of a million keys takes a hundred times as long. */
export async function countUpTo(knex: Knex, ids: Knex.QueryBuilder, limit = MAX_COUNTED): Promise<Counted> {
  const counted = await knex
    .count({ count: '*' })
    .from(ids.limit(limit + 1).as('some'))
    .first();
  const count = Number(counted?.count);
  return { totalCount: Math.min(count, limit), exceedsTotalCount: count > limit };
}
