// Kept in the published types: a project whose `lib` has no disposal compiles against them all the same.
/// <reference lib="esnext.disposable" preserve="true" />

import type { Metric } from './model/metric.ts';
import type { ConsistencyLevel } from './model/schema.ts';

/**
 * The public interface of Elanus: the methods and the JSON bodies of Milvus's REST v2, promise-based and typed.
 * Three things implement it: the embedded engine (`open` of `elanus/browser`), the HTTP client (`connect` of
 * `elanus`) and, later, the Worker binding. Code moves between tab and edge by changing one line.
 */

/** The type in which Int64 values come out: fixed at `open` or `connect`, never mixed, never rounded. */
export type Int64Mode = 'number' | 'bigint' | 'string';
/** The TypeScript type of an Int64 that comes out. */
export type Int64Of<Mode extends Int64Mode> = Mode extends 'number' ? number : Mode extends 'bigint' ? bigint : string;
/** An Int64 that goes in: any of the three, exactly. */
export type Int64Input = number | bigint | string;

/** A primary key that goes in: of an Int64 or a VarChar field. */
export type KeyInput = Int64Input;
/** A primary key that comes out. */
export type KeyOf<Mode extends Int64Mode> = Int64Of<Mode> | string;

/** A query or stored vector: `dimension` finite numbers. */
export type VectorInput = Float32Array | readonly number[];

/** One entity that goes in: field names to values. */
export type RowInput = Readonly<Record<string, unknown>>;
/** One entity that comes out: field names to values. Vectors are `Float32Array` from `open` and from `connect`. */
export type Row = Record<string, unknown>;
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
  /** Buffers of the vectors in the body that may be moved instead of copied; the caller can no longer use them. */
  readonly transfer?: readonly ArrayBuffer[];
}

export interface Progress {
  readonly phase: 'embed' | 'insert';
  /** Rows done, of `total`. */
  readonly done: number;
  readonly total: number;
}

interface InCollection {
  readonly collectionName: string;
  /** `default` if absent. */
  readonly dbName?: string;
}

/** Keys that Milvus defines and Elanus does not do yet: refused (`unsupported`) unless empty or their default. */
interface NotYet {
  readonly [key: string]: unknown;
}

export interface FieldSchemaInput {
  readonly fieldName: string;
  /** `Bool Int8 Int16 Int32 Int64 Float Double VarChar JSON Array FloatVector` */
  readonly dataType: string;
  readonly elementDataType?: string;
  readonly isPrimary?: boolean;
  readonly nullable?: boolean;
  readonly defaultValue?: unknown;
  readonly description?: string;
  /** `dim` of a vector, `max_length` of VarChar in bytes, `max_capacity` of Array; numbers or numeric strings. */
  readonly elementTypeParams?: Readonly<Record<string, unknown>>;
}

export interface IndexParamsInput {
  readonly fieldName: string;
  readonly indexName?: string;
  readonly indexType?: string;
  readonly metricType?: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** Quick set-up (`dimension`) or schema form (`schema.fields`). */
export interface CreateCollectionBody extends InCollection, NotYet {
  readonly dimension?: number;
  /** `COSINE` by default. */
  readonly metricType?: string;
  /** `Int64` (default) or `VarChar` (then `params.max_length`). */
  readonly idType?: string;
  readonly autoID?: boolean;
  readonly primaryFieldName?: string;
  readonly vectorFieldName?: string;
  readonly description?: string;
  readonly schema?: {
    readonly autoID?: boolean;
    readonly enableDynamicField?: boolean;
    readonly fields?: readonly FieldSchemaInput[];
    readonly [key: string]: unknown;
  };
  readonly indexParams?: readonly IndexParamsInput[];
  readonly consistencyLevel?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly properties?: Readonly<Record<string, unknown>>;
}

export interface CollectionBody extends InCollection, NotYet {}

/** `collections/describe` of REST v2, field by field. */
export interface CollectionDescription {
  readonly collectionName: string;
  readonly collectionID: number;
  readonly description: string;
  readonly autoId: boolean;
  readonly fields: readonly FieldDescription[];
  readonly structFields: readonly unknown[];
  readonly functions: readonly unknown[];
  readonly aliases: readonly string[];
  readonly indexes: readonly { readonly indexName: string; readonly fieldName: string; readonly metricType: string }[];
  readonly load: 'LoadStateLoaded' | 'LoadStateNotLoad';
  readonly shardsNum: number;
  readonly partitionsNum: number;
  readonly consistencyLevel: ConsistencyLevel;
  readonly enableDynamicField: boolean;
  readonly externalSource: string;
  readonly externalSpec: string;
  readonly properties: readonly { readonly key: string; readonly value: string }[];
}

export interface FieldDescription {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly elementType?: string;
  readonly params?: readonly { readonly key: string; readonly value: string }[];
  readonly primaryKey: boolean;
  readonly partitionKey: boolean;
  readonly clusteringKey: boolean;
  readonly autoId: boolean;
  readonly nullable: boolean;
  readonly description: string;
  readonly defaultValue?: unknown;
}

export interface InsertBody<R = RowInput> extends InCollection, NotYet {
  /** One row or many; all are written or none. */
  readonly data: R | readonly R[];
}

export interface InsertResult<Mode extends Int64Mode> {
  readonly insertCount: number;
  readonly insertIds: readonly KeyOf<Mode>[];
}

export interface UpsertResult<Mode extends Int64Mode> {
  readonly upsertCount: number;
  readonly upsertIds: readonly KeyOf<Mode>[];
}

export interface DeleteBody extends InCollection, NotYet {
  /** Rows that match, by the filter language; must not be empty or always true. */
  readonly filter?: string;
  /** Instead of `filter`: primary keys. */
  readonly ids?: readonly KeyInput[];
  readonly exprParams?: Readonly<Record<string, unknown>>;
}

export interface DeleteResult {
  /** For keys, how many were named; for other filters, how many rows matched. */
  readonly deleteCount: number;
}

interface Reads {
  /** `*` for every field; dynamic keys by name. */
  readonly outputFields?: readonly string[];
  readonly consistencyLevel?: string;
}

export interface GetBody extends InCollection, Reads, NotYet {
  readonly id: KeyInput | readonly KeyInput[];
}

export interface QueryBody extends InCollection, Reads, NotYet {
  readonly filter?: string;
  readonly exprParams?: Readonly<Record<string, unknown>>;
  /** 100 by default; at most 16,384 together with `offset`. */
  readonly limit?: number;
  readonly offset?: number;
}

export interface CountBody extends InCollection, NotYet {
  readonly filter?: string;
  readonly exprParams?: Readonly<Record<string, unknown>>;
  readonly consistencyLevel?: string;
}

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

/** What an instance is, where its data lies, and how much. */
export interface Info {
  readonly version: string;
  readonly host: 'browser' | 'edge';
  /** Where the data lies: `indexeddb+opfs`, `indexeddb`, `memory`, `r2`. */
  readonly storage: string;
  readonly kernel: 'simd128' | 'relaxed-simd';
  /** Bytes of WASM memory in use, and the most there may be. */
  readonly memory: { readonly bytes: number; readonly bytesMax: number };
  /** Bytes stored, as the host counts them; absent where it does not say. */
  readonly bytesStored?: number;
  /** Bytes the host will store for this origin. */
  readonly quota?: number;
  /** Whether the browser has promised not to evict the data. */
  readonly persisted?: boolean;
  readonly [key: string]: unknown;
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

  info(): Promise<Info>;
  /** Waits for calls under way and lets go of everything. Idempotent. */
  close(): Promise<void>;
  /** Deletes the whole database with its data (`unsupported` over HTTP). */
  destroy(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Turns text into vectors. */
export interface Embedder {
  /** Names the model; a collection remembers it. */
  readonly model: string;
  readonly dimension: number;
  /** One vector of `dimension` values for each text. */
  embed(
    texts: readonly string[],
    options: { readonly kind: 'document' | 'query'; readonly signal?: AbortSignal },
  ): Promise<Float32Array[]>;
}

export type { ConsistencyLevel, Metric };
