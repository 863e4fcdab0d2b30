import type { ColumnBatch, Key } from '../model/column.ts';
import type { ChannelInspection, ChannelTrace } from '../model/inspection.ts';
import type { RequestId } from '../model/request-id.ts';
import type { CollectionMeta, ConsistencyLevel } from '../model/schema.ts';
import type { Expression } from '../query/expression.ts';

export type { RequestId } from '../model/request-id.ts';

/**
 * What the roles say to each other. Every argument and every answer is structured-cloneable, so a peer may run in
 * this thread, in another worker or in a Durable Object; errors cross as `PlainError`.
 */

/** A collection as it is to be created: everything but what the coordinator decides. */
export type CollectionDraft = Omit<CollectionMeta, 'id' | 'version'>;

export interface CollectionName {
  readonly databaseName: string;
  readonly collectionName: string;
}

/** A collection as the catalog has it now. */
export interface CollectionEntry {
  readonly meta: CollectionMeta;
  readonly loaded: boolean;
}

/** `count` consecutive values from `first` on, handed out once and never again. */
export interface TimestampRange {
  readonly first: bigint;
  readonly count: number;
}

/** The coordinator: DDL, timestamps, automatic keys. One is active in an instance. */
export interface CoordinatorPeer {
  /** Creates the collection, and loads it if every vector field has an index. The same definition again is a no-op. */
  createCollection(draft: CollectionDraft): Promise<CollectionEntry>;
  /**
   * A collection that does not exist is a no-op; so is one of another id, if an id is given: sent again, such a call
   * drops no collection that was created meanwhile.
   */
  dropCollection(name: CollectionName, collectionId?: number): Promise<void>;
  /** Rejects with `not-found` (Milvus 100). */
  describeCollection(name: CollectionName): Promise<CollectionEntry>;
  listCollections(databaseName: string): Promise<string[]>;
  setLoaded(name: CollectionName, loaded: boolean): Promise<void>;
  /** Timestamps that nobody else gets, growing with each call, and all above `above`, the newest that the caller knows. */
  allocateTimestamps(count: number, above?: bigint): Promise<TimestampRange>;
  /** Automatic keys of a collection: below 2^53, never handed out twice. */
  allocateKeys(collectionId: number, count: number): Promise<{ readonly first: number; readonly count: number }>;
}

/** Which channel, and which schema the caller believes in: another one is answered with `stale`. */
export interface ChannelAddress {
  readonly channel: string;
  readonly collectionId: number;
  readonly schemaVersion: number;
}

/** What a read must see. */
export interface Guarantee {
  readonly level: ConsistencyLevel;
  /** The answer is at this timestamp or later; without one the channel supplies its own. */
  readonly timestamp?: bigint;
}

export interface WriteRequest extends ChannelAddress {
  /** With one, sending the write again does nothing but answer; without one, it is applied again. */
  readonly request?: RequestId;
  /** A `ColumnBatch` in the encoding of `column/codec.ts`: it goes into the log as it is. */
  readonly batch: Uint8Array;
}

export interface WriteAnswer {
  /** Of the record that holds the request. */
  readonly timestamp: bigint;
}

export interface DeleteRequest extends ChannelAddress {
  /** As of a `WriteRequest`. */
  readonly request?: RequestId;
  /** The keys to delete, or the filter whose matches are deleted. */
  readonly target: { readonly keys: readonly Key[] } | { readonly filter: Expression };
}

export interface DeleteAnswer extends WriteAnswer {
  readonly deleteCount: number;
}

/** Which fields an answer carries. */
export interface OutputFields {
  /** Field ids, scalar and vector; the primary key is always among them; the dynamic field by its own id. */
  readonly fieldIds: readonly number[];
}

export interface SearchRequest extends ChannelAddress {
  readonly guarantee: Guarantee;
  /** The vector field. */
  readonly fieldId: number;
  /** `queryCount × dimension` values. */
  readonly queries: Float32Array;
  readonly queryCount: number;
  /** Hits for each query, before any offset is taken off. */
  readonly limit: number;
  readonly filter?: Expression;
  readonly output: OutputFields;
  /** Whether the answer tells where the time went. */
  readonly isTraced?: boolean;
}

export interface SearchAnswer {
  readonly timestamp: bigint;
  /** Hits of each query, in the order of the queries; the rows of `distances` and `batch` follow one another. */
  readonly counts: Uint32Array;
  readonly distances: Float32Array;
  readonly batch: ColumnBatch;
  /** If the request asked for it. */
  readonly trace?: ChannelTrace;
}

export interface QueryRequest extends ChannelAddress {
  readonly guarantee: Guarantee;
  readonly filter?: Expression;
  /** Only these keys, if given. */
  readonly keys?: readonly Key[];
  /** The `limit` smallest keys; none means all that match. */
  readonly limit?: number;
  readonly output: OutputFields;
}

export interface QueryAnswer {
  readonly timestamp: bigint;
  /** Ascending by primary key. */
  readonly batch: ColumnBatch;
}

export interface CountRequest extends ChannelAddress {
  readonly guarantee: Guarantee;
  readonly filter?: Expression;
}

/** The streaming node that leads a channel. */
export interface StreamingPeer {
  /** Inserts rows; a row whose key exists replaces it. Durable when it resolves. */
  write(request: WriteRequest): Promise<WriteAnswer>;
  delete(request: DeleteRequest): Promise<DeleteAnswer>;
  search(request: SearchRequest): Promise<SearchAnswer>;
  query(request: QueryRequest): Promise<QueryAnswer>;
  count(request: CountRequest): Promise<number>;
  flush(address: ChannelAddress): Promise<void>;
  /** What the channel consists of, as a Bounded read would see it. */
  statistics(address: ChannelAddress): Promise<ChannelInspection>;
  /** Gives back the memory that the channel takes, as far as it can be read again. */
  release(address: ChannelAddress): Promise<void>;
  /** Ends the channel: a record in its log, after which every request is answered with `stale`. */
  drop(address: ChannelAddress): Promise<void>;
}

/** Where the roles are, as the proxy and the coordinator see it. */
export interface Cluster {
  readonly coordinator: CoordinatorPeer;
  streamingNode(channel: string): StreamingPeer;
}
