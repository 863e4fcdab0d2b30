import { transfer } from 'comlink';
import { ElanusError } from '../core/base/error.ts';
import type { IndexSpec } from '../core/vector/segment-index.ts';
import { type SaveOptions, VectorIndex } from './vector-index.ts';
import type { SearchCursor } from './vector-index-cursor.ts';
import type { FromHnswlibOptions, ToHnswlibOptions } from './vector-index-hnswlib.ts';
import type { IdArray } from './vector-index-ids.ts';
import type {
  AsyncSearchOptions,
  RangeOptions,
  RowOptions,
  SearchOptions,
  VectorIndexOptions,
} from './vector-index-options.ts';
import type { SearchManyResult, SearchResult } from './vector-index-search.ts';

/** Any index: ids cross as they are. */
type AnyIndex = VectorIndex<IdArray>;
/** What a search may say across threads: vectors are asked for by a second message. */
export type PlainOptions<Options> = Omit<Options, 'filter' | 'refine'> & { readonly filter?: Uint8Array };

/** What an index is at the moment. */
export interface IndexInfo {
  readonly spec: IndexSpec;
  readonly size: number;
  readonly pending: number;
  readonly bytes: number;
}

/** A search that waits for the exact vectors of `ids`. */
export interface WaitingSearch {
  readonly token: number;
  readonly ids: IdArray;
}

interface Waiting {
  readonly found: Promise<SearchResult<IdArray>>;
  readonly answer: (vectors: Float32Array) => void;
}

/** One index in a worker; exposed through Comlink. No callbacks cross: the page asks again instead. */
export class VectorWorkerHost {
  #index: AnyIndex | undefined;
  readonly #waiting: Map<number, Waiting> = new Map();
  readonly #cursors: Map<number, SearchCursor<IdArray>> = new Map();
  #tokens = 0;

  async create(options: VectorIndexOptions): Promise<void> {
    this.#index = await VectorIndex.create<IdArray>(options);
  }

  async load(bytes: Uint8Array, options: Pick<VectorIndexOptions, 'module' | 'maxBytes'>): Promise<void> {
    this.#index = await VectorIndex.load<IdArray>(bytes, options);
  }

  async fromHnswlib(bytes: Uint8Array, options: FromHnswlibOptions): Promise<void> {
    this.#index = await VectorIndex.fromHnswlib<IdArray>(bytes, options);
  }

  info(): IndexInfo {
    const { spec, size, pending, bytes } = this.#open();
    return { spec, size, pending, bytes };
  }

  add(vectors: Float32Array, ids: never): void {
    this.#open().add(vectors, ids);
  }

  remove(ids: never): number {
    return this.#open().remove(ids);
  }

  /** Builds for about so long, and says how much is left. */
  async build(sliceMs: number): Promise<number> {
    const index = this.#open();
    const stop = new AbortController();
    const until = performance.now() + sliceMs;
    const onProgress = (): void => {
      if (performance.now() >= until) stop.abort();
    };
    await index.build({ signal: stop.signal, onProgress }).catch((error: unknown) => {
      if ((error as { code?: unknown }).code !== 'aborted') throw error;
    });
    return index.pending;
  }

  search(query: Float32Array, options: PlainOptions<SearchOptions<IdArray>>): SearchResult<IdArray> {
    return this.#open().search(query, options);
  }

  searchMany(queries: Float32Array, options: PlainOptions<SearchOptions<IdArray>>): SearchManyResult<IdArray> {
    const found = this.#open().searchMany(queries, options);
    return transfer(found, [found.ids.buffer, found.distances.buffer, found.counts.buffer]);
  }

  searchRange(query: Float32Array, options: PlainOptions<RangeOptions<IdArray>>): SearchResult<IdArray> {
    return this.#open().searchRange(query, options);
  }

  /** The first half of a search with vectors that the page has. */
  async begin(query: Float32Array, options: PlainOptions<AsyncSearchOptions<IdArray>>): Promise<WaitingSearch> {
    const index = this.#open();
    const asked = Promise.withResolvers<IdArray>();
    const answered = Promise.withResolvers<Float32Array>();
    const refine = (ids: IdArray): Promise<Float32Array> => {
      asked.resolve(ids);
      return answered.promise;
    };
    const found = index.searchAsync(query, { ...options, refine });
    found.catch(asked.reject);
    const ids = await asked.promise;
    const token = this.#tokens++;
    this.#waiting.set(token, { found, answer: answered.resolve });
    return { token, ids };
  }

  /** The second half. Without vectors the search is given up. */
  async finish(token: number, vectors: Float32Array | undefined): Promise<SearchResult<IdArray> | undefined> {
    const waiting = this.#waiting.get(token);
    this.#waiting.delete(token);
    if (waiting === undefined || vectors === undefined) return undefined;
    waiting.answer(vectors);
    return await waiting.found;
  }

  openCursor(query: Float32Array, options: PlainOptions<RowOptions<IdArray>>): number {
    const token = this.#tokens++;
    this.#cursors.set(token, this.#open().cursor(query, options));
    return token;
  }

  nextHits(token: number, count: number): SearchResult<IdArray> {
    const cursor = this.#cursors.get(token);
    if (cursor === undefined) throw new ElanusError('closed', 'The cursor was freed. Open another.');
    return cursor.next(count);
  }

  freeCursor(token: number): void {
    this.#cursors.get(token)?.free();
    this.#cursors.delete(token);
  }

  toHnswlib(options: ToHnswlibOptions): Uint8Array<ArrayBuffer> {
    const bytes = this.#open().toHnswlib(options);
    return transfer(bytes, [bytes.buffer]);
  }

  save(options: SaveOptions): Uint8Array<ArrayBuffer> {
    const bytes = this.#open().save(options);
    return transfer(bytes, [bytes.buffer]);
  }

  #open(): AnyIndex {
    if (this.#index === undefined) throw new ElanusError('internal', 'The worker was asked before it had an index.');
    return this.#index;
  }
}
