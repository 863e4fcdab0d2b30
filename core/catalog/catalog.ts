import { ElanusError } from '../base/error.ts';
import { COLLECTIONS_MAX } from '../model/limits.ts';
import { DEFAULT_DATABASE } from '../model/schema.ts';

/** What an instance consists of: names and ids, the version of each collection's meta, load state. */
export interface Catalog {
  /** Grows at each write. */
  readonly revision: number;
  readonly nonce: string;
  /** Ids are never used twice. */
  readonly nextCollectionId: number;
  /** Collections by database, then by name. */
  readonly databases: Readonly<Record<string, Readonly<Record<string, CatalogEntry>>>>;
  /** Collections that were dropped and whose objects are not all deleted yet. */
  readonly dropped: readonly DroppedCollection[];
}

export interface CatalogEntry {
  readonly id: number;
  /** Of its meta object. */
  readonly version: number;
  readonly loaded: boolean;
}

export interface DroppedCollection {
  readonly id: number;
  readonly version: number;
  readonly channels: readonly string[];
  /** Milliseconds since the epoch. */
  readonly droppedAt: number;
}

export function emptyCatalog(): Catalog {
  return { revision: 0, nonce: '', nextCollectionId: 1, databases: { [DEFAULT_DATABASE]: {} }, dropped: [] };
}

/** The collections of a database; rejects with `not-found` (Milvus 800). */
export function collectionsOf(catalog: Catalog, database: string): Readonly<Record<string, CatalogEntry>> {
  const collections = Object.hasOwn(catalog.databases, database) ? catalog.databases[database] : undefined;
  if (collections === undefined) {
    throw new ElanusError('not-found', `database not found[database=${database}]`, {
      milvusCode: 800,
      details: { database },
    });
  }
  return collections;
}

export function findCollection(catalog: Catalog, database: string, name: string): CatalogEntry | undefined {
  const collections = collectionsOf(catalog, database);
  return Object.hasOwn(collections, name) ? collections[name] : undefined;
}

export function withCollection(catalog: Catalog, database: string, name: string, entry: CatalogEntry): Catalog {
  const collections = collectionsOf(catalog, database);
  const count = Object.values(catalog.databases).reduce((sum, names) => sum + Object.keys(names).length, 0);
  if (!Object.hasOwn(collections, name) && count >= COLLECTIONS_MAX) {
    throw new ElanusError('invalid', `exceeded the limit number of collections[limit=${COLLECTIONS_MAX}]`, {
      milvusCode: 102,
    });
  }
  return { ...catalog, databases: { ...catalog.databases, [database]: { ...collections, [name]: entry } } };
}

/** Without the collection, and with its objects to be deleted. */
export function withoutCollection(
  catalog: Catalog,
  place: { readonly database: string; readonly name: string },
  dropped: DroppedCollection,
): Catalog {
  const { [place.name]: _gone, ...rest } = collectionsOf(catalog, place.database);
  return {
    ...catalog,
    databases: { ...catalog.databases, [place.database]: rest },
    dropped: [...catalog.dropped, dropped],
  };
}

/** The objects of these collections are gone. */
export function withoutDropped(catalog: Catalog, ids: ReadonlySet<number>): Catalog {
  return { ...catalog, dropped: catalog.dropped.filter((collection) => !ids.has(collection.id)) };
}
