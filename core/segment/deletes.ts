import { BIGINT_BYTES, TABLE_ENTRY_BYTES } from '../base/footprint.ts';
import { TRUE } from '../query/truth.ts';
import { TIMESTAMP_ZERO, type Timestamp } from '../time/timestamp.ts';

/** When rows of a segment ended: sparse, because most rows of most segments live. */
export class RowDeletes {
  readonly #ends = new Map<number, Timestamp>();
  /** A bitmap of the rows that ended, and the newest end: most reads are newer than all of them. */
  #ended = new Uint8Array(0);
  #newest: Timestamp = TIMESTAMP_ZERO;

  get size(): number {
    return this.#ends.size;
  }

  /** About how many bytes of memory this takes. */
  get bytes(): number {
    return this.#ends.size * (TABLE_ENTRY_BYTES + BIGINT_BYTES) + this.#ended.byteLength;
  }

  /** Ends a row; the earliest end stays. Returns whether the row lived. */
  add(row: number, timestamp: Timestamp): boolean {
    const known = this.#ends.get(row);
    if (known !== undefined && known <= timestamp) return false;
    this.#ends.set(row, timestamp);
    if (timestamp > this.#newest) this.#newest = timestamp;
    this.#mark(row);
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
    const allow = matches === undefined ? allRows(rows) : trueRows(matches, rows);
    if (timestamp >= this.#newest) {
      const bytes = Math.min(allow.length, this.#ended.length);
      for (let at = 0; at < bytes; at++) allow[at] = (allow[at] ?? 0) & ~(this.#ended[at] ?? 0);
      return allow;
    }
    for (const [row, end] of this.#ends) {
      if (end <= timestamp && row < rows) allow[row >> 3] = (allow[row >> 3] ?? 0) & ~(1 << (row & 7));
    }
    return allow;
  }

  #mark(row: number): void {
    const at = row >> 3;
    if (at >= this.#ended.length) {
      const larger = new Uint8Array(Math.max(at + 1, 2 * this.#ended.length));
      larger.set(this.#ended);
      this.#ended = larger;
    }
    this.#ended[at] = (this.#ended[at] ?? 0) | (1 << (row & 7));
  }
}

function allRows(rows: number): Uint8Array {
  const bitmap = new Uint8Array((rows + 7) >> 3).fill(0xff);
  if ((rows & 7) !== 0) bitmap[rows >> 3] = (1 << (rows & 7)) - 1;
  return bitmap;
}

/** The rows of which a filter's three-valued result is true: neither false nor unknown. */
function trueRows(matches: Uint8Array, rows: number): Uint8Array {
  const bitmap = new Uint8Array((rows + 7) >> 3);
  for (let row = 0; row < rows; row++) {
    if (matches[row] === TRUE) bitmap[row >> 3] = (bitmap[row >> 3] ?? 0) | (1 << (row & 7));
  }
  return bitmap;
}
