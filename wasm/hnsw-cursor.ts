import { ElanusError } from '../core/base/error.ts';
import type { TopK } from '../core/vector/kernel.ts';
import type { IndexCursor, IndexSpec } from '../core/vector/segment-index.ts';
import { type HnswExports, hnswExports } from './hnsw-exports.ts';
import {
  copyBitmap,
  copyQueries,
  type HnswRows,
  type HnswSearch,
  roundUp,
  Scratch,
  toDistances,
} from './hnsw-search.ts';
import type { KernelMemory } from './memory.ts';

interface CursorRows extends HnswRows {
  /** Whether the index is still what it was when the cursor was opened. */
  readonly isCurrent: () => boolean;
}

/**
 * The next results of one query of an HNSW index. A page is sorted, and made of the nearest that were met so far: with
 * codes, or a small `ef`, a row of a later page may be a little nearer than the last of the page before.
 */
export class HnswCursor implements IndexCursor {
  readonly #memory: KernelMemory;
  readonly #exports: HnswExports;
  readonly #spec: IndexSpec;
  readonly #search: HnswSearch;
  readonly #isCurrent: () => boolean;
  /** The bitmap of rows that may be found, which the cursor goes on reading; 0 without one. */
  #bitmap = 0;
  #address: number;

  constructor(
    memory: KernelMemory,
    spec: IndexSpec,
    index: number,
    query: Float32Array,
    search: HnswSearch,
    rows: CursorRows,
  ) {
    this.#memory = memory;
    this.#exports = hnswExports(memory);
    this.#spec = spec;
    this.#search = search;
    this.#isCurrent = rows.isCurrent;
    if (search.allow !== undefined || rows.removed > 0) {
      const bytes = this.#exports.hnswBitmapBytes(index);
      const bitmap = memory.tryAllocate(bytes);
      if (bitmap === undefined) throw memory.quota(bytes, 'a cursor');
      this.#bitmap = bitmap;
      const allow = search.allow ?? new Uint8Array(Math.ceil(rows.size / 8)).fill(255);
      copyBitmap(memory, allow, rows.size, bitmap, bytes);
    }
    const stride = roundUp(spec.dimension * 4);
    const address = memory.tryAllocate(stride);
    this.#address = 0;
    if (address !== undefined) {
      copyQueries(memory, query, spec.dimension, address, stride);
      this.#address = this.#exports.hnswOpenCursor(index, address, this.#bitmap) >>> 0;
      memory.release(address);
    }
    if (this.#address === 0) {
      this.free();
      throw memory.quota(stride + rows.size / 8, 'a cursor');
    }
  }

  next(count: number): TopK {
    if (this.#address === 0) throw new ElanusError('closed', 'This cursor was freed. Open another one.');
    if (!this.#isCurrent()) {
      this.free();
      throw new ElanusError('closed', 'The index has changed since this cursor was opened. Open another one.');
    }
    const { ef, refineK } = this.#search;
    const capacity = Math.max(ef, count, refineK);
    const parts = [this.#exports.hnswBeamBytes(capacity), this.#memory.exports.heapBytes(count), count * 4, count * 4];
    const scratch = new Scratch(this.#memory, parts);
    try {
      const [beam, heap, rows, scores] = parts.map((part) => scratch.take(part)) as [number, number, number, number];
      const found = this.#exports.hnswNext(this.#address, count, capacity, refineK, beam, heap, rows, scores);
      if (found < 0) {
        this.free();
        throw this.#memory.quota(count * 8, 'the next results of a cursor');
      }
      const hits: TopK = {
        limit: count,
        counts: Uint32Array.of(found),
        rows: new Uint32Array(count),
        distances: new Float32Array(count),
      };
      hits.rows.set(this.#memory.words(rows, found));
      hits.distances.set(this.#memory.floats(scores, found));
      toDistances(this.#spec.metric, hits.distances.subarray(0, found));
      return hits;
    } finally {
      scratch.free();
    }
  }

  free(): void {
    // An index that was freed took nothing of a cursor's memory with it.
    if (this.#address !== 0) this.#exports.hnswCloseCursor(this.#address);
    if (this.#bitmap !== 0) this.#memory.release(this.#bitmap);
    this.#address = 0;
    this.#bitmap = 0;
  }
}
