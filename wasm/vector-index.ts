// Kept in the published types: a project whose `lib` has no disposal compiles against them all the same.
/// <reference lib="esnext.disposable" preserve="true" />

import { ElanusError } from '../core/base/error.ts';
import { decodeIndexFile, encodeIndexFile } from '../core/vector/index-file.ts';
import type { IndexSpec, SavedIndex, SegmentIndex } from '../core/vector/segment-index.ts';
import { foldedCrc32c } from './checksum.ts';
import { createSegmentIndex, loadSegmentIndex } from './index-types.ts';
import { RowSet } from './row-set.ts';
import { type BuildOptions, buildInSlices } from './vector-index-build.ts';
import { findWithin, SearchCursor } from './vector-index-cursor.ts';
import {
  type FromHnswlibOptions,
  hnswlibOfParts,
  partsOfHnswlib,
  type ToHnswlibOptions,
} from './vector-index-hnswlib.ts';
import { type IdArray, RowIds } from './vector-index-ids.ts';
import {
  type AsyncSearchOptions,
  checkCursor,
  checkMemoryOptions,
  checkRange,
  checkSavedSpec,
  checkSearch,
  type IdOf,
  type IdsIn,
  type RangeOptions,
  type RowOptions,
  SEARCHED_EXACTLY,
  type SearchOptions,
  specOf,
  type VectorIndexOptions,
} from './vector-index-options.ts';
import { findRows, findRowsAsync, type IndexParts } from './vector-index-query.ts';
import {
  manyOf,
  queryOf,
  resultOf,
  rowsOf,
  type SearchManyResult,
  type SearchResult,
  type VectorIn,
  type VectorsIn,
  valuesOf,
} from './vector-index-search.ts';
import { VectorMemory, type VectorMemoryOptions } from './vector-memory.ts';
import { type WorkerIndexOptions, WorkerVectorIndex } from './worker-vector-index.ts';

export interface SaveOptions {
  /** Whether exact vectors are saved too. Default: true. */
  readonly exact?: boolean;
}

/** The section of a saved index that says which of its vectors are removed. */
const REMOVED_SECTION = 'removed-ids';

/**
 * Vectors and an index over them, in the memory of the WASM core: find the nearest ones of a query.
 *
 * - What `add` brings is found at once: exactly until `build` has taken it in, by the index's type from then on.
 * - Everything is synchronous but `create`, `load`, `build` and what says so.
 * - Input is checked before anything changes: a call that throws has done nothing.
 * - `quota` is thrown before the budget would be passed; the index goes on working.
 * - The same calls with the same seed give the same index, byte for byte, on every machine, and from both builds of the
 *   core; but for the type `HNSW`, whose float32 distances may differ in the last bits.
 *
 * @typeParam Ids `BigUint64Array` for an index whose ids are added so; numbers otherwise.
 */
export class VectorIndex<Ids extends IdArray = Float64Array<ArrayBuffer>> {
  #parts: IndexParts | undefined;

  private constructor(parts: IndexParts) {
    this.#parts = parts;
  }

  /**
   * A new, empty index. Rejects with `invalid` for options that are wrong, unknown or do not fit together, `unsupported`
   * for what is not there yet, `unavailable` if the WASM core cannot be loaded.
   */
  static async create<Ids extends IdArray = Float64Array<ArrayBuffer>>(
    options: VectorIndexOptions,
  ): Promise<VectorIndex<Ids>> {
    const spec = specOf(options);
    const memory = await memoryOf(options);
    return new VectorIndex<Ids>({
      memory,
      index: createSegmentIndex(memory.kernel, spec),
      ids: new RowIds(),
      removed: new RowSet(),
      changes: 0,
    });
  }

  /**
   * The index that `save` gave the bytes of, wherever that was: nothing is built or parsed, its parts are checked and
   * copied. `bytes` can be dropped afterwards.
   *
   * Rejects with `invalid` for other bytes, `corrupt` for damaged ones, `unsupported` for those of a newer format,
   * `quota` if there is no room.
   */
  static async load<Ids extends IdArray = Float64Array<ArrayBuffer>>(
    bytes: Uint8Array,
    options: Pick<VectorIndexOptions, keyof VectorMemoryOptions | 'memory'> = {},
  ): Promise<VectorIndex<Ids>> {
    checkMemoryOptions(options, 'VectorIndex.load');
    if (!(bytes instanceof Uint8Array)) throw new ElanusError('invalid', 'VectorIndex.load takes a Uint8Array.');
    const memory = await memoryOf(options);
    memory.reserve(bytes.byteLength);
    const saved = decodeIndexFile(bytes, (part) => foldedCrc32c(memory.kernel, part));
    checkSavedSpec(saved.spec);
    const index = loadSegmentIndex(memory.kernel, saved);
    try {
      const removed = new RowSet();
      const section = saved.sections.find(({ name }) => name === REMOVED_SECTION);
      if (section !== undefined) removed.load(section.bytes, index.size);
      return new VectorIndex<Ids>({ memory, index, ids: RowIds.load(saved, index.size), removed, changes: 0 });
    } catch (error) {
      index.free();
      throw error;
    }
  }

  /**
   * An index of an HNSW type from the single file that hnswlib's `saveIndex` (`save_index` in Python) writes, in the layout
   * of a 64-bit machine or of hnswlib-wasm: which one is told by its header. The graph is taken as it is, labels become
   * ids (`BigUint64Array` if one is 2^53 or more), deleted elements stay removed, and the index can be added to.
   *
   * Rejects with `invalid` for other files, another dimension, or values that are not finite; `corrupt`, naming element
   * and level, for a damaged file; `unsupported` for an M above 128; `quota` if there is no room.
   */
  static async fromHnswlib<Ids extends IdArray = Float64Array<ArrayBuffer>>(
    bytes: Uint8Array,
    options: FromHnswlibOptions,
  ): Promise<VectorIndex<Ids>> {
    const { saved, ids, removed } = partsOfHnswlib(bytes, options);
    const memory = await memoryOf(options);
    return new VectorIndex<Ids>({ memory, index: loadSegmentIndex(memory.kernel, saved), ids, removed, changes: 0 });
  }

  /**
   * A new, empty index in a worker of its own, with the same calls, each of which gives a promise: nothing blocks the
   * page. The worker's script is `vector-worker.js` of this package, which bundlers find; `workerUrl` says otherwise.
   */
  static createInWorker<Ids extends IdArray = Float64Array<ArrayBuffer>>(
    options: WorkerIndexOptions,
  ): Promise<WorkerVectorIndex<Ids>> {
    return WorkerVectorIndex.create<Ids>(options);
  }

  /** `load` into a worker of its own. */
  static loadInWorker<Ids extends IdArray = Float64Array<ArrayBuffer>>(
    bytes: Uint8Array,
    options: Pick<WorkerIndexOptions, 'module' | 'wasmUrl' | 'maxBytes' | 'workerUrl'> = {},
  ): Promise<WorkerVectorIndex<Ids>> {
    return WorkerVectorIndex.load<Ids>(bytes, options);
  }

  /** `fromHnswlib` into a worker of its own. */
  static fromHnswlibInWorker<Ids extends IdArray = Float64Array<ArrayBuffer>>(
    bytes: Uint8Array,
    options: Omit<FromHnswlibOptions, 'memory'> & Pick<WorkerIndexOptions, 'workerUrl'>,
  ): Promise<WorkerVectorIndex<Ids>> {
    return WorkerVectorIndex.fromHnswlib<Ids>(bytes, options);
  }

  /** What the index is, defaults filled in. */
  get spec(): IndexSpec {
    return this.#open().index.spec;
  }

  /** Vectors that can be found: removed and replaced ones do not count. */
  get size(): number {
    const { index, removed } = this.#open();
    return index.size - removed.size;
  }

  /** Vectors that `build` has not yet taken in. */
  get pending(): number {
    return this.#open().index.pending;
  }

  /** Bytes of memory: codes, graph or lists, vectors, ids. What `free` gives back. */
  get bytes(): number {
    const { index, ids, removed } = this.#open();
    return index.bytes + ids.bytes + removed.bytes;
  }

  /**
   * Adds vectors: one after another in one array, or one by one. Without `ids` they are numbered 0, 1, 2 … in the order
   * in which they come; otherwise every vector of the index has an id of its own, and one whose id is there already
   * replaces the vector that had it.
   *
   * Throws `invalid` for vectors of another length, values that are not finite, ids that are none; `quota`.
   */
  add(vectors: VectorsIn, ids?: IdsIn<Ids>): void {
    const parts = this.#open();
    const { rows, count } = rowsOf(vectors, parts.index.spec, 'vectors');
    parts.ids.check(ids, count);
    if (count === 0) return;
    parts.memory.reserve(rows.byteLength);
    parts.index.append(rows);
    parts.changes += 1;
    remove(parts, parts.ids.append(ids, count));
  }

  /** Removes the vectors of these ids, and says how many there were: an unknown id, or a removed one, is none. */
  remove(ids: IdsIn<Ids> | ReadonlySet<IdOf<Ids>>): number {
    const parts = this.#open();
    const rows: number[] = [];
    for (const id of ids as Iterable<number | bigint>) {
      const row = parts.ids.rowOf(id);
      if (row !== undefined) rows.push(row);
    }
    return remove(parts, rows);
  }

  /**
   * Takes in what `add` brought, in slices between which everything else has its turn: the index can be searched, saved
   * and added to meanwhile. Rejects with `aborted` (an `AbortError`) when it is stopped: call it again, and it goes on.
   */
  build(options?: BuildOptions): Promise<void> {
    return buildInSlices(() => {
      const parts = this.#open();
      if (parts.index.pending > 0) parts.changes += 1;
      return parts.index;
    }, options);
  }

  /** The nearest vectors of a query. */
  search(query: VectorIn, options: SearchOptions<Ids>): SearchResult<Ids> {
    const parts = this.#open();
    checkSearch(options);
    return resultOf(findRows(parts, queryOf(query, parts.index.spec), options), parts.ids);
  }

  /** The nearest vectors of many queries, which lie one after another: one call into the core for all. */
  searchMany(queries: Float32Array, options: SearchOptions<Ids>): SearchManyResult<Ids> {
    const parts = this.#open();
    checkSearch(options);
    return manyOf(findRows(parts, valuesOf(queries, parts.index.spec.dimension, 'queries'), options), parts.ids);
  }

  /**
   * The nearest vectors of a query, ranked by exact ones that are read from elsewhere: `refine` may give a promise.
   * Vectors that are removed meanwhile are left out.
   */
  async searchAsync(query: VectorIn, options: AsyncSearchOptions<Ids>): Promise<SearchResult<Ids>> {
    const { index, ids } = this.#open();
    checkSearch(options);
    return resultOf(await findRowsAsync(() => this.#open(), queryOf(query, index.spec), options), ids);
  }

  /** All vectors within a distance of the query, nearest first. */
  searchRange(query: VectorIn, options: RangeOptions<Ids>): SearchResult<Ids> {
    const { index, ids } = this.#open();
    checkRange(options);
    return resultOf(
      findWithin(() => this.#open(), queryOf(query, index.spec), options),
      ids,
    );
  }

  /** The nearest vectors of a query, a few at a time: what comes next is found without starting again. */
  cursor(query: VectorIn, options: RowOptions<Ids> = {}): SearchCursor<Ids> {
    const { index } = this.#open();
    checkCursor(options);
    return new SearchCursor<Ids>(() => this.#open(), queryOf(query, index.spec).slice(), options);
  }

  /**
   * All of it as one blob, at any moment: what `load` opens, here or elsewhere. With `exact: false` the exact vectors of
   * an index with codes stay out: what is loaded then has `exact: 'none'`.
   */
  save(options: SaveOptions = {}): Uint8Array<ArrayBuffer> {
    const { memory, index, ids, removed } = this.#open();
    const saved = options.exact === false ? withoutExact(index) : index.save();
    const own = removed.size === 0 ? [] : [removed.section(REMOVED_SECTION, index.size)];
    return encodeIndexFile(
      {
        spec: saved.spec,
        state: { ...saved.state, ...ids.state },
        sections: [...saved.sections, ...ids.sections(), ...own],
      },
      (part) => foldedCrc32c(memory.kernel, part),
    );
  }

  /**
   * The graph and its vectors as the single file that hnswlib's `loadIndex` (`load_index` in Python) reads. Ids become
   * labels; removed vectors are marked deleted. For COSINE the vectors are normalised: load the file with space
   * `cosine`, or `ip` and normalised queries.
   *
   * Throws `invalid` if the index has no graph, no exact vectors, or vectors that wait for `build`; for negative ids,
   * and, in 32 bits, for ids of 2^32 or more.
   */
  toHnswlib(options: ToHnswlibOptions): Uint8Array<ArrayBuffer> {
    return hnswlibOfParts(this.#open(), options);
  }

  /** Gives the memory back. Every other call throws `closed` from then on; a second `free` does no harm. */
  free(): void {
    this.#parts?.index.free();
    this.#parts = undefined;
  }

  [Symbol.dispose](): void {
    this.free();
  }

  #open(): IndexParts {
    if (this.#parts === undefined) {
      throw new ElanusError('closed', 'The index was freed. Load or build it again.', { details: { reason: 'freed' } });
    }
    return this.#parts;
  }
}

async function memoryOf(
  options: Pick<VectorIndexOptions, 'memory' | keyof VectorMemoryOptions>,
): Promise<VectorMemory> {
  const { memory, maxBytes, module, wasmUrl } = options;
  if (memory === undefined) return await VectorMemory.create(options);
  if (memory instanceof VectorMemory && (maxBytes ?? module ?? wasmUrl) === undefined) return memory;
  throw new ElanusError('invalid', 'memory is a VectorMemory, which has its own module and maxBytes: give it alone.', {
    details: { option: 'memory' },
  });
}

function remove({ index, removed }: IndexParts, rows: readonly number[]): number {
  const live = rows.filter((row) => removed.add(row));
  if (live.length > 0) index.remove(Uint32Array.from(live));
  return live.length;
}

/** What is saved, but for the exact vectors. */
function withoutExact(index: SegmentIndex): SavedIndex {
  const { type } = index.spec;
  if (SEARCHED_EXACTLY.includes(type)) {
    throw new ElanusError('invalid', `${type} searches exact vectors: without them nothing is left. Save it whole.`);
  }
  if (index.pending > 0) {
    throw new ElanusError(
      'invalid',
      `${index.pending} vectors have no codes yet. Call build before saving codes alone.`,
    );
  }
  return index.save({ exact: false });
}
