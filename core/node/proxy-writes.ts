import { codeOf, ElanusError } from '../base/error.ts';
import { encodeBatch } from '../column/codec.ts';
import { gatherBatch } from '../column/gather.ts';
import type { ColumnBatch, Key } from '../model/column.ts';
import { buildBatch, rowsOf, type WriteMode } from '../model/entity.ts';
import { toKeys } from '../model/request.ts';
import { type CollectionMeta, primaryField } from '../model/schema.ts';
import { isAlwaysTrue, keysOf } from '../query/keys.ts';
import type { CollectionCache } from './collection-cache.ts';
import type { ChannelAddress, Cluster, CollectionEntry, CollectionName, DeleteRequest } from './protocol.ts';
import { collectionNotLoaded, filterOf, type ProxyBody } from './proxy-body.ts';
import { askChannels, channelAddresses, routeKeys } from './routing.ts';

/** Keys named in an error about a write that reached some channels only. */
const KEYS_NAMED_MAX = 100;

/** The writing methods of the proxy. Everything is checked before anything is sent. */
export class ProxyWrites {
  readonly #cluster: Cluster;
  readonly #collections: CollectionCache;

  constructor(cluster: Cluster, collections: CollectionCache) {
    this.#cluster = cluster;
    this.#collections = collections;
  }

  async insert(name: CollectionName, body: ProxyBody): Promise<{ insertCount: number; insertIds: Key[] }> {
    const keys = await this.#write(name, body['data'], 'insert');
    return { insertCount: keys.length, insertIds: keys };
  }

  async upsert(name: CollectionName, body: ProxyBody): Promise<{ upsertCount: number; upsertIds: Key[] }> {
    const keys = await this.#write(name, body['data'], 'upsert');
    return { upsertCount: keys.length, upsertIds: keys };
  }

  /** Refuses the rows that `insert` or `upsert` (`mode`) would refuse, and writes none. */
  async check(name: CollectionName, body: ProxyBody): Promise<object> {
    const rows = rowsOf(body['data']);
    const mode = body['mode'] === 'upsert' ? 'upsert' : 'insert';
    return this.#collections.use(name, async ({ meta }) => {
      buildBatch(rows, meta, mode, 0);
      return {};
    });
  }

  async delete(name: CollectionName, body: ProxyBody): Promise<{ deleteCount: number }> {
    return this.#collections.use(name, async (entry) => {
      const target = deleteTarget(entry, body, name);
      if ('filter' in target) return { deleteCount: await this.#deleteMatching(entry.meta, target) };
      await this.#deleteKeys(entry.meta, target.keys);
      return { deleteCount: target.keys.length };
    });
  }

  async #write(name: CollectionName, data: unknown, mode: WriteMode): Promise<Key[]> {
    const rows = rowsOf(data);
    return this.#collections.use(name, async ({ meta }) => {
      const automatic = mode === 'insert' && primaryField(meta.schema).autoId;
      const range = automatic ? await this.#cluster.coordinator.allocateKeys(meta.id, rows.length) : undefined;
      const batch = buildBatch(rows, meta, mode, range?.first);
      const keys = keysIn(batch, meta);
      if (keys.length === 0) return keys;
      await this.#route(meta, keys, (address, indexes) => {
        const part = indexes.length === keys.length ? batch : gatherBatch(batch, Uint32Array.from(indexes));
        return this.#cluster.streamingNode(address.channel).write({ ...address, batch: encodeBatch(part) });
      });
      return keys;
    });
  }

  async #deleteKeys(meta: CollectionMeta, keys: readonly Key[]): Promise<void> {
    await this.#route(meta, keys, (address, indexes) => {
      const part = indexes.map((index) => keys[index] as Key);
      return this.#cluster.streamingNode(address.channel).delete({ ...address, target: { keys: part } });
    });
  }

  async #deleteMatching(meta: CollectionMeta, target: DeleteRequest['target']): Promise<number> {
    const answers = await askChannels(this.#cluster, meta, (peer, address) => peer.delete({ ...address, target }));
    return answers.reduce((sum, { deleteCount }) => sum + deleteCount, 0);
  }

  /**
   * Sends each channel its keys. A channel's part is atomic; where some parts fail, the error says which keys were not
   * written, so that a retry can be exact.
   */
  async #route(
    meta: CollectionMeta,
    keys: readonly Key[],
    send: (address: ChannelAddress, indexes: readonly number[]) => Promise<unknown>,
  ): Promise<void> {
    const routed = routeKeys(keys, meta.shardsNum);
    const parts = channelAddresses(meta).flatMap((address, shard) => {
      const indexes = routed[shard];
      return indexes === undefined ? [] : [{ address, indexes }];
    });
    const outcomes = await Promise.allSettled(parts.map(({ address, indexes }) => send(address, indexes)));
    const failed = parts.filter((_, part) => outcomes[part]?.status === 'rejected');
    const first = outcomes.find((outcome) => outcome.status === 'rejected');
    if (first === undefined) return;
    // A single part, or a schema that has changed, is the channel's own error.
    if (failed.length === parts.length) throw first.reason;
    const missing = failed.flatMap(({ indexes }) => indexes.map((index) => String(keys[index])));
    throw new ElanusError(
      'unavailable',
      `${missing.length} of ${keys.length} rows were not acknowledged; write these again: ${missing.slice(0, KEYS_NAMED_MAX).join(', ')}${missing.length > KEYS_NAMED_MAX ? ', …' : ''}`,
      { cause: first.reason, details: { keys: missing.join(','), reason: codeOf(first.reason), outcome: 'unknown' } },
    );
  }
}

function keysIn(batch: ColumnBatch, meta: CollectionMeta): Key[] {
  const values = batch.scalars.get(primaryField(meta.schema).id)?.values as ArrayLike<Key> | undefined;
  return Array.from({ length: batch.length }, (_, row) => values?.[row] as Key);
}

function deleteTarget(entry: CollectionEntry, body: ProxyBody, name: CollectionName): DeleteRequest['target'] {
  const { meta, loaded } = entry;
  const expression = filterOf(body, meta, 'delete');
  if (body['ids'] !== undefined && expression !== undefined) {
    throw new ElanusError('invalid', 'delete takes either `ids` or `filter`, not both.');
  }
  if (body['ids'] !== undefined) return { keys: toKeys(body['ids'], primaryField(meta.schema)) };
  if (expression === undefined) {
    throw new ElanusError(
      'invalid',
      "missing required parameters, error: Key: 'CollectionFilterReq.Filter' Error:Field validation for 'Filter' failed on the 'required' tag",
      { milvusCode: 1802, details: { field: 'filter' } },
    );
  }
  if (isAlwaysTrue(expression)) {
    throw new ElanusError('invalid', `delete plan can't be empty or always true : ${String(body['filter'])}`);
  }
  const keys = keysOf(expression, primaryField(meta.schema).id);
  if (keys !== undefined) return { keys };
  if (!loaded) throw collectionNotLoaded(name);
  return { filter: expression };
}
