import { codeOf, ElanusError } from '../base/error.ts';
import type { CollectionBody, CreateCollectionBody } from '../elanus.ts';
import { describeCollection } from '../model/collection-description.ts';
import { draftCollection } from '../model/collection-draft.ts';
import type { CollectionInspection, InspectBody } from '../model/inspection.ts';
import { refuseUnsupported } from '../model/request.ts';
import { DEFAULT_DATABASE, isVector } from '../model/schema.ts';
import type { Clock } from '../time/clock.ts';
import { CollectionCache } from './collection-cache.ts';
import type { Cluster, CollectionEntry, CollectionName } from './protocol.ts';
import { ProxyReads } from './proxy-reads.ts';
import { ProxyWrites } from './proxy-writes.ts';
import { askChannels } from './routing.ts';

type Handler = (body: Record<string, unknown>) => Promise<unknown>;

/**
 * The proxy: checks what a caller gives, makes the plan, routes it to the channels and merges their answers. It keeps
 * nothing but a short memory of collections, so there may be any number of them.
 *
 * Bodies are those of Milvus's REST v2 and answers its `data`, except that Int64 values are always bigint, vectors
 * `Float32Array`, and a search gives one list of hits for each query.
 */
export class Proxy {
  readonly #cluster: Cluster;
  readonly #collections: CollectionCache;
  readonly #handlers: ReadonlyMap<string, Handler>;

  constructor(cluster: Cluster, clock: Clock) {
    this.#cluster = cluster;
    this.#collections = new CollectionCache(cluster.coordinator, clock);
    const writes = new ProxyWrites(cluster, this.#collections);
    const reads = new ProxyReads(cluster, this.#collections, clock);
    this.#handlers = new Map<string, Handler>([
      ['createCollection', (body) => this.#createCollection(body as unknown as CreateCollectionBody)],
      ['describeCollection', async (body) => describeCollection(await this.#describe(body))],
      ['listCollections', (body) => cluster.coordinator.listCollections(databaseOf(body))],
      ['hasCollection', (body) => this.#hasCollection(body)],
      ['dropCollection', (body) => this.#dropCollection(body)],
      ['getCollectionStatistics', (body) => this.#statistics(body)],
      ['loadCollection', (body) => this.#load(body)],
      ['releaseCollection', (body) => this.#release(body)],
      ['getCollectionLoadState', (body) => this.#loadState(body)],
      ['flush', (body) => this.#flush(body)],
      ['insert', (body) => writes.insert(nameOf(body), body)],
      ['upsert', (body) => writes.upsert(nameOf(body), body)],
      ['checkRows', (body) => writes.check(nameOf(body), body)],
      ['delete', (body) => writes.delete(nameOf(body), body)],
      ['get', (body) => reads.get(nameOf(body), body)],
      ['query', (body) => reads.query(nameOf(body), body)],
      ['count', (body) => reads.count(nameOf(body), body)],
      ['search', (body) => reads.search(nameOf(body), body)],
      ['tracedSearch', (body) => reads.tracedSearch(nameOf(body), body)],
      ['inspect', (body) => this.#inspect(body as InspectBody)],
    ]);
  }

  /** Runs one method of `Elanus` with the body of its REST call. */
  async call(method: string, body: unknown): Promise<unknown> {
    const handler = this.#handlers.get(method);
    if (handler === undefined) throw new ElanusError('unsupported', `There is no method ${method}.`);
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      throw new ElanusError('invalid', `${method} takes one object; see its body in Milvus's REST v2.`, {
        milvusCode: 1801,
      });
    }
    refuseUnsupported(body as Record<string, unknown>, method === 'tracedSearch' ? 'search' : method);
    return handler(body as Record<string, unknown>);
  }

  async #createCollection(body: CreateCollectionBody): Promise<object> {
    const draft = draftCollection(body, DEFAULT_DATABASE);
    this.#collections.forget(draft);
    await this.#cluster.coordinator.createCollection(draft);
    return {};
  }

  async #describe(body: Record<string, unknown>): Promise<CollectionEntry> {
    return this.#collections.reload(nameOf(body));
  }

  async #hasCollection(body: Record<string, unknown>): Promise<{ has: boolean }> {
    const { databaseName, collectionName } = nameOf(body);
    return { has: (await this.#cluster.coordinator.listCollections(databaseName)).includes(collectionName) };
  }

  async #dropCollection(body: Record<string, unknown>): Promise<object> {
    const name = nameOf(body);
    const found = await this.#collections.reload(name).catch(noneIfNotFound);
    this.#collections.forget(name);
    // By its id, so that the call may be sent again.
    if (found !== undefined) await this.#cluster.coordinator.dropCollection(name, found.meta.id);
    return {};
  }

  async #statistics(body: Record<string, unknown>): Promise<{ rowCount: number }> {
    const rowCount = await this.#collections.use(nameOf(body), async ({ meta }) => {
      const counts = await askChannels(this.#cluster, meta, (peer, address) => peer.statistics(address));
      return counts.reduce((sum, statistics) => sum + statistics.rowCount, 0);
    });
    return { rowCount };
  }

  async #inspect(body: InspectBody): Promise<CollectionInspection[]> {
    const databaseName = databaseOf(body);
    const { coordinator } = this.#cluster;
    const names =
      body.collectionName === undefined
        ? await coordinator.listCollections(databaseName)
        : [nameOf({ ...body }).collectionName];
    return Promise.all(
      names.map(async (collectionName) => {
        const { meta, loaded } = await this.#collections.reload({ databaseName, collectionName });
        const channels = await askChannels(this.#cluster, meta, (peer, address) => peer.statistics(address));
        const rowCount = channels.reduce((sum, channel) => sum + channel.rowCount, 0);
        return { collectionName, collectionID: meta.id, loaded, rowCount, channels };
      }),
    );
  }

  async #load(body: Record<string, unknown>): Promise<object> {
    const name = nameOf(body);
    const { meta } = await this.#collections.reload(name);
    const indexed = new Set(meta.indexes.map((index) => index.fieldName));
    if (indexed.size === 0) {
      throw new ElanusError('invalid', `index not found[collection=${name.collectionName}]`, { milvusCode: 700 });
    }
    const bare = meta.schema.fields.filter((field) => isVector(field) && !indexed.has(field.name));
    if (bare.length > 0) {
      const fields = bare.map((field) => field.name).join(', ');
      throw new ElanusError('invalid', `there is no vector index on field: [${fields}], please create index firstly`);
    }
    await this.#setLoaded(name, true);
    return {};
  }

  async #release(body: Record<string, unknown>): Promise<object> {
    const name = nameOf(body);
    await this.#setLoaded(name, false);
    await this.#collections.use(name, ({ meta }) =>
      askChannels(this.#cluster, meta, (peer, address) => peer.release(address)),
    );
    return {};
  }

  async #setLoaded(name: CollectionName, loaded: boolean): Promise<void> {
    await this.#cluster.coordinator.setLoaded(name, loaded);
    this.#collections.forget(name);
  }

  async #loadState(body: Record<string, unknown>): Promise<object> {
    const { loaded } = await this.#collections.reload(nameOf(body)).catch((error: unknown) => {
      throw codeOf(error) === 'not-found' ? loadStateOfNone(error as ElanusError, nameOf(body)) : error;
    });
    return loaded ? { loadState: 'LoadStateLoaded', loadProgress: 100 } : { loadState: 'LoadStateNotLoad' };
  }

  async #flush(body: Record<string, unknown>): Promise<object> {
    await this.#collections.use(nameOf(body), ({ meta }) =>
      askChannels(this.#cluster, meta, (peer, address) => peer.flush(address)),
    );
    return {};
  }
}

/** A database that does not exist is told; a collection that does not is nothing to drop. */
function noneIfNotFound(error: unknown): undefined {
  if (codeOf(error) !== 'not-found' || (error as ElanusError).milvusCode !== 100) throw error;
}

/** Milvus has other words for an unknown collection here than elsewhere. */
function loadStateOfNone({ milvusCode, details }: ElanusError, { collectionName }: CollectionName): ElanusError {
  return new ElanusError('not-found', `collection not found[collection=${collectionName}]`, { milvusCode, details });
}

function databaseOf(body: { readonly dbName?: unknown }): string {
  const { dbName } = body;
  if (dbName === undefined || dbName === null || dbName === '') return DEFAULT_DATABASE;
  if (typeof dbName === 'string') return dbName;
  throw new ElanusError('invalid', 'dbName must be a string.', { milvusCode: 1801, details: { field: 'dbName' } });
}

function nameOf(body: Record<string, unknown>): CollectionName {
  const { collectionName } = body as Partial<CollectionBody>;
  if (typeof collectionName === 'string' && collectionName !== '') {
    return { databaseName: databaseOf(body), collectionName };
  }
  throw new ElanusError('invalid', 'collectionName is missing: give the name of the collection as a string.', {
    milvusCode: 1802,
    details: { field: 'collectionName' },
  });
}
