import { assert } from '../core/base/assert.ts';
import { ElanusError } from '../core/base/error.ts';
import { TOP_K_MAX } from '../core/model/limits.ts';
import type { TopK, VectorRows } from '../core/vector/kernel.ts';
import type { IndexCursor, IndexSearch, IndexSpec, SavedIndex, SegmentIndex } from '../core/vector/segment-index.ts';
import { IvfAlive } from './ivf-alive.ts';
import { IvfBuild } from './ivf-build.ts';
import { IvfCursor } from './ivf-cursor.ts';
import { IvfHeader } from './ivf-exports.ts';
import { loadIvf, saveIvf } from './ivf-save.ts';
import { type IvfRequest, refineKOf, requestOf, searchIvf } from './ivf-search.ts';
import type { KernelMemory } from './memory.ts';

/**
 * IVF_FLAT, IVF_SQ8, IVF_PQ, IVF_RABITQ and SCANN in the kernel's memory: rows in lists around centroids, of which a
 * search reads the `nprobe` nearest; then the best `refineK` candidates are ranked by exact vectors.
 *
 * Bytes a vector, d dimensions, beside the exact vector (4 d, kept if `exact` is `memory`; IVF_FLAT has it in its
 * lists, and no other):
 *
 * | type       | bytes                                                 | 384-d |
 * | ---------- | ----------------------------------------------------- | ----- |
 * | IVF_FLAT   | 4 d + 4                                               | 1,540 |
 * | IVF_SQ8    | d rounded up to 4, + 12                               | 396   |
 * | IVF_PQ     | m (where it is not given d / 8, if 8 divides d), + 8  | 56    |
 * | IVF_RABITQ | d / 8 rounded up to 16, + 12                          | 60    |
 * | SCANN      | d / 4 in blocks of 32 rows, + 8                       | 104   |
 *
 * and each list takes d + 32 for its centroid and its place, codebooks 1024 d (IVF_PQ) or 64 d (SCANN) in all.
 *
 * - The first `build` trains on the rows that are there; it makes `nlist` lists (default: 4 times the square root of
 *   the rows), or one a row if there are fewer. Rows that come later go to the same centroids, until there are four
 *   times the rows: then, if exact vectors are in memory and there is room, lists are made again of all.
 * - While it is built, IVF_FLAT takes its vectors twice; the others beside their codes, whatever `exact` says.
 * - A row that is removed is left out at once; its place in its list is given back when the list changes, or when a
 *   build finds a quarter of the list removed. Exact vectors beside codes stay where they are.
 * - With a filter, lists beyond `nprobe` are searched until enough matches were seen; a thin filter's matches are all
 *   ranked. So `limit` hits come if there are so many matches, and recall holds.
 */
export class WasmIvf implements SegmentIndex {
  readonly spec: IndexSpec;
  readonly #memory: KernelMemory;
  readonly #header: IvfHeader;
  readonly #alive: IvfAlive;
  readonly #build: IvfBuild;
  readonly #cursors: Set<IvfCursor> = new Set();
  #bytes = 0;
  #isFree = false;

  /** An empty index of a type of this family. Throws `quota` if there is no room for its header. */
  constructor(memory: KernelMemory, spec: IndexSpec) {
    const before = memory.bytesUsed;
    this.spec = spec;
    this.#memory = memory;
    this.#header = new IvfHeader(memory, spec);
    this.#alive = new IvfAlive(memory, this.#header);
    this.#build = new IvfBuild(memory, this.#header, spec);
    this.#bytes = memory.bytesUsed - before;
  }

  /** What `save` gave. Throws `quota` or `corrupt`, and then nothing is left in memory. */
  static load(memory: KernelMemory, saved: SavedIndex): WasmIvf {
    const index = new WasmIvf(memory, saved.spec);
    try {
      index.#counted(() => loadIvf(memory, index.#parts(), saved));
      return index;
    } catch (error) {
      index.free();
      throw error;
    }
  }

  get size(): number {
    this.#assertOpen();
    return this.#header.get('size');
  }

  get pending(): number {
    this.#assertOpen();
    return this.#build.pending;
  }

  get removed(): number {
    this.#assertOpen();
    return this.#alive.removed;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isExact(): boolean {
    return this.spec.exact === 'memory' || this.spec.type === 'IVF_FLAT';
  }

  append(rows: VectorRows): void {
    this.#assertOpen();
    const rowBytes = 4 * this.spec.dimension;
    const count = rows.byteLength / rowBytes;
    assert(Number.isInteger(count), 'whole rows are appended');
    if (count === 0) return;
    this.#endCursors();
    const bytes = new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength);
    this.#counted(() => this.#append(bytes, count, rowBytes));
  }

  build(rows: number): number {
    this.#assertOpen();
    this.#endCursors();
    this.#counted(() => this.#build.build(rows));
    return this.#build.pending;
  }

  remove(rows: Uint32Array): void {
    this.#assertOpen();
    const { size } = this;
    for (const row of rows) assert(row < size, 'rows that exist are removed');
    this.#endCursors();
    this.#counted(() => this.#alive.remove(rows));
  }

  search(queries: Float32Array, search: IndexSearch): TopK {
    this.#assertSearch(queries, search);
    const request = requestOf(this.spec, search, this.#header.get('listCount'));
    return this.#search(queries, request, search.allow);
  }

  candidates(queries: Float32Array, search: IndexSearch): TopK {
    this.#assertSearch(queries, search);
    const limit = Math.min(TOP_K_MAX, Math.max(search.limit, refineKOf(this.spec, search)));
    const estimated = { ...search, limit, refineK: 0 };
    const request = requestOf(this.spec, estimated, this.#header.get('listCount'));
    return this.#search(queries, request, search.allow);
  }

  cursor(query: Float32Array, search: IndexSearch): IndexCursor {
    this.#assertSearch(query, search);
    const cursor = new IvfCursor(this.#memory, this.#header, {
      query,
      allow: search.allow,
      nprobe: requestOf(this.spec, search, this.#header.get('listCount')).nprobe,
      isExact: this.isExact,
      onFree: () => this.#cursors.delete(cursor),
    });
    this.#cursors.add(cursor);
    return cursor;
  }

  save({ exact = true }: { readonly exact?: boolean } = {}): SavedIndex {
    this.#assertOpen();
    assert(
      exact || (this.pending === 0 && this.spec.type !== 'IVF_FLAT'),
      'codes alone are saved when all rows have one',
    );
    const spec: IndexSpec = exact ? this.spec : { ...this.spec, exact: 'none' };
    return saveIvf(this.#memory, { ...this.#parts(), spec });
  }

  free(): void {
    if (this.#isFree) return;
    this.#endCursors();
    this.#header.exports.ivfFree(this.#header.address);
    this.#build.free();
    this.#alive.free();
    this.#memory.release(this.#header.address);
    this.#isFree = true;
    this.#bytes = 0;
  }

  #append(bytes: Uint8Array, count: number, rowBytes: number): void {
    const header = this.#header;
    const { exports, address } = header;
    const size = header.get('size');
    this.#alive.reserve(size + count);
    if (exports.ivfReserve(address, count) === 0) {
      throw this.#memory.quota(bytes.byteLength, `${count} more vectors of dimension ${this.spec.dimension}`);
    }
    const chunk = 2 ** exports.ivfRowShift(address);
    for (let at = 0; at < count; ) {
      const row = size + at;
      const fitting = Math.min(count - at, chunk - ((row - header.get('rowsFirst')) % chunk));
      const target = exports.ivfRowAddress(address, row) >>> 0;
      this.#memory.bytes.set(bytes.subarray(at * rowBytes, (at + fitting) * rowBytes), target);
      at += fitting;
    }
    if (this.spec.metric === 'COSINE') exports.ivfNormalize(address, size, size + count);
    header.set('size', size + count);
  }

  #search(queries: Float32Array, request: IvfRequest, allow: Uint8Array | undefined): TopK {
    const hasVectors = this.spec.exact === 'memory' && this.spec.type !== 'IVF_FLAT';
    return searchIvf(this.#memory, this.#header, { queries, request, allow, hasVectors });
  }

  #parts(): { spec: IndexSpec; header: IvfHeader; alive: IvfAlive; build: IvfBuild } {
    return { spec: this.spec, header: this.#header, alive: this.#alive, build: this.#build };
  }

  /** Runs what allocates, and keeps count of it, whether it succeeds or not. */
  #counted(run: () => void): void {
    const before = this.#memory.bytesUsed;
    try {
      run();
    } finally {
      this.#bytes += this.#memory.bytesUsed - before;
    }
  }

  #endCursors(): void {
    for (const cursor of this.#cursors) cursor.free();
  }

  #assertSearch(queries: Float32Array, { limit, allow, nprobe }: IndexSearch): void {
    this.#assertOpen();
    assert(queries.length % this.spec.dimension === 0, 'whole queries are searched');
    assert(Number.isInteger(limit) && limit >= 1 && limit <= TOP_K_MAX, 'a limit is in its range');
    assert(nprobe === undefined || nprobe >= 1, 'at least one list is searched');
    assert(allow === undefined || allow.byteLength * 8 >= this.size, 'a bitmap has a bit for each row');
  }

  #assertOpen(): void {
    if (!this.#isFree) return;
    throw new ElanusError('closed', 'This index was freed. Load it again.', { details: { reason: 'freed' } });
  }
}
