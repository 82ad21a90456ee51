/**
 * The numbered list of objects that were changed, which every instance follows so as to forget what it has cached of them.
 * A change gets the next number in the transaction that makes it, so numbers are in the order of commits and have no gaps:
 * who has seen a number has seen all before it. Methods answer or throw {@link DependencyUnavailable} within about a second.
 */
export interface ChangeStore {
  /** Number of the newest change; 0 before the first. */
  latest(): Promise<number>;
  /**
   * Ids of the objects whose changes are numbered `after` (excluded) to `upTo` (included). Null when they are more than can
   * be told, or not known any more: then everything may have changed.
   */
  changedObjects(after: number, upTo: number): Promise<readonly string[] | null>;
}
