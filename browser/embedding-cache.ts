import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import { ElanusError } from '../core/base/error.ts';
import type { EmbeddingCache } from '../core/elanus.ts';

/** Where embedded texts are kept, and how many. */
export interface EmbeddingCacheOptions {
  /** Names the IndexedDB database; `elanus-embeddings` by default. Collections and databases may share one. */
  readonly name?: string;
  /** Texts kept; beyond them those that came first are forgotten. 20,000 by default: 30 MB at 384 values. */
  readonly entriesMax?: number;
}

interface Schema extends DBSchema {
  vectors: {
    /** In the order in which they came. */
    key: number;
    value: { readonly key: string; readonly vector: Float32Array };
    indexes: { key: string };
  };
}

/**
 * Embedded texts in IndexedDB: what was embedded once is not embedded again after a reload, offline too. Several tabs
 * may share one. Where the browser gives no IndexedDB or no room its calls reject, and collections go on without it.
 */
export class BrowserEmbeddingCache implements EmbeddingCache {
  readonly #name: string;
  readonly #entriesMax: number;
  #database: Promise<IDBPDatabase<Schema>> | undefined;

  /** Opens nothing yet. Throws `invalid` for a bound that is none. */
  constructor({ name = 'elanus-embeddings', entriesMax = 20_000 }: EmbeddingCacheOptions = {}) {
    if (!Number.isSafeInteger(entriesMax) || entriesMax < 1) {
      throw new ElanusError('invalid', `entriesMax must be a whole number from 1, not ${String(entriesMax)}.`, {
        details: { option: 'entriesMax' },
      });
    }
    this.#name = name;
    this.#entriesMax = entriesMax;
  }

  async get(space: string, texts: readonly string[]): Promise<(Float32Array | undefined)[]> {
    const database = await this.#open();
    const index = database.transaction('vectors').store.index('key');
    const found = await Promise.all(texts.map((text) => index.get(space + text)));
    return found.map((entry) => entry?.vector);
  }

  async set(space: string, texts: readonly string[], vectors: readonly Float32Array[]): Promise<void> {
    const entries = new Map(texts.map((text, at) => [space + text, vectors[at] as Float32Array]));
    const database = await this.#open();
    // What a power cut takes from a cache is embedded again.
    const transaction = database.transaction('vectors', 'readwrite', { durability: 'relaxed' });
    const { store } = transaction;
    const index = store.index('key');
    await Promise.all(
      [...entries].map(async ([key, vector]) => {
        if ((await index.getKey(key)) === undefined) await store.add({ key, vector });
      }),
    );
    const surplus = (await store.count()) - this.#entriesMax;
    if (surplus > 0) {
      const last = (await store.getAllKeys(null, surplus)).at(-1);
      if (last !== undefined) await store.delete(IDBKeyRange.upperBound(last));
    }
    await transaction.done;
  }

  /** Forgets everything. */
  async clear(): Promise<void> {
    await (await this.#open()).clear('vectors');
  }

  /** Lets go of the database; the next call opens it again. */
  async close(): Promise<void> {
    const database = this.#database;
    this.#database = undefined;
    (await database)?.close();
  }

  #open(): Promise<IDBPDatabase<Schema>> {
    this.#database ??= openDB<Schema>(this.#name, 1, {
      upgrade: (database) => {
        database.createObjectStore('vectors', { autoIncrement: true }).createIndex('key', 'key', { unique: true });
      },
      // Somebody deletes the site's data, or the browser takes it: nothing here is worth blocking that.
      blocking: () => this.#forget(),
      terminated: () => this.#forget(),
    }).catch((error: unknown) => {
      this.#database = undefined;
      throw error;
    });
    return this.#database;
  }

  #forget(): void {
    this.close().catch(() => undefined);
  }
}

/** A cache of embedded texts in IndexedDB, for `embeddingCache` of a collection. */
export function embeddingCache(options?: EmbeddingCacheOptions): BrowserEmbeddingCache {
  return new BrowserEmbeddingCache(options);
}
