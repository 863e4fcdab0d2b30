import type { Timestamp } from '../time/timestamp.ts';

/** When rows of a segment ended: sparse, because most rows of most segments live. */
export class RowDeletes {
  readonly #ends = new Map<number, Timestamp>();

  get size(): number {
    return this.#ends.size;
  }

  /** Ends a row; the earliest end stays. Returns whether the row lived. */
  add(row: number, timestamp: Timestamp): boolean {
    const known = this.#ends.get(row);
    if (known !== undefined && known <= timestamp) return false;
    this.#ends.set(row, timestamp);
    return known === undefined;
  }

  get(row: number): Timestamp | undefined {
    return this.#ends.get(row);
  }

  entries(): IterableIterator<[number, Timestamp]> {
    return this.#ends.entries();
  }

  /** The bitmap of rows below `rows` that live at `timestamp` and, where a three-valued result is given, match. */
  allow(timestamp: Timestamp, rows: number, matches: Uint8Array | undefined): Uint8Array {
    const allow = new Uint8Array((rows + 7) >> 3);
    if (matches === undefined) {
      allow.fill(0xff);
      if ((rows & 7) !== 0) allow[rows >> 3] = (1 << (rows & 7)) - 1;
    } else {
      for (let row = 0; row < rows; row++) {
        if (matches[row] === 1) allow[row >> 3] = (allow[row >> 3] ?? 0) | (1 << (row & 7));
      }
    }
    for (const [row, end] of this.#ends) {
      if (end <= timestamp && row < rows) allow[row >> 3] = (allow[row >> 3] ?? 0) & ~(1 << (row & 7));
    }
    return allow;
  }
}
