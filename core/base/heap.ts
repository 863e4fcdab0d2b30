/**
 * The `limit` smallest of the values that are offered, in a bounded binary heap whose root is the largest of them:
 * a value that is not among the smallest costs one comparison.
 */
export class SmallestHeap<Value> {
  readonly #limit: number;
  readonly #compare: (a: Value, b: Value) => number;
  readonly #values: Value[] = [];

  constructor(limit: number, compare: (a: Value, b: Value) => number) {
    this.#limit = limit;
    this.#compare = compare;
  }

  offer(value: Value): void {
    const values = this.#values;
    if (values.length < this.#limit) {
      values.push(value);
      this.#up(values.length - 1);
    } else if (values.length > 0 && this.#compare(value, values[0] as Value) < 0) {
      values[0] = value;
      this.#down(0);
    }
  }

  /** The values that were kept, ascending. */
  sorted(): Value[] {
    return this.#values.toSorted(this.#compare);
  }

  #up(start: number): void {
    const values = this.#values;
    for (let at = start; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (this.#compare(values[at] as Value, values[parent] as Value) <= 0) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #down(start: number): void {
    const values = this.#values;
    for (let at = start; ; ) {
      let largest = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < values.length && this.#compare(values[child] as Value, values[largest] as Value) > 0)
          largest = child;
      }
      if (largest === at) return;
      this.#swap(at, largest);
      at = largest;
    }
  }

  #swap(a: number, b: number): void {
    const values = this.#values;
    const held = values[a] as Value;
    values[a] = values[b] as Value;
    values[b] = held;
  }
}
