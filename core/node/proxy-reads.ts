import { ElanusError } from '../base/error.ts';
import { concatBatches, gatherBatch } from '../column/gather.ts';
import type { Hit, Row } from '../elanus.ts';
import type { ColumnBatch, Key } from '../model/column.ts';
import type { SearchTrace } from '../model/inspection.ts';
import { type OutputPlan, resolveOutputFields, rowsFromBatch } from '../model/output.ts';
import { consistencyOf, pageOf, searchPlan, toKeys } from '../model/request.ts';
import { type CollectionMeta, metricOf, primaryField } from '../model/schema.ts';
import { compareKeys, mergeHits } from '../query/reduce.ts';
import type { Clock } from '../time/clock.ts';
import type { CollectionCache } from './collection-cache.ts';
import type { Cluster, CollectionName, Guarantee, QueryAnswer } from './protocol.ts';
import { collectionNotLoaded, filterOf, type ProxyBody } from './proxy-body.ts';
import { askChannels } from './routing.ts';
import { Stopwatch } from './stopwatch.ts';

/** The output field by which Milvus's query counts. */
const COUNT_FIELD = 'count(*)';

/** The reading methods of the proxy: one plan for all channels, asked in parallel, merged. */
export class ProxyReads {
  readonly #cluster: Cluster;
  readonly #collections: CollectionCache;
  readonly #clock: Clock;

  constructor(cluster: Cluster, collections: CollectionCache, clock: Clock) {
    this.#cluster = cluster;
    this.#collections = collections;
    this.#clock = clock;
  }

  get(name: CollectionName, body: ProxyBody): Promise<Row[]> {
    return this.#loaded(name, async (meta) => {
      const keys = toKeys(body['id'], primaryField(meta.schema));
      const output = resolveOutputFields(body['outputFields'], meta.schema, 'all');
      const guarantee = await this.#guarantee(meta, body);
      const answers = await askChannels(this.#cluster, meta, (peer, address) =>
        peer.query({ ...address, guarantee, keys, output }),
      );
      return mergeRows(answers, meta, output, 0, undefined);
    });
  }

  query(name: CollectionName, body: ProxyBody): Promise<Row[]> {
    return this.#loaded(name, async (meta) => {
      const filter = filterOf(body, meta, 'query');
      if (countsOnly(body)) return [{ [COUNT_FIELD]: BigInt(await this.#count(meta, body)) }];
      const { limit, offset } = pageOf(body, 'query');
      if (filter === undefined && limit === undefined) {
        throw new ElanusError('invalid', 'empty expression should be used with limit');
      }
      const output = resolveOutputFields(body['outputFields'], meta.schema, 'all');
      const guarantee = await this.#guarantee(meta, body);
      const request = {
        guarantee,
        output,
        ...(filter === undefined ? {} : { filter }),
        ...(limit === undefined ? {} : { limit: limit + offset }),
      };
      const answers = await askChannels(this.#cluster, meta, (peer, address) => peer.query({ ...address, ...request }));
      return mergeRows(answers, meta, output, offset, limit);
    });
  }

  count(name: CollectionName, body: ProxyBody): Promise<number> {
    return this.#loaded(name, (meta) => this.#count(meta, body));
  }

  async search(name: CollectionName, body: ProxyBody): Promise<Hit[][]> {
    return (await this.#search(name, body, undefined)).hits;
  }

  /** A search that tells where its time went. */
  async tracedSearch(name: CollectionName, body: ProxyBody): Promise<{ hits: Hit[][]; trace: SearchTrace }> {
    const watch = new Stopwatch(this.#clock);
    const { hits, trace } = await this.#search(name, body, watch);
    return { hits, trace: { ...(trace as Omit<SearchTrace, 'totalMs'>), totalMs: watch.total() } };
  }

  #search(
    name: CollectionName,
    body: ProxyBody,
    watch: Stopwatch | undefined,
  ): Promise<{ hits: Hit[][]; trace: Omit<SearchTrace, 'totalMs'> | undefined }> {
    return this.#loaded(name, async (meta) => {
      const { field, queries, queryCount } = searchPlan(body, meta);
      const { limit, offset } = pageOf(body, 'search');
      const filter = filterOf(body, meta, 'query');
      const output = resolveOutputFields(body['outputFields'], meta.schema, 'none');
      const guarantee = await this.#guarantee(meta, body);
      const wanted = limit + offset;
      const request = {
        guarantee,
        output,
        fieldId: field.id,
        queries,
        queryCount,
        limit: wanted,
        ...(filter === undefined ? {} : { filter }),
        ...(watch === undefined ? {} : { isTraced: true }),
      };
      const planMs = watch?.lap() ?? 0;
      const answers = await askChannels(this.#cluster, meta, (peer, address) =>
        peer.search({ ...address, ...request }),
      );
      const channelsMs = watch?.lap() ?? 0;
      const merged = mergeHits(answers, queryCount, wanted, metricOf(meta, field.id));
      const rows = answers.map(({ batch, distances }) => rowsFromBatch(batch, meta.schema, output, distances));
      const hits = merged.map((places) => places.slice(offset).map(({ list, at }) => rows[list]?.[at] as Hit));
      if (watch === undefined) return { hits, trace: undefined };
      const channels = answers.flatMap(({ trace }) => (trace === undefined ? [] : [trace]));
      return { hits, trace: { planMs, channelsMs, mergeMs: watch.lap(), channels } };
    });
  }

  async #count(meta: CollectionMeta, body: ProxyBody): Promise<number> {
    const filter = filterOf(body, meta, 'query');
    const guarantee = await this.#guarantee(meta, body);
    const request = { guarantee, ...(filter === undefined ? {} : { filter }) };
    const counts = await askChannels(this.#cluster, meta, (peer, address) => peer.count({ ...address, ...request }));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  #loaded<Answer>(name: CollectionName, read: (meta: CollectionMeta) => Promise<Answer>): Promise<Answer> {
    return this.#collections.use(name, ({ meta, loaded }) => {
      if (!loaded) throw collectionNotLoaded(name);
      return read(meta);
    });
  }

  /**
   * What the read must see. With one channel the channel itself knows; several need one timestamp, so that what one
   * call wrote to two of them is seen in both or in neither.
   */
  async #guarantee(meta: CollectionMeta, body: ProxyBody): Promise<Guarantee> {
    const level = consistencyOf(body) ?? meta.consistencyLevel;
    if (meta.shardsNum === 1 || level === 'Bounded' || level === 'Eventually') return { level };
    const { first } = await this.#cluster.coordinator.allocateTimestamps(1);
    return { level, timestamp: first };
  }
}

function countsOnly(body: ProxyBody): boolean {
  const fields = body['outputFields'];
  if (!Array.isArray(fields) || !fields.includes(COUNT_FIELD)) return false;
  if (fields.length > 1) {
    throw new ElanusError('unsupported', `${COUNT_FIELD} cannot be combined with other output fields yet.`);
  }
  if (Number(body['offset'] ?? 0) > 0) {
    throw new ElanusError('invalid', 'count entities with pagination is not allowed');
  }
  return true;
}

/** Rows of several channels in the order of their keys; each channel's are in that order already. */
function mergeRows(
  answers: readonly QueryAnswer[],
  meta: CollectionMeta,
  output: OutputPlan,
  offset: number,
  limit: number | undefined,
): Row[] {
  const batches = answers.map(({ batch }) => batch).filter(({ length }) => length > 0);
  const [first] = batches;
  if (first === undefined) return [];
  const all = batches.length === 1 ? first : concatBatches(batches);
  const keys = all.scalars.get(primaryField(meta.schema).id)?.values as ArrayLike<Key>;
  const order = Array.from({ length: all.length }, (_, row) => row);
  if (batches.length > 1) order.sort((a, b) => compareKeys(keys[a] as Key, keys[b] as Key));
  const end = limit === undefined ? order.length : offset + limit;
  const page: ColumnBatch =
    batches.length === 1 && offset === 0 && all.length <= end
      ? all
      : gatherBatch(all, Uint32Array.from(order.slice(offset, end)));
  return rowsFromBatch(page, meta.schema, output);
}
