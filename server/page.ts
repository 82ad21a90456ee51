/** One page of a list, continued by position and not by number, so that it stays right while rows come and go. */

/** Where a page ended: the sorted column's value there, and the id, which breaks ties. */
export interface Position {
  /** Null for a value that is absent, and where the id alone is the order. */
  readonly value: string | number | null;
  readonly id: string;
}

export interface PageRequest<Sort extends string = string> {
  /** 1 to 200. */
  readonly limit: number;
  readonly sort: Sort;
  readonly isDescending: boolean;
  /** Null: from the beginning. */
  readonly after: Position | null;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Null on the last page. */
  readonly next: Position | null;
  /** At most 1,000: what a list costs does not grow with the project. */
  readonly totalCount: number;
  /** There are more than `totalCount`. */
  readonly exceedsTotalCount: boolean;
}
