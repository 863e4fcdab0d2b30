// Kept in the published types: a project whose `lib` has no disposal compiles against them all the same.
/// <reference lib="esnext.disposable" preserve="true" />

import { ElanusError } from '../core/base/error.ts';
import { TOP_K_MAX } from '../core/model/limits.ts';
import type { TopK } from '../core/vector/kernel.ts';
import type { IndexCursor } from '../core/vector/segment-index.ts';
import type { IdArray } from './vector-index-ids.ts';
import { type RangeOptions, type RowOptions, whole } from './vector-index-options.ts';
import { type IndexParts, refineRows } from './vector-index-query.ts';
import { allowOf, candidateRows, indexSearchOf, resultOf, type SearchResult } from './vector-index-search.ts';

/** Rows that a cursor of the core is made for, and the first ones that a range search asks for. */
const BATCH_FIRST = 64;
const BATCH_MAX = 1024;

/**
 * The results of one query, a few at a time and without end: paging, grouping, filtering afterwards. No vector comes
 * twice. Any change of the index ends it; `free` gives its memory back before that.
 */
export class SearchCursor<Ids extends IdArray = Float64Array<ArrayBuffer>> {
  readonly #opened: () => IndexParts;
  readonly #query: Float32Array;
  readonly #refine: RowOptions<Ids>['refine'];
  readonly #changes: number;
  #cursor: IndexCursor | undefined;

  /** For `VectorIndex.cursor`; `query` is the cursor's own. */
  constructor(opened: () => IndexParts, query: Float32Array, options: RowOptions<Ids>) {
    const { index, ids, removed, changes } = opened();
    const allow = allowOf(options.filter, ids, removed, index.size);
    this.#opened = opened;
    this.#query = query;
    this.#refine = options.refineK === 0 ? undefined : options.refine;
    this.#changes = changes;
    this.#cursor = index.cursor(query, indexSearchOf(options, BATCH_FIRST, allow));
  }

  /**
   * The next hits, nearest first, at most `count` (1 to 16,384); fewer, or none, when there are no more. Of an
   * approximate index a later batch may hold one that is nearer than the last of an earlier one.
   *
   * Throws `closed` once the cursor or the index was freed, or the index has changed.
   */
  next(count: number): SearchResult<Ids> {
    whole('count', count, 1, TOP_K_MAX);
    return resultOf(this.rows(count), this.#opened().ids);
  }

  /** `next`, with row numbers. */
  rows(count: number): TopK {
    const parts = this.#opened();
    if (this.#cursor !== undefined && parts.changes !== this.#changes) this.free();
    if (this.#cursor === undefined) {
      throw new ElanusError(
        'closed',
        'The cursor was freed, or the index has changed since it was opened. Open another.',
      );
    }
    const found = this.#cursor.next(count);
    if (this.#refine === undefined) return found;
    return refineRows(parts, this.#query, candidateRows(found, 0), { limit: count, refine: this.#refine });
  }

  free(): void {
    this.#cursor?.free();
    this.#cursor = undefined;
  }

  [Symbol.dispose](): void {
    this.free();
  }
}

/**
 * All rows within the radius, nearest first, equal ones by ascending row. An approximate index gives its rows about in
 * order: the search ends with a batch in which none is within.
 */
export function findWithin<Ids extends IdArray>(
  opened: () => IndexParts,
  query: Float32Array,
  options: RangeOptions<Ids>,
): TopK {
  const { radius, limit = Number.POSITIVE_INFINITY } = options;
  const { metric, type } = opened().index.spec;
  const isLargerNearer = metric === 'IP' || metric === 'COSINE';
  const hits: { row: number; distance: number }[] = [];
  using cursor = new SearchCursor<Ids>(opened, query, options);
  for (let batch = BATCH_FIRST; ; batch = Math.min(2 * batch, BATCH_MAX)) {
    const found = cursor.rows(batch);
    const count = found.counts[0] as number;
    const before = hits.length;
    for (let at = 0; at < count; at++) {
      const distance = found.distances[at] as number;
      if (isLargerNearer ? distance >= radius : distance <= radius)
        hits.push({ row: found.rows[at] as number, distance });
    }
    const within = hits.length - before;
    if (within === 0 || count < batch || (within < count && type === 'FLAT') || hits.length >= limit) break;
  }
  const sign = isLargerNearer ? -1 : 1;
  // Infinities are equal to themselves, but their difference is no number.
  hits.sort((a, b) => (a.distance === b.distance ? a.row - b.row : sign * (a.distance < b.distance ? -1 : 1)));
  const taken = hits.slice(0, limit);
  return {
    limit: taken.length,
    counts: Uint32Array.of(taken.length),
    rows: Uint32Array.from(taken, ({ row }) => row),
    distances: Float32Array.from(taken, ({ distance }) => distance),
  };
}
