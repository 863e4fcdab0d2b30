import { codeOf, ElanusError } from '../core/base/error.ts';
import { writePurpose } from '../core/node/write-purpose.ts';
import { MemoryStore } from '../core/storage/memory-store.ts';
import type { ObjectStore } from '../core/storage/object-store.ts';
import { ReserveStore } from '../core/storage/reserve-store.ts';
import { hasLocks } from './locks.ts';
import type { StorageKind } from './protocol.ts';
import { IndexedDbStore } from './storage/indexed-db-store.ts';
import { OpfsCacheStore } from './storage/opfs-cache.ts';

/** The objects of one database in this origin. */
export interface BrowserStorage {
  readonly kind: StorageKind;
  readonly objects: ObjectStore;
  /** A sentence for each thing that this page lacks, with what follows from it; shown by `info()`. */
  readonly missing: readonly string[];
  /** Resolves with the reason when the data are taken away while they are open; every call rejects with `closed` then. */
  readonly lost: Promise<string>;
  close(): Promise<void>;
  destroy(): Promise<void>;
}

/**
 * Opens the objects of a database. IndexedDB holds everything that must survive; OPFS is a read cache of segments, and
 * goes without a word where it is missing. `auto` takes the best that works; a kind that is named is taken or refused.
 */
export async function openStorage(name: string, wanted: StorageKind | 'auto'): Promise<BrowserStorage> {
  if (wanted === 'memory') return memoryStorage([]);
  const database = `elanus:${name}`;
  let durable: IndexedDbStore;
  try {
    durable = await IndexedDbStore.open(database);
  } catch (error) {
    const code = codeOf(error);
    // A database that is newer, or that has no room, is there: memory in its place would look as if it were empty.
    if (wanted !== 'auto' || code === 'unsupported' || code === 'quota' || (await indexedDbWorks())) throw error;
    return memoryStorage([...missingHere(), refused(error)]);
  }
  const cache = wanted === 'indexeddb' ? undefined : await OpfsCacheStore.open(durable, database);
  if (cache?.isCaching !== true && wanted === 'indexeddb+opfs') {
    durable.close();
    throw new ElanusError('unsupported', `This browser has no private file system here: ${NO_OPFS}`);
  }
  return indexedDbStorage(durable, cache?.isCaching === true ? cache : undefined, [
    ...missingHere(),
    ...(cache?.isCaching === false ? [NO_OPFS] : []),
  ]);
}

const NO_OPFS = 'No private file system (OPFS): segments are read from IndexedDB each time, which is slower.';

/** What the page lacks whatever it stores. */
function missingHere(): string[] {
  const missing: string[] = [];
  if (!isSecureContext) {
    missing.push('Not a secure origin (https or localhost): the browser may delete the data when space runs short.');
  }
  if (!hasLocks()) {
    missing.push('No Web Locks: each tab has an engine of its own, and tabs that write take turns, which is slow.');
  }
  return missing;
}

function refused(error: unknown): string {
  const why = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : '';
  return `IndexedDB is refused here${why}: the data are in memory, and gone when this page closes.`;
}

function memoryStorage(missing: readonly string[]): BrowserStorage {
  const nothing = async (): Promise<void> => undefined;
  const lost = new Promise<string>(() => undefined);
  return { kind: 'memory', objects: new MemoryStore(), missing, lost, close: nothing, destroy: nothing };
}

function indexedDbStorage(
  durable: IndexedDbStore,
  cache: OpfsCacheStore | undefined,
  missing: readonly string[],
): BrowserStorage {
  return {
    kind: cache === undefined ? 'indexeddb' : 'indexeddb+opfs',
    objects: new ReserveStore(cache ?? durable, { purposeOf: writePurpose }),
    missing,
    lost: durable.lost,
    close: async () => durable.close(),
    destroy: async () => {
      await cache?.destroy();
      durable.close();
      await IndexedDbStore.destroy(durable.name);
    },
  };
}

/** Whether any database can be opened: some private windows and settings have the name `indexedDB` and refuse them all. */
async function indexedDbWorks(): Promise<boolean> {
  const probe = 'elanus-probe';
  try {
    (await IndexedDbStore.open(probe)).close();
    await IndexedDbStore.destroy(probe);
    return true;
  } catch {
    return false;
  }
}
