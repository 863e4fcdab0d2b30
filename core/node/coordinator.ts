import { codeOf, ElanusError } from '../base/error.ts';
import { tryAll } from '../base/try-all.ts';
import {
  type Catalog,
  type CatalogEntry,
  collectionsOf,
  type DroppedCollection,
  findCollection,
  withCollection,
  withoutCollection,
  withoutDropped,
} from '../catalog/catalog.ts';
import { CatalogStore } from '../catalog/catalog-store.ts';
import { partitionPrefix } from '../manifest/garbage.ts';
import type { ChangeKind } from '../model/change.ts';
import { sameCollection } from '../model/collection-draft.ts';
import { GARBAGE_GRACE_MS } from '../model/limits.ts';
import { type CollectionMeta, channelNames, isVector } from '../model/schema.ts';
import type { Platform } from '../platform.ts';
import { Counter } from '../storage/counter.ts';
import { deletePrefix } from '../storage/delete-prefix.ts';
import { TimestampOracle } from '../time/tso.ts';
import { announceChange } from './change-feed.ts';
import type {
  CollectionDraft,
  CollectionEntry,
  CollectionName,
  CoordinatorPeer,
  StreamingPeer,
  TimestampRange,
} from './protocol.ts';

/** Automatic keys reserved ahead at each write of their counter; a restart skips what was left of them. */
const KEYS_WINDOW = 10_000n;
/** Automatic keys stay exact in a JavaScript number. */
const AUTO_KEY_MAX = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * The coordinator: DDL, timestamps and automatic keys. One is active in an instance, and nothing breaks if there are
 * two: every decision is a compare-and-swap of the catalog or of a counter. It keeps nothing in memory that must
 * survive.
 */
export class Coordinator implements CoordinatorPeer {
  readonly #platform: Platform;
  readonly #streamingNode: (channel: string) => StreamingPeer;
  readonly #catalog: CatalogStore;
  readonly #oracle: TimestampOracle;
  readonly #keys = new Map<number, Counter>();
  #nextId = 1;

  /** @param streamingNode where the leader of a channel is; asked only when a collection is dropped */
  constructor(platform: Platform, streamingNode: (channel: string) => StreamingPeer) {
    this.#platform = platform;
    this.#streamingNode = streamingNode;
    this.#catalog = new CatalogStore(platform.objects, platform);
    this.#oracle = new TimestampOracle(platform.objects, platform.clock, platform.random);
  }

  async createCollection(draft: CollectionDraft): Promise<CollectionEntry> {
    const existing = findCollection(await this.#catalog.read(), draft.databaseName, draft.collectionName);
    if (existing !== undefined) return this.#sameOrRefuse(draft, existing);
    const meta = await this.#createMeta(draft);
    const entry: CatalogEntry = { id: meta.id, version: meta.version, loaded: isSearchable(meta) };
    let rival: CatalogEntry | undefined;
    await this.#catalog.update((catalog) => {
      rival = findCollection(catalog, draft.databaseName, draft.collectionName);
      if (rival !== undefined) return catalog;
      const named = withCollection(catalog, draft.databaseName, draft.collectionName, entry);
      return { ...named, nextCollectionId: Math.max(named.nextCollectionId, meta.id + 1) };
    });
    // After an answer that was lost the catalog may name this very collection already.
    if (rival !== undefined && rival.id !== meta.id) return this.#sameOrRefuse(draft, rival);
    this.#announce('create', draft);
    return { meta, loaded: entry.loaded };
  }

  async dropCollection({ databaseName, collectionName }: CollectionName, collectionId?: number): Promise<void> {
    const catalog = await this.#catalog.read();
    const found = findCollection(catalog, databaseName, collectionName);
    if (found === undefined || (collectionId !== undefined && found.id !== collectionId)) return;
    const meta = await this.#catalog.readMeta(found.id, found.version);
    const dropped: DroppedCollection = {
      id: found.id,
      version: found.version,
      channels: meta === undefined ? [] : channelNames(meta.id, meta.shardsNum),
      droppedAt: this.#platform.clock.now(),
    };
    await this.#catalog.update((current) =>
      findCollection(current, databaseName, collectionName)?.id === found.id
        ? withoutCollection(current, { database: databaseName, name: collectionName }, dropped)
        : current,
    );
    this.#announce('drop', { databaseName, collectionName });
    await this.#giveUp(dropped);
    this.#platform.wake(dropped.droppedAt + GARBAGE_GRACE_MS);
  }

  async describeCollection(name: CollectionName): Promise<CollectionEntry> {
    // The meta may be deleted between the two reads: the collection was dropped, and perhaps created again.
    for (let attempt = 0; attempt < 3; attempt++) {
      const entry = findCollection(await this.#catalog.read(), name.databaseName, name.collectionName);
      if (entry === undefined) throw collectionNotFound(name);
      const meta = await this.#catalog.readMeta(entry.id, entry.version);
      if (meta !== undefined) return { meta, loaded: entry.loaded };
    }
    throw new ElanusError('unavailable', `Collection ${name.collectionName} is changing; try again.`);
  }

  async listCollections(databaseName: string): Promise<string[]> {
    return Object.keys(collectionsOf(await this.#catalog.read(), databaseName)).sort();
  }

  async setLoaded(name: CollectionName, loaded: boolean): Promise<void> {
    await this.#catalog.update((catalog) => {
      const entry = findCollection(catalog, name.databaseName, name.collectionName);
      if (entry === undefined) throw collectionNotFound(name);
      if (entry.loaded === loaded) return catalog;
      return withCollection(catalog, name.databaseName, name.collectionName, { ...entry, loaded });
    });
    this.#announce(loaded ? 'load' : 'release', name);
  }

  async allocateTimestamps(count: number, above?: bigint): Promise<TimestampRange> {
    return { first: await this.#oracle.allocate(count, above), count };
  }

  async allocateKeys(collectionId: number, count: number): Promise<{ readonly first: number; readonly count: number }> {
    let counter = this.#keys.get(collectionId);
    if (counter === undefined) {
      counter = new Counter(this.#platform.objects, `collections/${collectionId}/keys`, this.#platform);
      this.#keys.set(collectionId, counter);
    }
    const first = await counter.take(BigInt(count), 1n, KEYS_WINDOW);
    if (first + BigInt(count) > AUTO_KEY_MAX) {
      throw new ElanusError('invalid', 'The automatic keys of this collection are used up; give keys yourself.', {
        details: { collectionId },
      });
    }
    return { first: Number(first), count };
  }

  /** What is due: deletes the objects of collections that were dropped longer ago than a grace period. Idempotent. */
  async work(): Promise<void> {
    const { dropped } = await this.#catalog.read();
    const now = this.#platform.clock.now();
    const purged = new Set<number>();
    for (const collection of dropped) {
      await this.#giveUp(collection);
      const due = collection.droppedAt + GARBAGE_GRACE_MS;
      if (due > now) {
        this.#platform.wake(due);
        continue;
      }
      await deletePrefix(this.#platform.objects, `collections/${collection.id}/`);
      for (const channel of collection.channels) await deletePrefix(this.#platform.objects, `wal/${channel}/`);
      purged.add(collection.id);
    }
    if (purged.size > 0) await this.#catalog.update((catalog) => withoutDropped(catalog, purged));
  }

  #announce(kind: ChangeKind, { databaseName, collectionName }: CollectionName): void {
    announceChange(this.#platform, () => ({ kind, databaseName, collectionName, count: 0, timestamp: 0n }));
  }

  /**
   * Ends the channels of a dropped collection, then deletes its segments: whoever reads a channel that has ended learns
   * it from the manifest, which stays for a grace period as the log does. What fails here is done again by `work`.
   */
  async #giveUp(collection: DroppedCollection): Promise<void> {
    try {
      const { id: collectionId, version: schemaVersion, channels } = collection;
      await tryAll(
        channels.map((channel) => () => this.#streamingNode(channel).drop({ channel, collectionId, schemaVersion })),
      );
      await deletePrefix(this.#platform.objects, partitionPrefix(collection.id));
    } catch (error) {
      this.#platform.trace?.({ name: 'drop-unfinished', details: { collection: collection.id, code: codeOf(error) } });
    }
  }

  async #sameOrRefuse(draft: CollectionDraft, existing: CatalogEntry): Promise<CollectionEntry> {
    const meta = await this.#catalog.readMeta(existing.id, existing.version);
    if (meta !== undefined && sameCollection(meta, draft)) return { meta, loaded: existing.loaded };
    throw new ElanusError(
      'exists',
      `create duplicate collection with different parameters, collection: ${draft.collectionName}`,
      { milvusCode: 1100, details: { collection: draft.collectionName } },
    );
  }

  /** Writes the meta object under an id that nobody has used: creating the object is what takes the id. */
  async #createMeta(draft: CollectionDraft): Promise<CollectionMeta> {
    const catalog: Catalog = await this.#catalog.read();
    collectionsOf(catalog, draft.databaseName);
    this.#nextId = Math.max(this.#nextId, catalog.nextCollectionId);
    for (;;) {
      const meta: CollectionMeta = { ...draft, id: this.#nextId++, version: 1 };
      try {
        await this.#catalog.createMeta(meta);
        return meta;
      } catch (error) {
        // An attempt that crashed before the catalog named it left this id behind.
        if (codeOf(error) !== 'conflict') throw error;
      }
    }
  }
}

/** A collection is loaded at creation if it was created with its indexes. */
function isSearchable(meta: CollectionMeta): boolean {
  const indexed = new Set(meta.indexes.map((index) => index.fieldName));
  return meta.schema.fields.filter(isVector).every((field) => indexed.has(field.name));
}

/** Milvus's error for a collection that does not exist. */
export function collectionNotFound({ databaseName, collectionName }: CollectionName): ElanusError {
  return new ElanusError('not-found', `can't find collection[database=${databaseName}][collection=${collectionName}]`, {
    milvusCode: 100,
    details: { collection: collectionName },
  });
}
