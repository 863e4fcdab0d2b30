import { codeOf, ElanusError } from '../base/error.ts';
import type {
  CallOptions,
  Change,
  CollectionDescription,
  CreateCollectionBody,
  DeleteResult,
  Elanus,
  Hit,
  InsertResult,
  Int64Mode,
  KeyInput,
  KeyOf,
  LiveOptions,
  LiveSearch,
  QueryBody,
  RowInput,
  SearchBody,
  UpsertResult,
  VectorInput,
} from '../elanus.ts';
import { concerns } from '../model/change.ts';
import { rowsOf } from '../model/entity.ts';
import { DEFAULT_DATABASE } from '../model/schema.ts';
import { unlessAborted, waitFor, withDeadline } from './call.ts';
import { checkFields, createBody, textFieldOf, vectorFieldOf } from './collection-fields.ts';
import type { CollectionOptions, RowInputOf } from './collection-types.ts';
import { TextsOfCall, type TextsOptions } from './embed-texts.ts';
import { memoryCacheOf } from './embedding-cache.ts';
import { RunningSearch } from './live-search.ts';
import { checkRows, type RowChecker } from './row-check.ts';
import { partsOf, textsOf } from './text-rows.ts';
import { WriteProgress, writeTexts } from './text-write.ts';

type Body<B> = Omit<B, 'collectionName' | 'dbName'>;
type SearchOf = Body<Omit<SearchBody, 'data'>> & { readonly data: readonly (VectorInput | string)[] };

/**
 * One collection of a database, typed. Its methods are those of `Elanus` without the collection's name; with an
 * embedder, rows may lack their vector and queries may be text.
 */
export class Collection<R extends object, Mode extends Int64Mode> {
  readonly name: string;
  readonly #database: Elanus<Mode> & Partial<RowChecker>;
  readonly #options: CollectionOptions;
  #check: Promise<CollectionDescription | undefined> | undefined;

  constructor(database: Elanus<Mode> & Partial<RowChecker>, name: string, options: CollectionOptions) {
    this.#database = database;
    this.name = name;
    this.#options = options;
  }

  /**
   * Creates the collection from the handle's `fields`; the same definition again does nothing. The vector fields get
   * an AUTOINDEX. With an embedder the collection remembers its model; one that exists with another is `invalid`.
   *
   * @param options.metricType of every vector field, `COSINE` by default
   */
  async create(options: { readonly metricType?: string } & CallOptions = {}): Promise<void> {
    const body: CreateCollectionBody = createBody(this.name, this.#options, options.metricType ?? 'COSINE');
    try {
      await this.#database.createCollection(body, options);
    } catch (error) {
      // What the handle and the collection disagree about says more than that they do.
      if (codeOf(error) === 'exists') await waitFor(options, false, () => this.#checked());
      throw error;
    }
  }

  describe(options?: CallOptions): Promise<CollectionDescription> {
    return this.#database.describeCollection(this.#place(), options);
  }

  async exists(options?: CallOptions): Promise<boolean> {
    return this.#database.hasCollection(this.#place(), options);
  }

  async drop(options?: CallOptions): Promise<void> {
    await this.#database.dropCollection(this.#place(), options);
    this.#check = undefined;
  }

  /**
   * Inserts one row or many; with an embedder, rows without a vector get that of their text. One call is one request,
   * all or nothing, with one exception: more than 256 rows with texts to embed, or more than 4 MiB of them, are embedded
   * and written part by part, in order. If such a call fails or is stopped, the first `details.rowsWritten` rows are
   * written, and the others can be inserted again: what was embedded is in the cache.
   */
  async insert(data: RowInputOf<R> | readonly RowInputOf<R>[], options?: CallOptions): Promise<InsertResult<Mode>> {
    const keys = await this.#write('insert', data, options, async (rows, sendOptions) => {
      const { insertIds } = await this.#database.insert({ ...this.#place(), data: rows }, sendOptions);
      return insertIds;
    });
    return { insertCount: keys.length, insertIds: keys };
  }

  /** As `insert`; a row whose key exists is replaced. */
  async upsert(data: RowInputOf<R> | readonly RowInputOf<R>[], options?: CallOptions): Promise<UpsertResult<Mode>> {
    const keys = await this.#write('upsert', data, options, async (rows, sendOptions) => {
      const { upsertIds } = await this.#database.upsert({ ...this.#place(), data: rows }, sendOptions);
      return upsertIds;
    });
    return { upsertCount: keys.length, upsertIds: keys };
  }

  /** Deletes by keys or by filter. */
  async delete(
    target: { readonly ids: readonly KeyInput[] } | { readonly filter: string; readonly exprParams?: RowInput },
    options?: CallOptions,
  ): Promise<DeleteResult> {
    await waitFor(options, false, () => this.#checked());
    return this.#database.delete({ ...this.#place(), ...target }, options);
  }

  async get(
    id: KeyInput | readonly KeyInput[],
    options?: CallOptions & { readonly outputFields?: readonly string[] },
  ): Promise<R[]> {
    await waitFor(options, false, () => this.#checked());
    const outputFields = options?.outputFields;
    const body = { ...this.#place(), id, ...(outputFields === undefined ? {} : { outputFields }) };
    return (await this.#database.get(body, options)) as R[];
  }

  async query(body: Body<QueryBody> = {}, options?: CallOptions): Promise<R[]> {
    await waitFor(options, false, () => this.#checked());
    return (await this.#database.query({ ...body, ...this.#place() }, options)) as R[];
  }

  async count(filter?: string, options?: CallOptions): Promise<number> {
    await waitFor(options, false, () => this.#checked());
    return this.#database.count({ ...this.#place(), ...(filter === undefined ? {} : { filter }) }, options);
  }

  /** One list of hits for each entry of `data`: vectors, or texts if the handle has an embedder. */
  search(body: SearchOf, options?: CallOptions): Promise<Hit<R>[][]> {
    return withDeadline(options, false, async (signal) =>
      this.#searchFor(await this.#searchBody(body, signal, options), { ...options, signal }),
    );
  }

  /** As `subscribe` of the database, of this collection alone. */
  subscribe(listener: (change: Change<readonly KeyOf<Mode>[]>) => void): () => void {
    const { dbName: databaseName = DEFAULT_DATABASE } = this.#options;
    return this.#database.subscribe((change) => {
      if (concerns(change, { databaseName, collectionName: this.name })) listener(change);
    });
  }

  /** As `liveSearch` of the database; texts are embedded once. Changes that cannot be heard of are `unsupported`. */
  liveSearch(body: SearchOf, listener: (hits: Hit<R>[][]) => void, options: LiveOptions = {}): LiveSearch {
    let prepared: SearchBody | undefined;
    return new RunningSearch<Hit<R>[][]>({
      search: async (signal, isFirst) => {
        prepared ??= await this.#searchBody(body, signal);
        return this.#searchFor(isFirst ? prepared : { consistencyLevel: 'Strong', ...prepared }, { signal });
      },
      subscribe: (hear) => this.subscribe(hear),
      listener,
      options,
      collectionName: this.name,
    });
  }

  flush(options?: CallOptions): Promise<void> {
    return this.#database.flush(this.#place(), options);
  }

  /** The body with the handle's place and with vectors for its texts. */
  async #searchBody(body: SearchOf, signal: AbortSignal, options?: CallOptions): Promise<SearchBody> {
    await unlessAborted(signal, () => this.#checked());
    const data = await this.#embedQueries(body.data, this.#textsOptions('query', signal, options));
    const vectorField = body['annsField'] ?? this.#options.vectorField;
    const request = {
      ...body,
      ...this.#place(),
      data,
      ...(vectorField === undefined ? {} : { annsField: vectorField }),
    };
    return request as unknown as SearchBody;
  }

  async #searchFor(body: SearchBody, options: CallOptions & { readonly signal: AbortSignal }): Promise<Hit<R>[][]> {
    const hits = this.#database.search(body, options);
    return (await unlessAborted(options.signal, () => hits)) as unknown as Hit<R>[][];
  }

  #place(): { readonly collectionName: string; readonly dbName?: string } {
    const { dbName } = this.#options;
    return { collectionName: this.name, ...(dbName === undefined ? {} : { dbName }) };
  }

  /** What the collection is, compared with the handle, once; a failure is told again at the next call. */
  #checked(): Promise<CollectionDescription | undefined> {
    const { fields, embedder } = this.#options;
    if (fields === undefined && embedder === undefined) return Promise.resolve(undefined);
    // Without the options of any call: others may wait for the same answer.
    this.#check ??= this.describe().then(
      (description) => {
        checkFields(description, this.#options);
        return description;
      },
      (error: unknown) => {
        this.#check = undefined;
        throw error;
      },
    );
    return this.#check;
  }

  async #write<Key>(
    mode: 'insert' | 'upsert',
    data: unknown,
    options: CallOptions | undefined,
    send: (rows: readonly RowInput[], options: CallOptions) => Promise<readonly Key[]>,
  ): Promise<readonly Key[]> {
    const rows = rowsOf(data);
    const progress = new WriteProgress(rows.length);
    return withDeadline(options, true, async (signal) => {
      try {
        const description = await unlessAborted(signal, () => this.#checked());
        const { embedder } = this.#options;
        if (embedder !== undefined) {
          const fields = { textField: textFieldOf(this.#options), vectorField: vectorFieldOf(this.#options) };
          const texts = textsOf(rows, fields);
          if (texts.some((text) => text !== undefined)) {
            const parts = [...partsOf(rows, embedder)];
            const vector = { field: fields.vectorField, dimension: embedder.dimension };
            const check = { database: this.#database, place: this.#place(), mode, rows, parts, description, vector };
            await checkRows(check, { signal });
            const write = { embedder, fields, parts, rows, texts, progress, send };
            return await writeTexts(write, this.#textsOptions('document', signal, options));
          }
        }
        progress.sending = rows.length;
        const { transfer } = options ?? {};
        const keys = await send(rows, { signal, ...(transfer === undefined ? {} : { transfer }) });
        options?.onProgress?.({ phase: 'insert', done: rows.length, total: rows.length });
        return keys;
      } catch (error) {
        throw progress.errorOf(signal.aborted ? signal.reason : error, signal.aborted);
      }
    });
  }

  async #embedQueries(data: readonly (VectorInput | string)[], options: TextsOptions): Promise<VectorInput[]> {
    const texts = data.filter((entry) => typeof entry === 'string');
    if (texts.length === 0) return data as VectorInput[];
    const { embedder } = this.#options;
    if (embedder === undefined) {
      throw new ElanusError('invalid', `Collection ${this.name} was given text but its handle has no embedder.`);
    }
    const vectors = await new TextsOfCall(embedder, texts, options).embed(texts);
    let next = 0;
    return data.map((entry) => (typeof entry === 'string' ? (vectors[next++] as Float32Array) : entry));
  }

  #textsOptions(kind: 'document' | 'query', signal: AbortSignal, options: CallOptions | undefined): TextsOptions {
    const { embedder, embeddingCache } = this.#options;
    const own = embedder === undefined ? undefined : memoryCacheOf(embedder);
    return {
      kind,
      signal,
      cache: embeddingCache === false ? undefined : (embeddingCache ?? own),
      onProgress: options?.onProgress,
    };
  }
}
