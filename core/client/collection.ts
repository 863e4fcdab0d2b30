import { ElanusError } from '../base/error.ts';
import type {
  CallOptions,
  CollectionDescription,
  CreateCollectionBody,
  DeleteResult,
  Elanus,
  Hit,
  InsertResult,
  Int64Mode,
  KeyInput,
  QueryBody,
  RowInput,
  SearchBody,
  UpsertResult,
  VectorInput,
} from '../elanus.ts';
import { checkFields, createBody, textFieldOf, vectorFieldOf } from './collection-fields.ts';
import type { CollectionOptions, RowInputOf } from './collection-types.ts';

/** Texts embedded in one call of the embedder: progress is shown and cancellation heeded between calls. */
const EMBED_BATCH = 64;

type Body<B> = Omit<B, 'collectionName' | 'dbName'>;

/**
 * One collection of a database, typed. Its methods are those of `Elanus` without the collection's name; with an
 * embedder, rows may lack their vector and queries may be text.
 */
export class Collection<R extends object, Mode extends Int64Mode> {
  readonly name: string;
  readonly #database: Elanus<Mode>;
  readonly #options: CollectionOptions;
  #checked: Promise<void> | undefined;

  constructor(database: Elanus<Mode>, name: string, options: CollectionOptions) {
    this.#database = database;
    this.name = name;
    this.#options = options;
  }

  /**
   * Creates the collection from the handle's `fields`; the same definition again does nothing. The vector fields get
   * an AUTOINDEX.
   *
   * @param options.metricType of every vector field, `COSINE` by default
   */
  async create(options: { readonly metricType?: string } & CallOptions = {}): Promise<void> {
    const body: CreateCollectionBody = createBody(this.name, this.#options, options.metricType ?? 'COSINE');
    await this.#database.createCollection(body, options);
  }

  describe(options?: CallOptions): Promise<CollectionDescription> {
    return this.#database.describeCollection(this.#place(), options);
  }

  async exists(options?: CallOptions): Promise<boolean> {
    return this.#database.hasCollection(this.#place(), options);
  }

  async drop(options?: CallOptions): Promise<void> {
    await this.#database.dropCollection(this.#place(), options);
    this.#checked = undefined;
  }

  /** Inserts one row or many; with an embedder, rows without a vector get that of their text. */
  async insert(data: RowInputOf<R> | readonly RowInputOf<R>[], options?: CallOptions): Promise<InsertResult<Mode>> {
    await this.#check(options);
    const rows = await this.#embedRows(data, options);
    const result = await this.#database.insert({ ...this.#place(), data: rows }, options);
    options?.onProgress?.({ phase: 'insert', done: rows.length, total: rows.length });
    return result;
  }

  /** As `insert`; a row whose key exists is replaced. */
  async upsert(data: RowInputOf<R> | readonly RowInputOf<R>[], options?: CallOptions): Promise<UpsertResult<Mode>> {
    await this.#check(options);
    const rows = await this.#embedRows(data, options);
    return this.#database.upsert({ ...this.#place(), data: rows }, options);
  }

  /** Deletes by keys or by filter. */
  async delete(
    target: { readonly ids: readonly KeyInput[] } | { readonly filter: string; readonly exprParams?: RowInput },
    options?: CallOptions,
  ): Promise<DeleteResult> {
    await this.#check(options);
    return this.#database.delete({ ...this.#place(), ...target }, options);
  }

  async get(
    id: KeyInput | readonly KeyInput[],
    options?: CallOptions & { readonly outputFields?: readonly string[] },
  ): Promise<R[]> {
    await this.#check(options);
    const outputFields = options?.outputFields;
    const body = { ...this.#place(), id, ...(outputFields === undefined ? {} : { outputFields }) };
    return (await this.#database.get(body, options)) as R[];
  }

  async query(body: Body<QueryBody> = {}, options?: CallOptions): Promise<R[]> {
    await this.#check(options);
    return (await this.#database.query({ ...body, ...this.#place() }, options)) as R[];
  }

  async count(filter?: string, options?: CallOptions): Promise<number> {
    await this.#check(options);
    return this.#database.count({ ...this.#place(), ...(filter === undefined ? {} : { filter }) }, options);
  }

  /** One list of hits for each entry of `data`: vectors, or texts if the handle has an embedder. */
  async search(
    body: Body<Omit<SearchBody, 'data'>> & { readonly data: readonly (VectorInput | string)[] },
    options?: CallOptions,
  ): Promise<Hit<R>[][]> {
    await this.#check(options);
    const data = await this.#embedQueries(body.data, options);
    const vectorField = body['annsField'] ?? this.#options.vectorField;
    const request = {
      ...body,
      ...this.#place(),
      data,
      ...(vectorField === undefined ? {} : { annsField: vectorField }),
    };
    return (await this.#database.search(request as unknown as SearchBody, options)) as unknown as Hit<R>[][];
  }

  flush(options?: CallOptions): Promise<void> {
    return this.#database.flush(this.#place(), options);
  }

  #place(): { readonly collectionName: string; readonly dbName?: string } {
    const { dbName } = this.#options;
    return { collectionName: this.name, ...(dbName === undefined ? {} : { dbName }) };
  }

  /** Compares the handle's fields with the collection, once; a failure is told again at the next call. */
  #check(options: CallOptions | undefined): Promise<void> {
    const { fields, embedder } = this.#options;
    if (fields === undefined && embedder === undefined) return Promise.resolve();
    this.#checked ??= this.describe(options).then(
      (description) => checkFields(description, this.#options),
      (error: unknown) => {
        this.#checked = undefined;
        throw error;
      },
    );
    return this.#checked;
  }

  async #embedRows(data: unknown, options: CallOptions | undefined): Promise<RowInput[]> {
    const rows = (Array.isArray(data) ? data : [data]) as RowInput[];
    const { embedder } = this.#options;
    if (embedder === undefined) return rows;
    const vectorField = vectorFieldOf(this.#options);
    const textField = textFieldOf(this.#options);
    const bare = rows.flatMap((row, index) => (row[vectorField] === undefined ? [index] : []));
    const texts = bare.map((index) => {
      const text = rows[index]?.[textField];
      if (typeof text === 'string') return text;
      throw new ElanusError(
        'invalid',
        `Row ${index} has neither a vector in ${vectorField} nor a text in ${textField}.`,
        {
          details: { row: index, field: textField },
        },
      );
    });
    const vectors = await this.#embed(texts, 'document', options);
    const complete = [...rows];
    for (const [at, index] of bare.entries()) complete[index] = { ...rows[index], [vectorField]: vectors[at] };
    return complete;
  }

  async #embedQueries(
    data: readonly (VectorInput | string)[],
    options: CallOptions | undefined,
  ): Promise<VectorInput[]> {
    const texts = data.filter((entry) => typeof entry === 'string');
    if (texts.length === 0) return data as VectorInput[];
    const vectors = await this.#embed(texts, 'query', options);
    let next = 0;
    return data.map((entry) => (typeof entry === 'string' ? (vectors[next++] as Float32Array) : entry));
  }

  async #embed(
    texts: readonly string[],
    kind: 'document' | 'query',
    options: CallOptions | undefined,
  ): Promise<Float32Array[]> {
    const { embedder } = this.#options;
    if (embedder === undefined) {
      throw new ElanusError('invalid', `Collection ${this.name} was given text but its handle has no embedder.`);
    }
    const vectors: Float32Array[] = [];
    for (let start = 0; start < texts.length; start += EMBED_BATCH) {
      if (options?.signal?.aborted) {
        throw new ElanusError('aborted', 'Stopped while texts were embedded; nothing was written.', {
          details: { outcome: 'not-written' },
        });
      }
      const batch = texts.slice(start, start + EMBED_BATCH);
      const made = await embedder.embed(batch, {
        kind,
        ...(options?.signal === undefined ? {} : { signal: options.signal }),
      });
      const bad = made.find((vector) => vector.length !== embedder.dimension);
      if (made.length !== batch.length || bad !== undefined) {
        throw new ElanusError(
          'invalid',
          `The embedder ${embedder.model} gave ${made.length} vectors${bad === undefined ? '' : ` of ${bad.length} values`} for ${batch.length} texts; it must give one of ${embedder.dimension} values each.`,
        );
      }
      vectors.push(...made);
      options?.onProgress?.({ phase: 'embed', done: vectors.length, total: texts.length });
    }
    return vectors;
  }
}
