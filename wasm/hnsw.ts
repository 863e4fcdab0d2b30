import { assert } from '../core/base/assert.ts';
import { ElanusError } from '../core/base/error.ts';
import type { TopK, VectorRows } from '../core/vector/kernel.ts';
import type {
  IndexCursor,
  IndexSearch,
  IndexSpec,
  IndexType,
  SavedIndex,
  SegmentIndex,
} from '../core/vector/segment-index.ts';
import { HnswCursor } from './hnsw-cursor.ts';
import { type HnswExports, hnswExports } from './hnsw-exports.ts';
import { effectiveSearch, type HnswSearch, METRIC_NUMBERS, searchHnsw } from './hnsw-search.ts';
import { restoreHnsw, saveHnsw, withoutExact } from './hnsw-sections.ts';
import type { KernelMemory } from './memory.ts';

/** Bits a dimension of the code that searches traverse; 0 for exact vectors. */
const CODE_BITS: Readonly<Partial<Record<IndexType, number>>> = { HNSW: 0, HNSW_SQ8: 8, HNSW_SQ4: 4, HNSW_RABITQ: 1 };

/**
 * HNSW, and HNSW on codes of 8 bits (SQ8), 4 (SQ4) or 1 (RaBitQ).
 *
 * Bytes a vector of d dimensions: codes d + 8, d/2 + 8 (d rounded up to 32) or d/8 + 8 (d rounded up to 128); links
 * 4 M + 2 up to 65,536 rows and 8 M + 4 beyond, and about 4 more for the upper levels; 4 d for the exact vector, where
 * it stays in memory. While a graph is built for the first time on anything but SQ8, d + 8 more for a draft of codes.
 *
 * `build` takes rows in one by one, in their order, on codes of 8 bits: which graph comes out depends on the rows, the
 * seed and the order alone. Rows that come after that are put in by what searches traverse, or by exact vectors.
 */
export class HnswIndex implements SegmentIndex {
  readonly spec: IndexSpec;
  readonly #memory: KernelMemory;
  readonly #exports: HnswExports;
  /** The address of the index; 0 once it is freed. */
  #address: number;
  #size = 0;
  #pending = 0;
  #removed = 0;
  #bytes = 0;
  /** Grows with every change, which ends the cursors that were open. */
  #version = 0;

  constructor(memory: KernelMemory, spec: IndexSpec) {
    this.spec = spec;
    this.#memory = memory;
    this.#exports = hnswExports(memory);
    const { dimension, metric, exact, M = 16, efConstruction = 200, seed } = spec;
    const bits = CODE_BITS[spec.type];
    const number = METRIC_NUMBERS[metric];
    assert(bits !== undefined && number !== undefined, 'an HNSW index has a code and a metric that are known');
    const before = memory.bytesUsed;
    const keepsExact = exact === 'memory' ? 1 : 0;
    this.#address =
      this.#exports.hnswCreate(dimension, number, bits, keepsExact, M, efConstruction, BigInt(seed)) >>> 0;
    if (this.#address === 0) throw memory.quota(16 * dimension, 'an index');
    this.#bytes = memory.bytesUsed - before;
  }

  /** What `save` gave. Throws `quota`, or `corrupt` if the parts disagree; then nothing is left in memory. */
  static load(memory: KernelMemory, saved: SavedIndex): HnswIndex {
    const index = new HnswIndex(memory, saved.spec);
    try {
      const before = memory.bytesUsed;
      const { size, pending, removed } = restoreHnsw(memory, index.#address, saved);
      index.#size = size;
      index.#pending = pending;
      index.#removed = removed;
      index.#bytes += memory.bytesUsed - before;
      return index;
    } catch (error) {
      index.free();
      throw error;
    }
  }

  get size(): number {
    return this.#size;
  }

  get pending(): number {
    return this.#pending;
  }

  get removed(): number {
    return this.#removed;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isExact(): boolean {
    return this.spec.exact === 'memory';
  }

  append(rows: VectorRows): void {
    const address = this.#open();
    const rowBytes = this.spec.dimension * Float32Array.BYTES_PER_ELEMENT;
    const count = rows.byteLength / rowBytes;
    assert(Number.isInteger(count), 'whole rows are appended');
    if (count === 0) return;
    this.#changing(() => {
      if (!this.#exports.hnswReserve(address, count)) {
        throw this.#memory.quota(count * rowBytes, `${count} more vectors of dimension ${this.spec.dimension}`);
      }
    });
    const bytes = new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength);
    for (let from = 0; from < count; ) {
      const start = this.#exports.hnswExactAt(address, this.#size + from) >>> 0;
      let to = from + 1;
      // Rows of one chunk follow each other.
      while (
        to < count &&
        this.#exports.hnswExactAt(address, this.#size + to) >>> 0 === start + (to - from) * rowBytes
      ) {
        to += 1;
      }
      this.#memory.bytes.set(bytes.subarray(from * rowBytes, to * rowBytes), start);
      from = to;
    }
    this.#exports.hnswAppend(address, count);
    this.#size += count;
    this.#pending += count;
  }

  build(rows: number): number {
    const address = this.#open();
    assert(Number.isInteger(rows) && rows >= 1, 'a step takes rows in');
    if (this.#pending === 0) return 0;
    this.#changing(() => {
      const left = this.#exports.hnswBuild(address, rows);
      if (left < 0) throw this.#memory.quota(rows * 4 * this.spec.dimension, `${rows} more rows of a graph`);
      this.#pending = left;
    });
    return this.#pending;
  }

  remove(rows: Uint32Array): void {
    const address = this.#open();
    if (rows.length === 0) return;
    for (const row of rows) assert(row < this.#size, 'rows that exist are removed');
    this.#version += 1;
    this.#reserveRemoved(address);
    for (const row of rows) this.#removed = this.#exports.hnswRemove(address, row);
  }

  search(queries: Float32Array, search: IndexSearch): TopK {
    return this.#search(queries, effectiveSearch(search, this.spec.type));
  }

  candidates(queries: Float32Array, search: IndexSearch): TopK {
    const { refineK, ef } = effectiveSearch(search, this.spec.type);
    return this.#search(queries, { limit: Math.max(search.limit, refineK), ef, refineK: 0, allow: search.allow });
  }

  cursor(query: Float32Array, search: IndexSearch): IndexCursor {
    const version = this.#version;
    const address = this.#open();
    const isCurrent = () => version === this.#version && this.#address !== 0;
    return new HnswCursor(this.#memory, this.spec, address, query, effectiveSearch(search, this.spec.type), {
      size: this.#size,
      removed: this.#removed,
      isCurrent,
    });
  }

  save({ exact = true }: { readonly exact?: boolean } = {}): SavedIndex {
    const address = this.#open();
    if (this.#removed > 0) this.#reserveRemoved(address);
    const saved = saveHnsw(this.#memory, address, this.spec);
    return exact ? saved : withoutExact(saved);
  }

  free(): void {
    if (this.#address !== 0) this.#exports.hnswFree(this.#address);
    this.#address = 0;
    this.#size = 0;
    this.#pending = 0;
    this.#removed = 0;
    this.#bytes = 0;
  }

  #search(queries: Float32Array, search: HnswSearch): TopK {
    const address = this.#open();
    assert(queries.length % this.spec.dimension === 0, 'whole queries are searched');
    return searchHnsw(this.#memory, address, this.spec, queries, search, { size: this.#size, removed: this.#removed });
  }

  #open(): number {
    if (this.#address === 0) {
      throw new ElanusError('closed', 'This index was freed. Load it again.', { details: { reason: 'freed' } });
    }
    return this.#address;
  }

  /** Makes the bitmap of removed rows reach over all rows: it is saved whole. */
  #reserveRemoved(address: number): void {
    this.#counted(() => {
      if (!this.#exports.hnswReserveRemoved(address)) throw this.#memory.quota(this.#size / 8, 'removals');
    });
  }

  #changing(change: () => void): void {
    this.#version += 1;
    this.#counted(change);
  }

  /** Runs what allocates or gives back memory, and counts it. */
  #counted(change: () => void): void {
    const before = this.#memory.bytesUsed;
    try {
      change();
    } finally {
      this.#bytes += this.#memory.bytesUsed - before;
    }
  }
}
