// Kept in the published types: a project whose `lib` has no disposal compiles against them all the same.
/// <reference lib="esnext.disposable" preserve="true" />

import { ElanusError } from '../base/error.ts';
import type {
  CallOptions,
  CollectionBody,
  CollectionDescription,
  CountBody,
  CreateCollectionBody,
  DeleteBody,
  DeleteResult,
  Elanus,
  GetBody,
  Hit,
  Info,
  InsertBody,
  InsertResult,
  InspectBody,
  Inspection,
  Int64Mode,
  KeyOf,
  LiveOptions,
  LiveSearch,
  QueryBody,
  Row,
  SearchBody,
  SearchTrace,
  UpsertResult,
} from '../elanus.ts';
import { type Change, concerns } from '../model/change.ts';
import { convertInt64, convertRows } from '../model/int64.ts';
import { DEFAULT_DATABASE } from '../model/schema.ts';
import { waitFor } from './call.ts';
import { Collection } from './collection.ts';
import type { CollectionOptions, Fields, RowOf } from './collection-types.ts';
import type { Connection } from './connection.ts';
import { RunningSearch } from './live-search.ts';

const INT64_MODES: readonly string[] = ['number', 'bigint', 'string'];
/** Methods whose outcome is unknown once nobody waits for them. */
const WRITES: ReadonlySet<string> = new Set(['createCollection', 'dropCollection', 'insert', 'upsert', 'delete']);

/**
 * `Elanus` over a connection: what `open` and `connect` return. It waits, cancels and converts Int64 values; everything
 * else is the engine's.
 */
export class Database<Mode extends Int64Mode = 'number'> implements Elanus<Mode> {
  /** How Int64 values come out. */
  readonly int64: Mode;
  readonly #connection: Connection;
  readonly #subscriptions = new Set<() => void>();
  #closed: Promise<void> | undefined;

  constructor(connection: Connection, options: { readonly int64?: Mode } = {}) {
    const mode = options.int64 ?? ('number' as Mode);
    if (!INT64_MODES.includes(mode)) {
      throw new ElanusError('invalid', `int64 must be 'number', 'bigint' or 'string', not ${JSON.stringify(mode)}.`);
    }
    this.int64 = mode;
    this.#connection = connection;
  }

  /**
   * A typed handle of one collection: synchronous, no call is made. The row type follows from `fields`, which are
   * compared with the collection at the first call. With an `embedder` it inserts and searches text.
   */
  collection<const F extends Fields>(
    name: string,
    options: CollectionOptions & { readonly fields: F },
  ): Collection<RowOf<F, Mode>, Mode>;
  /** A handle whose row type the caller vouches for. */
  collection<R extends object = Row>(name: string, options?: CollectionOptions): Collection<R, Mode>;
  collection(name: string, options: CollectionOptions = {}): Collection<object, Mode> {
    return new Collection<object, Mode>(this, name, options);
  }

  async createCollection(body: CreateCollectionBody, options?: CallOptions): Promise<void> {
    await this.#call('createCollection', body, options);
  }

  async describeCollection(body: CollectionBody, options?: CallOptions): Promise<CollectionDescription> {
    const description = await this.#call('describeCollection', body, options);
    // An Int64 field's default is an Int64 too.
    return convertInt64(description, this.int64, { field: 'defaultValue' }) as CollectionDescription;
  }

  async listCollections(body: { readonly dbName?: string } = {}, options?: CallOptions): Promise<string[]> {
    return (await this.#call('listCollections', body, options)) as string[];
  }

  async hasCollection(body: CollectionBody, options?: CallOptions): Promise<boolean> {
    return ((await this.#call('hasCollection', body, options)) as { has: boolean }).has;
  }

  async dropCollection(body: CollectionBody, options?: CallOptions): Promise<void> {
    await this.#call('dropCollection', body, options);
  }

  async getCollectionStatistics(body: CollectionBody, options?: CallOptions): Promise<{ readonly rowCount: number }> {
    return (await this.#call('getCollectionStatistics', body, options)) as { rowCount: number };
  }

  async loadCollection(body: CollectionBody, options?: CallOptions): Promise<void> {
    await this.#call('loadCollection', body, options);
  }

  async releaseCollection(body: CollectionBody, options?: CallOptions): Promise<void> {
    await this.#call('releaseCollection', body, options);
  }

  async getCollectionLoadState(
    body: CollectionBody,
    options?: CallOptions,
  ): Promise<{ readonly loadState: string; readonly loadProgress?: number }> {
    return (await this.#call('getCollectionLoadState', body, options)) as { loadState: string };
  }

  async flush(body: CollectionBody, options?: CallOptions): Promise<void> {
    await this.#call('flush', body, options);
  }

  async insert(body: InsertBody, options?: CallOptions): Promise<InsertResult<Mode>> {
    const result = (await this.#call('insert', body, options)) as { insertCount: number; insertIds: unknown[] };
    return { insertCount: result.insertCount, insertIds: this.#keys(result.insertIds) };
  }

  async upsert(body: InsertBody, options?: CallOptions): Promise<UpsertResult<Mode>> {
    const result = (await this.#call('upsert', body, options)) as { upsertCount: number; upsertIds: unknown[] };
    return { upsertCount: result.upsertCount, upsertIds: this.#keys(result.upsertIds) };
  }

  /**
   * Rejects as `insert` (`mode: 'insert'`) or `upsert` would for these rows, and writes nothing. Elanus's own, and
   * `unsupported` over HTTP.
   */
  async checkRows(body: InsertBody & { readonly mode: 'insert' | 'upsert' }, options?: CallOptions): Promise<void> {
    await this.#call('checkRows', body, options);
  }

  async delete(body: DeleteBody, options?: CallOptions): Promise<DeleteResult> {
    return (await this.#call('delete', body, options)) as DeleteResult;
  }

  async get(body: GetBody, options?: CallOptions): Promise<Row[]> {
    return convertRows((await this.#call('get', body, options)) as Row[], this.int64);
  }

  async query(body: QueryBody, options?: CallOptions): Promise<Row[]> {
    return convertRows((await this.#call('query', body, options)) as Row[], this.int64);
  }

  async count(body: CountBody, options?: CallOptions): Promise<number> {
    return (await this.#call('count', body, options)) as number;
  }

  async search(body: SearchBody, options?: CallOptions): Promise<Hit[][]> {
    const lists = await this.#search(body, options);
    return lists.map((hits) => convertRows(hits, this.int64));
  }

  subscribe(listener: (change: Change<readonly KeyOf<Mode>[]>) => void): () => void {
    this.#refuseClosed();
    if (this.#connection.subscribe === undefined) {
      throw new ElanusError(
        'unsupported',
        'Changes are not announced over HTTP; ask again from time to time, or keep the data in the browser with `open`.',
      );
    }
    const end = this.#connection.subscribe((change) => listener(this.#change(change)));
    const unsubscribe = (): void => {
      this.#subscriptions.delete(unsubscribe);
      end();
    };
    this.#subscriptions.add(unsubscribe);
    return unsubscribe;
  }

  liveSearch(body: SearchBody, listener: (hits: Hit[][]) => void, options: LiveOptions = {}): LiveSearch {
    const place = { databaseName: body.dbName ?? DEFAULT_DATABASE, collectionName: body.collectionName };
    return new RunningSearch<Hit[][]>({
      search: (signal, isFirst) => this.search(isFirst ? body : { consistencyLevel: 'Strong', ...body }, { signal }),
      subscribe: (hear) => this.subscribe((change) => concerns(change, place) && hear(change)),
      listener,
      options,
      collectionName: body.collectionName,
    });
  }

  info(): Promise<Info> {
    return this.#connection.info();
  }

  async inspect(body: InspectBody = {}, options?: CallOptions): Promise<Inspection> {
    const collections = (await this.#call('inspect', body, options)) as Inspection['collections'];
    return { memory: (await this.#connection.info()).memory, collections };
  }

  close(): Promise<void> {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    this.#closed ??= this.#connection.close();
    return this.#closed;
  }

  async destroy(): Promise<void> {
    await this.#connection.destroy();
    await this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #search(body: SearchBody, options: CallOptions | undefined): Promise<Hit[][]> {
    if (options?.onTrace === undefined) return (await this.#call('search', body, options)) as Hit[][];
    const { hits, trace } = (await this.#call('tracedSearch', body, options)) as { hits: Hit[][]; trace: SearchTrace };
    options.onTrace(trace);
    return hits;
  }

  #refuseClosed(): void {
    if (this.#closed !== undefined) throw new ElanusError('closed', 'The database is closed; open it again.');
  }

  /** Keys in the caller's type; a change whose keys do not fit into it names none. */
  #change({ keys, ...change }: Change): Change<readonly KeyOf<Mode>[]> {
    if (keys === undefined) return change;
    try {
      return { ...change, keys: this.#keys(Array.from(keys)) };
    } catch {
      return change;
    }
  }

  #call(method: string, body: unknown, options: CallOptions | undefined): Promise<unknown> {
    this.#refuseClosed();
    return waitFor(options, WRITES.has(method), (signal) =>
      this.#connection.call(method, body, {
        signal,
        ...(options?.transfer === undefined ? {} : { transfer: options.transfer }),
      }),
    );
  }

  #keys(keys: readonly unknown[]): KeyOf<Mode>[] {
    return keys.map((key) => convertInt64(key, this.int64, { field: 'primary key' }) as KeyOf<Mode>);
  }
}
