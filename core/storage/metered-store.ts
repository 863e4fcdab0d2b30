import type { ByteRange, ObjectInfo, ObjectStore, StoredObject, Version } from './object-store.ts';

/** What was asked of a store: calls by kind, whatever came of them, and the bytes of those that succeeded. */
export interface StoreCounts {
  readonly creates: number;
  readonly replaces: number;
  readonly reads: number;
  readonly lists: number;
  /** Objects that lists yielded: a list costs one request for about every thousand. */
  readonly listed: number;
  readonly deletes: number;
  readonly deletedKeys: number;
  /** Calls that rejected, conflicts included. */
  readonly failures: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

const NOTHING: StoreCounts = {
  creates: 0,
  replaces: 0,
  reads: 0,
  lists: 0,
  listed: 0,
  deletes: 0,
  deletedKeys: 0,
  failures: 0,
  bytesRead: 0,
  bytesWritten: 0,
};

/** Counts what is asked of a store: users pay by the operation, and tests bound what a search may cost. */
export class MeteredStore implements ObjectStore {
  readonly #store: ObjectStore;
  #counts: { -readonly [Name in keyof StoreCounts]: number } = { ...NOTHING };

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** The counts since the beginning, or since `reset`. */
  counts(): StoreCounts {
    return { ...this.#counts };
  }

  /** Begins to count from zero, and gives what was counted. */
  reset(): StoreCounts {
    const counts = this.#counts;
    this.#counts = { ...NOTHING };
    return counts;
  }

  async create(key: string, bytes: Uint8Array): Promise<Version> {
    this.#counts.creates++;
    const version = await this.#watched(() => this.#store.create(key, bytes));
    this.#counts.bytesWritten += bytes.byteLength;
    return version;
  }

  async replace(key: string, bytes: Uint8Array, expected: Version): Promise<Version> {
    this.#counts.replaces++;
    const version = await this.#watched(() => this.#store.replace(key, bytes, expected));
    this.#counts.bytesWritten += bytes.byteLength;
    return version;
  }

  async read(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    this.#counts.reads++;
    const object = await this.#watched(() => this.#store.read(key, range));
    this.#counts.bytesRead += object?.bytes.byteLength ?? 0;
    return object;
  }

  async *list(prefix: string, after?: string): AsyncIterable<ObjectInfo> {
    this.#counts.lists++;
    try {
      for await (const info of this.#store.list(prefix, after)) {
        this.#counts.listed++;
        yield info;
      }
    } catch (error) {
      this.#counts.failures++;
      throw error;
    }
  }

  async delete(keys: readonly string[]): Promise<void> {
    this.#counts.deletes++;
    await this.#watched(() => this.#store.delete(keys));
    this.#counts.deletedKeys += keys.length;
  }

  async #watched<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      this.#counts.failures++;
      throw error;
    }
  }
}
