/**
 * A built HNSW graph as plain data: what an index hands to a file format, or takes from one. Rows are numbered from 0
 * in the order of insertion; a *list* is a count and then that many rows, in a fixed number of slots.
 *
 * Who makes one guarantees, and who takes one may rely on:
 *
 * - a count is at most `maxM0` on level 0 and `M` above; every neighbour is a row below `size`
 * - a neighbour on level L is itself on level L or above; lists may hold a row twice, or their own row
 * - slots after the count are 0
 * - `levels[entry]` is `maxLevel`, the largest of `levels`; both are -1 in an empty graph
 * - no two rows that are not deleted have the same label; among rows of one label, only the last may be not deleted
 * - the arrays have exactly the lengths given here, and belong to who takes the graph
 */
export interface HnswGraph {
  /** Components of a vector. */
  readonly dimension: number;
  /** Neighbours of a row on each level above 0, at most. At least 2. */
  readonly M: number;
  /** Neighbours of a row on level 0, at most. */
  readonly maxM0: number;
  /** Candidates that an insert looks at: what further inserts go on with. */
  readonly efConstruction: number;
  /** Rows, those that are marked deleted among them. */
  readonly size: number;
  /** The row where a search begins. */
  readonly entry: number;
  readonly maxLevel: number;
  /** The highest level of each row. */
  readonly levels: Uint8Array<ArrayBuffer>;
  /** Level 0: `size` lists of 1 + `maxM0` slots, by row. */
  readonly links0: Uint32Array<ArrayBuffer>;
  /**
   * The levels above: for each row of level 1 or more, ascending, its lists of level 1, 2 … up to its own, of 1 + `M`
   * slots each. As many lists as `levels` sums to.
   */
  readonly upper: Uint32Array<ArrayBuffer>;
  /** `size` × `dimension`, by row. For cosine they are normalised, as hnswlib's own users do. */
  readonly vectors: Float32Array<ArrayBuffer>;
  /** The caller's name of each row, unsigned. A `Float64Array` if every one is below 2^53. */
  readonly labels: Float64Array<ArrayBuffer> | BigUint64Array<ArrayBuffer>;
  /** Rows that are passed through and never returned, ascending. */
  readonly deleted: Uint32Array<ArrayBuffer>;
}
