export interface RecentMapBounds<Value> {
  readonly maxEntries: number;
  /** In the unit of `weightOf`. Default: no bound. */
  readonly maxWeight?: number;
  /** What an entry counts; the same at each call. Default: nothing. */
  readonly weightOf?: (value: Value) => number;
}

/**
 * A map that keeps what was used last and never holds more than its bounds.
 *
 * Two generations of half the bounds each. What is used moves to the young one; when that is full it becomes the old one,
 * and what was old is gone. So at least the latest half stays, and a flood of keys that come once costs a few operations
 * each. A `Map` whose oldest entry is deleted for every new one would walk over all the holes that the deletions left.
 */
export class RecentMap<Value> {
  readonly #maxEntries: number;
  readonly #maxWeight: number;
  readonly #weightOf: (value: Value) => number;
  #young = new Map<string, Value>();
  #old = new Map<string, Value>();
  #youngWeight = 0;

  constructor({ maxEntries, maxWeight = Number.POSITIVE_INFINITY, weightOf = () => 0 }: RecentMapBounds<Value>) {
    this.#maxEntries = Math.floor(maxEntries / 2);
    this.#maxWeight = maxWeight / 2;
    this.#weightOf = weightOf;
  }

  get(key: string): Value | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.add(key, old);
    return old;
  }

  /** Of two values for one key the first stands. One that is heavier than half of all is not kept. */
  add(key: string, value: Value): void {
    const weight = this.#weightOf(value);
    if (weight > this.#maxWeight || this.#young.has(key)) return;
    if (this.#young.size >= this.#maxEntries || this.#youngWeight + weight > this.#maxWeight) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngWeight = 0;
    }
    this.#young.set(key, value);
    this.#youngWeight += weight;
  }
}
