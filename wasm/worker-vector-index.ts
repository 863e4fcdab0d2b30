// Kept in the published types: a project whose `lib` has no disposal compiles against them all the same.
/// <reference lib="esnext.disposable" preserve="true" />

import { type Remote, transfer, wrap } from 'comlink';
import { ElanusError } from '../core/base/error.ts';
import type { IndexSpec } from '../core/vector/segment-index.ts';
import { carryErrors } from './carry-errors.ts';
import { loadModule } from './module.ts';
import type { SaveOptions } from './vector-index.ts';
import type { BuildOptions } from './vector-index-build.ts';
import type { FromHnswlibOptions, ToHnswlibOptions } from './vector-index-hnswlib.ts';
import type { IdArray } from './vector-index-ids.ts';
import type {
  AsyncSearchOptions,
  IdsIn,
  RangeOptions,
  RowOptions,
  SearchOptions,
  VectorIndexOptions,
} from './vector-index-options.ts';
import { checkRefined, type SearchManyResult, type SearchResult, type VectorsIn } from './vector-index-search.ts';
import { type StartedWorker, startWorker } from './vector-worker-endpoint.ts';
import type { PlainOptions, VectorWorkerHost } from './vector-worker-host.ts';

/** `VectorIndexOptions` for an index in a worker of its own, which has a memory of its own. */
export interface WorkerIndexOptions extends Omit<VectorIndexOptions, 'memory'> {
  /** Where `vector-worker.js` is, if the bundler leaves worker URLs alone. */
  readonly workerUrl?: string | URL;
}

/** How vectors reach the worker. */
export interface AddOptions {
  /** Moves the array instead of copying it: the caller's is empty afterwards. Default: false. */
  readonly transfer?: boolean;
}

/** Milliseconds of building between two looks at the signal: the worker has little else to do. */
const SLICE_MS = 50;

/**
 * A `VectorIndex` in a worker: the same calls, each with a promise. Calls are done in their order.
 *
 * A filter is a bitmap here: a function cannot cross to another thread. `refine` runs on this side, and may take its
 * time.
 */
export class WorkerVectorIndex<Ids extends IdArray = Float64Array<ArrayBuffer>> {
  readonly #worker: StartedWorker;
  readonly #host: Remote<VectorWorkerHost>;
  /** Calls that wait for an answer: a worker that ends gives none. */
  readonly #waiting: Set<(reason: ElanusError) => void> = new Set();
  #ended: ElanusError | undefined;

  private constructor(worker: StartedWorker) {
    this.#worker = worker;
    this.#host = wrap<VectorWorkerHost>(worker.endpoint);
    worker.died.catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      this.#end(new ElanusError('unavailable', `The worker of the index failed: ${why}.`, { cause: error }));
    });
  }

  /** See `VectorIndex.createInWorker`. */
  static async create<Ids extends IdArray>(options: WorkerIndexOptions): Promise<WorkerVectorIndex<Ids>> {
    const { workerUrl, wasmUrl: _, ...rest } = options;
    const module = await loadModule(options);
    return await WorkerVectorIndex.#start<Ids>(workerUrl, (host) => host.create({ ...rest, module }));
  }

  /** See `VectorIndex.loadInWorker`. */
  static async load<Ids extends IdArray>(
    bytes: Uint8Array,
    options: Pick<WorkerIndexOptions, 'module' | 'wasmUrl' | 'maxBytes' | 'workerUrl'>,
  ): Promise<WorkerVectorIndex<Ids>> {
    const { workerUrl, wasmUrl: _, ...rest } = options;
    const module = await loadModule(options);
    return await WorkerVectorIndex.#start<Ids>(workerUrl, (host) => host.load(bytes, { ...rest, module }));
  }

  /** See `VectorIndex.fromHnswlibInWorker`. */
  static async fromHnswlib<Ids extends IdArray>(
    bytes: Uint8Array,
    options: Omit<FromHnswlibOptions, 'memory'> & Pick<WorkerIndexOptions, 'workerUrl'>,
  ): Promise<WorkerVectorIndex<Ids>> {
    const { workerUrl, wasmUrl: _, ...rest } = options;
    const module = await loadModule(options);
    return await WorkerVectorIndex.#start<Ids>(workerUrl, (host) => host.fromHnswlib(bytes, { ...rest, module }));
  }

  static async #start<Ids extends IdArray>(
    workerUrl: string | URL | undefined,
    begin: (host: Remote<VectorWorkerHost>) => Promise<void>,
  ): Promise<WorkerVectorIndex<Ids>> {
    carryErrors();
    const index = new WorkerVectorIndex<Ids>(startWorker(workerUrl));
    try {
      await index.#ask(begin);
      return index;
    } catch (error) {
      index.free();
      throw error;
    }
  }

  get spec(): Promise<IndexSpec> {
    return this.#ask((host) => host.info()).then(({ spec }) => spec);
  }

  get size(): Promise<number> {
    return this.#ask((host) => host.info()).then(({ size }) => size);
  }

  get pending(): Promise<number> {
    return this.#ask((host) => host.info()).then(({ pending }) => pending);
  }

  get bytes(): Promise<number> {
    return this.#ask((host) => host.info()).then(({ bytes }) => bytes);
  }

  async add(vectors: VectorsIn, ids?: IdsIn<Ids>, options: AddOptions = {}): Promise<void> {
    if (!(vectors instanceof Float32Array)) return await this.#ask((host) => host.add(vectors as never, ids as never));
    const isWhole = vectors.byteLength === vectors.buffer.byteLength;
    // A view would be cloned with all that it is a view of; a copy of its own moves.
    const moved = options.transfer === true && isWhole ? vectors : vectors.slice();
    await this.#ask((host) => host.add(transfer(moved, [moved.buffer as ArrayBuffer]), ids as never));
  }

  remove(ids: IdsIn<Ids>): Promise<number> {
    return this.#ask((host) => host.remove(ids as never));
  }

  async build(options: BuildOptions = {}): Promise<void> {
    const { signal, onProgress, sliceMs = SLICE_MS } = options;
    let left = await this.pending;
    let done = 0;
    while (left > 0) {
      if (signal?.aborted === true) {
        throw new ElanusError('aborted', 'The build was stopped; call build again, and it goes on.', {
          cause: signal.reason,
        });
      }
      const before = left;
      left = await this.#ask((host) => host.build(sliceMs));
      done += before - left;
      onProgress?.({ done, total: done + left });
    }
  }

  async search(query: Float32Array, options: AsyncSearchOptions<Ids>): Promise<SearchResult<Ids>> {
    const { refine, ...plain } = options;
    if (refine === undefined || options.refineK === 0) {
      return (await this.#ask((host) => host.search(query, bitmapOnly(plain) as never))) as SearchResult<Ids>;
    }
    const { token, ids } = await this.#ask((host) => host.begin(query, bitmapOnly(plain) as never));
    try {
      const { dimension } = await this.spec;
      const vectors = checkRefined(await refine(ids as Ids), ids, dimension);
      return (await this.#ask((host) => host.finish(token, vectors))) as SearchResult<Ids>;
    } catch (error) {
      if (this.#ended === undefined) await this.#ask((host) => host.finish(token, undefined));
      throw error;
    }
  }

  async searchMany(queries: Float32Array, options: PlainOptions<SearchOptions<Ids>>): Promise<SearchManyResult<Ids>> {
    const found = await this.#ask((host) => host.searchMany(queries, bitmapOnly(options) as never));
    return found as SearchManyResult<Ids>;
  }

  async searchRange(query: Float32Array, options: PlainOptions<RangeOptions<Ids>>): Promise<SearchResult<Ids>> {
    return (await this.#ask((host) => host.searchRange(query, bitmapOnly(options) as never))) as SearchResult<Ids>;
  }

  /** `next(count)` gives the next hits; `free` when there is no need for more. */
  async cursor(query: Float32Array, options: PlainOptions<RowOptions<Ids>> = {}): Promise<WorkerCursor<Ids>> {
    const token = await this.#ask((host) => host.openCursor(query, bitmapOnly(options) as never));
    return {
      next: async (count) => (await this.#ask((host) => host.nextHits(token, count))) as SearchResult<Ids>,
      free: () => this.#ask((host) => host.freeCursor(token)),
    };
  }

  save(options: SaveOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    return this.#ask((host) => host.save(options));
  }

  toHnswlib(options: ToHnswlibOptions): Promise<Uint8Array<ArrayBuffer>> {
    return this.#ask((host) => host.toHnswlib(options));
  }

  /** Ends the worker, and with it all that it held. Calls under way are rejected with `closed`. */
  free(): void {
    this.#end(new ElanusError('closed', 'The index was freed. Load or build it again.'));
  }

  [Symbol.dispose](): void {
    this.free();
  }

  /** The first reason stays. */
  #end(reason: ElanusError): void {
    this.#ended ??= reason;
    this.#worker.terminate();
    for (const reject of this.#waiting) reject(this.#ended);
    this.#waiting.clear();
  }

  #ask<Answer>(call: (host: Remote<VectorWorkerHost>) => Promise<Answer>): Promise<Answer> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      const settled = (): boolean => this.#waiting.delete(reject);
      call(this.#host).then(resolve, reject).then(settled, settled);
    });
  }
}

/** The next results of one query, in a worker. */
export interface WorkerCursor<Ids extends IdArray = Float64Array<ArrayBuffer>> {
  next(count: number): Promise<SearchResult<Ids>>;
  free(): Promise<void>;
}

function bitmapOnly<Options extends { readonly filter?: unknown; readonly refine?: unknown }>(
  options: Options,
): Options {
  for (const name of ['filter', 'refine'] as const) {
    if (typeof options[name] !== 'function') continue;
    const instead = name === 'filter' ? 'give a bitmap of ids' : 'use search for it';
    throw new ElanusError('invalid', `${name} is a function, which cannot cross to the worker: ${instead}.`, {
      details: { option: name },
    });
  }
  return options;
}
