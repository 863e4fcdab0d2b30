import { MemoryStore } from '../core/storage/memory-store.ts';
import type { ObjectStore } from '../core/storage/object-store.ts';
import type { StorageKind } from './protocol.ts';
import { IndexedDbStore } from './storage/indexed-db-store.ts';
import { OpfsCacheStore } from './storage/opfs-cache.ts';

/** The objects of one database in this origin. */
export interface BrowserStorage {
  readonly kind: StorageKind;
  readonly objects: ObjectStore;
  close(): Promise<void>;
  destroy(): Promise<void>;
}

/**
 * Opens the objects of a database. IndexedDB holds everything that must survive; OPFS is a read cache of segments, and
 * goes without a word where it is missing. `auto` takes the best that works; a kind that is named is taken or refused.
 */
export async function openStorage(name: string, wanted: StorageKind | 'auto'): Promise<BrowserStorage> {
  if (wanted === 'memory' || (wanted === 'auto' && !(await indexedDbWorks()))) return memoryStorage();
  const database = databaseName(name);
  const durable = await IndexedDbStore.open(database);
  if (wanted === 'indexeddb' || !hasOpfs()) return indexedDbStorage(durable, database);
  try {
    const cache = await OpfsCacheStore.open(durable, database);
    return {
      kind: 'indexeddb+opfs',
      objects: cache,
      close: async () => durable.close(),
      destroy: async () => {
        await cache.destroy();
        durable.close();
        await IndexedDbStore.destroy(database);
      },
    };
  } catch (error) {
    if (wanted === 'indexeddb+opfs') {
      durable.close();
      throw error;
    }
    return indexedDbStorage(durable, database);
  }
}

function databaseName(name: string): string {
  return `elanus:${name}`;
}

function memoryStorage(): BrowserStorage {
  return { kind: 'memory', objects: new MemoryStore(), close: async () => undefined, destroy: async () => undefined };
}

function indexedDbStorage(store: IndexedDbStore, database: string): BrowserStorage {
  return {
    kind: 'indexeddb',
    objects: store,
    close: async () => store.close(),
    destroy: async () => {
      store.close();
      await IndexedDbStore.destroy(database);
    },
  };
}

function hasOpfs(): boolean {
  return typeof navigator.storage?.getDirectory === 'function';
}

/** Some private windows have the name `indexedDB` but refuse every database. */
async function indexedDbWorks(): Promise<boolean> {
  if (typeof indexedDB === 'undefined' || indexedDB === null) return false;
  return new Promise((resolve) => {
    const probe = 'elanus-probe';
    const request = indexedDB.open(probe);
    request.onerror = () => resolve(false);
    request.onsuccess = () => {
      request.result.close();
      indexedDB.deleteDatabase(probe);
      resolve(true);
    };
  });
}
