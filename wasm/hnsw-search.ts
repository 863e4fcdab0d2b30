import { assert } from '../core/base/assert.ts';
import { TOP_K_MAX } from '../core/model/limits.ts';
import type { TopK } from '../core/vector/kernel.ts';
import type { IndexSearch, IndexSpec, IndexType } from '../core/vector/segment-index.ts';
import { hnswExports } from './hnsw-exports.ts';
import type { KernelMemory } from './memory.ts';

/** The module's numbers for the metrics. */
export const METRIC_NUMBERS: Readonly<Partial<Record<IndexSpec['metric'], number>>> = { L2: 0, IP: 1, COSINE: 2 };

const EF_DEFAULT = 64;
/** Candidates of each code that are ranked exactly, for `limit` 10 (measured to cost no recall against more of them). */
const REFINE_DEFAULT: Readonly<Partial<Record<IndexType, number>>> = { HNSW_SQ8: 20, HNSW_SQ4: 40, HNSW_RABITQ: 200 };

/** A search with every setting filled in. */
export interface HnswSearch {
  readonly limit: number;
  readonly ef: number;
  readonly refineK: number;
  readonly allow: Uint8Array | undefined;
}

/** What a search needs to know of an index. */
export interface HnswRows {
  readonly size: number;
  readonly removed: number;
}

/** Fills in what a search leaves open: `ef` is at least `limit`, and at least what is ranked exactly if that is asked. */
export function effectiveSearch(search: IndexSearch, type: IndexType): HnswSearch {
  const { limit, allow } = search;
  assert(Number.isInteger(limit) && limit >= 1 && limit <= TOP_K_MAX, 'a limit is in its range');
  const ef = Math.max(search.ef ?? EF_DEFAULT, limit, search.refineK ?? 0);
  const usual = Math.max(REFINE_DEFAULT[type] ?? 0, 2 * limit);
  const refineK = type === 'HNSW' ? 0 : Math.min(ef, search.refineK ?? usual);
  return { limit, ef, refineK, allow };
}

/** One block of the kernel's memory for one search, its parts at multiples of 16. */
export class Scratch {
  readonly #memory: KernelMemory;
  readonly #block: number;
  #next: number;

  constructor(memory: KernelMemory, parts: readonly number[]) {
    const bytes = parts.reduce((sum, part) => sum + roundUp(part), 0);
    const block = memory.tryAllocate(bytes);
    if (block === undefined) throw memory.quota(bytes, 'a search');
    this.#memory = memory;
    this.#block = block;
    this.#next = block;
  }

  /** The next part, of as many bytes as it was announced with. */
  take(bytes: number): number {
    const part = this.#next;
    this.#next += roundUp(bytes);
    return part;
  }

  free(): void {
    this.#memory.release(this.#block);
  }
}

/** Searches for all queries in one call into the kernel. */
export function searchHnsw(
  memory: KernelMemory,
  index: number,
  spec: IndexSpec,
  queries: Float32Array,
  search: HnswSearch,
  rows: HnswRows,
): TopK {
  const { dimension, metric } = spec;
  const { limit, refineK, allow } = search;
  const count = queries.length / dimension;
  const exports = hnswExports(memory);
  // Removed rows are dropped from the beam, so it is longer by about as many as there will be.
  const alive = Math.max(1, rows.size - rows.removed);
  const ef = rows.removed === 0 ? search.ef : Math.ceil(search.ef * Math.min(4, rows.size / alive));
  const stride = roundUp(dimension * 4);
  const bitmapBytes = allow === undefined ? 0 : exports.hnswBitmapBytes(index);
  const hitsBytes = roundUp(count * limit * 4);
  // One block for all that a search needs: nothing here makes garbage, since a small search takes few microseconds.
  const bitmap = count * stride;
  const beam = bitmap + roundUp(bitmapBytes);
  const heap = beam + roundUp(exports.hnswBeamBytes(ef));
  const found = heap + roundUp(memory.exports.heapBytes(limit));
  const bytes = found + 2 * hitsBytes + roundUp(count * 4);
  const block = memory.tryAllocate(bytes);
  if (block === undefined) throw memory.quota(bytes, 'a search');
  try {
    const at = block + found;
    copyQueries(memory, queries, dimension, block, stride);
    if (allow !== undefined) copyBitmap(memory, allow, rows.size, block + bitmap, bitmapBytes);
    const isDone = exports.hnswSearch(
      index,
      block,
      count,
      stride,
      limit,
      ef,
      refineK,
      allow === undefined ? 0 : block + bitmap,
      block + beam,
      block + heap,
      at,
      at + hitsBytes,
      at + 2 * hitsBytes,
    );
    if (isDone === 0) throw memory.quota(rows.size / 8, 'a search among removed rows');
    return readHits(memory, metric, limit, count, at, hitsBytes);
  } finally {
    memory.release(block);
  }
}

/** Hits up to which copying one by one is faster than making a view. */
const FEW_HITS = 256;

/** The hits that the module wrote: rows, scores and counts, `partBytes` apart. */
function readHits(
  memory: KernelMemory,
  metric: IndexSpec['metric'],
  limit: number,
  count: number,
  address: number,
  partBytes: number,
): TopK {
  const hits = count * limit;
  const rows = new Uint32Array(hits);
  const distances = new Float32Array(hits);
  const counts = new Uint32Array(count);
  const { allWords, values } = memory;
  const atRows = address / 4;
  const atScores = atRows + partBytes / 4;
  const atCounts = atScores + partBytes / 4;
  if (hits > FEW_HITS) {
    rows.set(allWords.subarray(atRows, atRows + hits));
    distances.set(values.subarray(atScores, atScores + hits));
  } else {
    for (let at = 0; at < hits; at++) {
      rows[at] = allWords[atRows + at] as number;
      distances[at] = values[atScores + at] as number;
    }
  }
  for (let query = 0; query < count; query++) counts[query] = allWords[atCounts + query] as number;
  toDistances(metric, distances);
  return { limit, counts, rows, distances };
}

/** Copies queries to `target`, each padded with zeros to `stride` bytes. */
export function copyQueries(
  memory: KernelMemory,
  queries: Float32Array,
  dimension: number,
  target: number,
  stride: number,
): void {
  const { values } = memory;
  const width = stride / 4;
  let at = target / 4;
  for (let from = 0; from < queries.length; from += dimension, at += width) {
    values.set(queries.length === dimension ? queries : queries.subarray(from, from + dimension), at);
    for (let pad = dimension; pad < width; pad++) values[at + pad] = 0;
  }
}

/** Copies a bitmap of `size` rows, zeros behind it. */
export function copyBitmap(memory: KernelMemory, allow: Uint8Array, size: number, target: number, bytes: number): void {
  assert(allow.byteLength * 8 >= size, 'a bitmap has a bit for each row');
  const used = Math.ceil(size / 8);
  memory.bytes.set(allow.subarray(0, used), target);
  memory.bytes.fill(0, target + used, target + bytes);
}

/** Turns scores into distances in the metric's own values; those of a cosine are held within its range. */
export function toDistances(metric: IndexSpec['metric'], scores: Float32Array): void {
  for (let at = 0; at < scores.length; at++) {
    const score = scores[at] as number;
    if (metric === 'L2') scores[at] = Math.max(0, score);
    else scores[at] = metric === 'COSINE' ? Math.max(-1, Math.min(1, 0 - score)) : 0 - score;
  }
}

export function roundUp(bytes: number): number {
  return (bytes + 15) & ~15;
}
