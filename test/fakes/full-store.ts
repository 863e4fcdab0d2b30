import { ElanusError } from '../../core/base/error.ts';
import type { ByteRange, ObjectInfo, ObjectStore, StoredObject, Version } from '../../core/storage/object-store.ts';

/**
 * A store that fills up as a browser's does: a write needs room for all its bytes, also where it replaces as many, and
 * deleting needs none. `bytesMax` may be changed at any time, also to less than there is.
 */
export class FullStore implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #sizes = new Map<string, number>();
  bytesMax: number;
  /** Writes refused so far. */
  refusals = 0;

  constructor(store: ObjectStore, bytesMax: number = Number.POSITIVE_INFINITY) {
    this.#store = store;
    this.bytesMax = bytesMax;
  }

  /** The bytes of all objects that were written through this store. */
  get bytes(): number {
    let bytes = 0;
    for (const size of this.#sizes.values()) bytes += size;
    return bytes;
  }

  create(key: string, bytes: Uint8Array): Promise<Version> {
    return this.#write(key, bytes, () => this.#store.create(key, bytes));
  }

  replace(key: string, bytes: Uint8Array, expected: Version): Promise<Version> {
    return this.#write(key, bytes, () => this.#store.replace(key, bytes, expected));
  }

  read(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    return this.#store.read(key, range);
  }

  list(prefix: string, after?: string): AsyncIterable<ObjectInfo> {
    return this.#store.list(prefix, after);
  }

  async delete(keys: readonly string[]): Promise<void> {
    await this.#store.delete(keys);
    for (const key of keys) this.#sizes.delete(key);
  }

  async #write(key: string, bytes: Uint8Array, write: () => Promise<Version>): Promise<Version> {
    if (this.bytes + (bytes?.byteLength ?? 0) > this.bytesMax) {
      this.refusals += 1;
      throw new ElanusError('quota', `The store is full: no room for ${key}.`, { details: { key } });
    }
    const version = await write();
    this.#sizes.set(key, bytes.byteLength);
    return version;
  }
}
