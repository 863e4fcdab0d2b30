// Kept in the published types: a project whose `lib` has no disposal compiles against them all the same.
/// <reference lib="esnext.disposable" preserve="true" />

import type { Change } from './model/change.ts';
import type { CollectionDescription, CreateCollectionBody, InCollection, NotYet } from './model/collection-body.ts';
import type { InspectBody, Inspection, MemoryUse, SearchTrace } from './model/inspection.ts';
import type { Int64Mode, KeyInput, KeyOf, Row, RowInput, VectorInput } from './model/row.ts';

/**
 * The public interface of Elanus: the methods and the JSON bodies of Milvus's REST v2, promise-based and typed.
 * Three things implement it: the embedded engine (`open` of `elanus/browser`), the HTTP client (`connect` of
 * `elanus`) and, later, the Worker binding. Code moves between tab and edge by changing one line.
 */

export type {
  CollectionDescription,
  CreateCollectionBody,
  FieldDescription,
  FieldSchemaInput,
  IndexParamsInput,
} from './model/collection-body.ts';
export type {
  ChannelInspection,
  ChannelTrace,
  CollectionInspection,
  InspectBody,
  Inspection,
  MemoryKind,
  MemoryUse,
  SearchTrace,
  SegmentInspection,
  SegmentTrace,
} from './model/inspection.ts';
export type { Int64Input, Int64Mode, Int64Of, KeyInput, KeyOf, Row, RowInput, VectorInput } from './model/row.ts';

/** One search result: the primary key and the requested fields, and the raw metric (larger is nearer for IP and COSINE). */
export type Hit<R = Row> = R & { readonly distance: number };

/** What every call takes beside its body. */
export interface CallOptions {
  /** Aborting stops the waiting, not the work: the error has code `aborted`, and for writes `details.outcome` `'unknown'`. */
  readonly signal?: AbortSignal;
  /** Milliseconds after which the caller stops waiting (`timeout`); none by default. */
  readonly timeoutMs?: number;
  /** Called as a long call goes on. */
  readonly onProgress?: (progress: Progress) => void;
  /**
   * Called with the times of a `search`, just before it resolves. Not Milvus's; `unsupported` over HTTP. Without it
   * nothing is measured.
   */
  readonly onTrace?: (trace: SearchTrace) => void;
  /** Buffers of the vectors in the body that may be moved instead of copied; the caller can no longer use them. */
  readonly transfer?: readonly ArrayBuffer[];
}

/** How far a long call is. */
export interface Progress {
  readonly phase: 'embed' | 'insert';
  /** Rows done, of `total`. */
  readonly done: number;
  readonly total: number;
}

/** Of the calls that name a collection and nothing else. */
export interface CollectionBody extends InCollection, NotYet {}

/** Of `insert` and `upsert`. */
export interface InsertBody<R = RowInput> extends InCollection, NotYet {
  /** One row or many; all are written or none. They must not change until the call resolves. */
  readonly data: R | readonly R[];
}

/** What was written: the keys are in the order of the rows. */
export interface InsertResult<Mode extends Int64Mode> {
  readonly insertCount: number;
  readonly insertIds: readonly KeyOf<Mode>[];
}

/** What was written: the keys are in the order of the rows. */
export interface UpsertResult<Mode extends Int64Mode> {
  readonly upsertCount: number;
  readonly upsertIds: readonly KeyOf<Mode>[];
}

/** Of `delete`: `filter` or `ids`. */
export interface DeleteBody extends InCollection, NotYet {
  /** Rows that match, by the filter language; must not be empty or always true. */
  readonly filter?: string;
  /** Instead of `filter`: primary keys. */
  readonly ids?: readonly KeyInput[];
  readonly exprParams?: Readonly<Record<string, unknown>>;
}

/** What `delete` did. */
export interface DeleteResult {
  /** For keys, how many were named; for other filters, how many rows matched. */
  readonly deleteCount: number;
}

interface Reads {
  /** `*` for every field; dynamic keys by name. */
  readonly outputFields?: readonly string[];
  readonly consistencyLevel?: string;
}

/** Of `get`: rows by their keys. */
export interface GetBody extends InCollection, Reads, NotYet {
  readonly id: KeyInput | readonly KeyInput[];
}

/** Of `query`: rows that match a filter. */
export interface QueryBody extends InCollection, Reads, NotYet {
  readonly filter?: string;
  readonly exprParams?: Readonly<Record<string, unknown>>;
  /** 100 by default; at most 16,384 together with `offset`. */
  readonly limit?: number;
  readonly offset?: number;
}

/** Of `count`; without a filter, all rows. */
export interface CountBody extends InCollection, NotYet {
  readonly filter?: string;
  readonly exprParams?: Readonly<Record<string, unknown>>;
  readonly consistencyLevel?: string;
}

/** Of `search`: the nearest rows of each query vector, of those that match the filter. */
export interface SearchBody extends InCollection, Reads, NotYet {
  /** Query vectors, one result list each. */
  readonly data: readonly VectorInput[];
  /** The vector field; may be absent if there is only one. */
  readonly annsField?: string;
  readonly filter?: string;
  readonly exprParams?: Readonly<Record<string, unknown>>;
  /** 100 by default; at most 16,384 together with `offset`. */
  readonly limit?: number;
  readonly offset?: number;
  readonly searchParams?: Readonly<Record<string, unknown>>;
}

/** Of a live search. */
export interface LiveOptions {
  /** Aborting stops the search, without an error. */
  readonly signal?: AbortSignal;
  /** Hears of the error that ended the search, at most once. */
  readonly onError?: (error: unknown) => void;
}

/** A search that goes on until it is stopped, also by `using`. */
export interface LiveSearch extends Disposable {
  /** No results come after this. Idempotent. */
  stop(): void;
}

/** What an instance is, where its data lies, and how much. */
export interface Info {
  readonly version: string;
  readonly host: 'browser' | 'edge';
  /** Where the data lies: `indexeddb+opfs`, `indexeddb`, `memory`, `r2`. */
  readonly storage: string;
  readonly kernel: 'simd128' | 'relaxed-simd';
  /** What the engine holds in memory, by kind, and the most that it may. */
  readonly memory: MemoryUse;
  /** Bytes stored, as the host counts them; absent where it does not say. */
  readonly bytesStored?: number;
  /** Bytes the host will store for this origin. */
  readonly quota?: number;
  /** Whether the browser has promised not to evict the data. */
  readonly persisted?: boolean;
  /** Which tab this is, and which one leads; in the browser only. */
  readonly tab?: TabInfo;
  /**
   * In the browser: a sentence for each thing that this page lacks (Web Locks, the private file system, IndexedDB, a
   * secure origin), with what follows from it. Empty where nothing is missing.
   */
  readonly missing?: readonly string[];
  readonly [key: string]: unknown;
}

/** How a tab reaches the engine: it has it itself, or by a message port or a BroadcastChannel to the tab that has it. */
export type LinkKind = 'own' | 'ports' | 'broadcast';

/** A tab among those that have one database open. Every opener counts as one: a page, or a worker of it. */
export interface TabInfo {
  /** Names this opener until it closes. */
  readonly id: string;
  /** Whether the engine runs here. */
  readonly leads: boolean;
  /** The `id` of the one that leads. */
  readonly leader: string;
  readonly link: LinkKind;
}

/** A vector database: in this tab, or behind HTTP. Every method rejects with `ElanusError`. */
export interface Elanus<Mode extends Int64Mode = 'number'> {
  createCollection(body: CreateCollectionBody, options?: CallOptions): Promise<void>;
  describeCollection(body: CollectionBody, options?: CallOptions): Promise<CollectionDescription>;
  listCollections(body?: { readonly dbName?: string }, options?: CallOptions): Promise<string[]>;
  hasCollection(body: CollectionBody, options?: CallOptions): Promise<boolean>;
  /** Dropping a collection that does not exist succeeds, as in Milvus. */
  dropCollection(body: CollectionBody, options?: CallOptions): Promise<void>;
  getCollectionStatistics(body: CollectionBody, options?: CallOptions): Promise<{ readonly rowCount: number }>;
  loadCollection(body: CollectionBody, options?: CallOptions): Promise<void>;
  releaseCollection(body: CollectionBody, options?: CallOptions): Promise<void>;
  getCollectionLoadState(
    body: CollectionBody,
    options?: CallOptions,
  ): Promise<{ readonly loadState: string; readonly loadProgress?: number }>;
  /** Moves what lies in the log into segments; resolves when they are durable. */
  flush(body: CollectionBody, options?: CallOptions): Promise<void>;

  insert(body: InsertBody, options?: CallOptions): Promise<InsertResult<Mode>>;
  upsert(body: InsertBody, options?: CallOptions): Promise<UpsertResult<Mode>>;
  delete(body: DeleteBody, options?: CallOptions): Promise<DeleteResult>;
  get(body: GetBody, options?: CallOptions): Promise<Row[]>;
  query(body: QueryBody, options?: CallOptions): Promise<Row[]>;
  /** How many entities match; `query` with `count(*)`. */
  count(body: CountBody, options?: CallOptions): Promise<number>;
  /** One list of hits for each query vector, nearest first. */
  search(body: SearchBody, options?: CallOptions): Promise<Hit[][]>;

  /**
   * Tells of every change that is committed from now on, from any tab: writes, deletes, and what happens to collections.
   * The answer ends it, and may be called again; `close` ends it too. Throws `unsupported` over HTTP, where changes are
   * not announced: ask again from time to time.
   */
  subscribe(listener: (change: Change<readonly KeyOf<Mode>[]>) => void): () => void;
  /**
   * Searches, and searches again whenever the collection has changed, in whatever tab; `listener` gets the first results,
   * and then results only when they differ in ids, distances or fields from the last. At most one search runs; all changes
   * that come meanwhile make one more. Without a `consistencyLevel`, results after a change show at least that change.
   *
   * An error ends it (`not-found` when the collection is dropped) and goes to `onError`, once; without `onError` it is an
   * unhandled rejection. What passes by itself (`unavailable`, `overloaded`) is tried again for some seconds first.
   * Throws `unsupported` over HTTP.
   */
  liveSearch(body: SearchBody, listener: (hits: Hit[][]) => void, options?: LiveOptions): LiveSearch;

  info(): Promise<Info>;
  /**
   * What the database consists of now: collections, channels, segments, memory. It opens channels that were not open.
   * Not Milvus's; `unsupported` over HTTP.
   */
  inspect(body?: InspectBody, options?: CallOptions): Promise<Inspection>;
  /** Waits for calls under way and lets go of everything. Idempotent. */
  close(): Promise<void>;
  /** Deletes the whole database with its data (`unsupported` over HTTP). */
  destroy(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Turns text into vectors. With one, a collection inserts and searches text. */
export interface Embedder {
  /** Names the model; a collection remembers it, and refuses an embedder of another. */
  readonly model: string;
  /** Values of each vector. */
  readonly dimension: number;
  /** What else changes the numbers but not their meaning, such as precision: it counts for the cache alone. */
  readonly variant?: string;
  /** Most texts of one call; 64 by default. */
  readonly batchSize?: number;
  /** Calls that may be under way at once; 1 by default. */
  readonly concurrency?: number;
  /**
   * One finite vector of `dimension` values for each text, in their order. A rejection goes to the caller, as
   * `unavailable` if it has no code of ours; one with `details.retryable: true` is tried again up to four times, and
   * not before `details.retryAfterMs`, if that is said.
   */
  embed(
    texts: readonly string[],
    options: { readonly kind: 'document' | 'query'; readonly signal?: AbortSignal },
  ): Promise<Float32Array[]>;
}

/**
 * Keeps what was embedded, so that it is not embedded again. `space` names the model, its dimension and variant, and
 * the kind of text: equal texts of one space have equal vectors. A cache may forget what it likes, and one that rejects
 * is passed over: calls answer the same with and without it. The vectors must not be changed.
 */
export interface EmbeddingCache {
  /** The vector of each text, `undefined` where there is none. */
  get(space: string, texts: readonly string[]): Promise<readonly (Float32Array | undefined)[]>;
  /** Keeps a vector for each text; the arrays have the same length. */
  set(space: string, texts: readonly string[], vectors: readonly Float32Array[]): Promise<void>;
}

export type { Change, ChangeKind } from './model/change.ts';
export type { Metric } from './model/metric.ts';
export type { ConsistencyLevel } from './model/schema.ts';
