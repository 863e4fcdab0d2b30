import { ElanusError } from '../core/base/error.ts';
import type { TopK } from '../core/vector/kernel.ts';
import type { SegmentIndex } from '../core/vector/segment-index.ts';
import { exactRanking } from './exact-ranking.ts';
import type { RowSet } from './row-set.ts';
import type { IdArray, RowIds } from './vector-index-ids.ts';
import type { AsyncSearchOptions, RowOptions, SearchOptions } from './vector-index-options.ts';
import { allowOf, candidateRows, checkRefined, indexSearchOf } from './vector-index-search.ts';
import type { VectorMemory } from './vector-memory.ts';

/** What a `VectorIndex` consists of. */
export interface IndexParts {
  readonly memory: VectorMemory;
  readonly index: SegmentIndex;
  readonly ids: RowIds;
  readonly removed: RowSet;
  /** Grows with every change: what was opened before one sees another index. */
  changes: number;
}

/** Hits of one call at most: their arrays take 16 bytes each. */
const HITS_MAX = 2 ** 26;

/** The nearest rows of each query, ranked by the caller's exact vectors if the options bring them. */
export function findRows<Ids extends IdArray>(
  parts: IndexParts,
  queries: Float32Array,
  options: SearchOptions<Ids>,
): TopK {
  const { index } = parts;
  const { limit, refine, refineK } = options;
  const count = queries.length / index.spec.dimension;
  if (count * limit > HITS_MAX) {
    throw new ElanusError(
      'invalid',
      `${count} queries with ${limit} hits each are too many for one call; ask in parts.`,
    );
  }
  const search = indexSearchOf(options, limit, allowOf(options.filter, parts.ids, parts.removed, index.size));
  if (refine === undefined || refineK === 0) return index.search(queries, search);
  const candidates = index.candidates(queries, search);
  if (count === 1) return refineRows(parts, queries, candidateRows(candidates, 0), { limit, refine });
  const merged: TopK = {
    limit,
    counts: new Uint32Array(count),
    rows: new Uint32Array(count * limit),
    distances: new Float32Array(count * limit),
  };
  for (let at = 0; at < count; at++) {
    const query = queries.subarray(at * index.spec.dimension, (at + 1) * index.spec.dimension);
    const ranked = refineRows(parts, query, candidateRows(candidates, at), { limit, refine });
    merged.counts[at] = ranked.counts[0] as number;
    merged.rows.set(ranked.rows, at * limit);
    merged.distances.set(ranked.distances, at * limit);
  }
  return merged;
}

/** The same for one query, with vectors that may come later; `opened` tells whether the index is still there then. */
export async function findRowsAsync<Ids extends IdArray>(
  opened: () => IndexParts,
  query: Float32Array,
  options: AsyncSearchOptions<Ids>,
): Promise<TopK> {
  const { index, ids, removed } = opened();
  const { limit, refine, refineK } = options;
  const search = indexSearchOf(options, limit, allowOf(options.filter, ids, removed, index.size));
  if (refine === undefined || refineK === 0) return index.search(query, search);
  const asked = query.slice();
  const rows = candidateRows(index.candidates(asked, search), 0);
  const candidates = ids.idsOf(rows) as Ids;
  const vectors = checkRefined(await refine(candidates), candidates, index.spec.dimension);
  const { memory } = opened();
  const ranked = exactRanking(memory.kernel, index.spec, {
    query: asked,
    rows,
    vectors,
    limit: Math.max(1, rows.length),
  });
  // Row numbers stay what they are, but some may have been removed while the vectors were on their way.
  return takeRows(ranked, limit, (row) => !removed.has(row));
}

/** These rows of one query, ascending, ranked by the caller's vectors: the nearest `limit`. */
export function refineRows<Ids extends IdArray>(
  { memory, index, ids }: IndexParts,
  query: Float32Array,
  rows: Uint32Array,
  { limit, refine }: { readonly limit: number; readonly refine: NonNullable<RowOptions<Ids>['refine']> },
): TopK {
  const candidates = ids.idsOf(rows) as Ids;
  const vectors = checkRefined(refine(candidates), candidates, index.spec.dimension);
  return exactRanking(memory.kernel, index.spec, { query, rows, vectors, limit });
}

/** The first `limit` rows of one query that are let through. */
function takeRows(found: TopK, limit: number, isTaken: (row: number, distance: number) => boolean): TopK {
  const rows = new Uint32Array(limit);
  const distances = new Float32Array(limit);
  let count = 0;
  for (let at = 0; at < (found.counts[0] as number) && count < limit; at++) {
    const row = found.rows[at] as number;
    const distance = found.distances[at] as number;
    if (!isTaken(row, distance)) continue;
    rows[count] = row;
    distances[count] = distance;
    count += 1;
  }
  return { limit, counts: Uint32Array.of(count), rows, distances };
}
