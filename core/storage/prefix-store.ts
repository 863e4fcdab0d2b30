import { checkKey, checkPrefix, checkRead, checkWrite } from './check.ts';
import type { ByteRange, ObjectInfo, ObjectStore, StoredObject, Version } from './object-store.ts';

/**
 * The part of a store whose keys begin with a prefix, seen as a store of its own: several databases share a bucket, and
 * none can name another's objects. The prefix counts towards the length of a key. Errors name the whole key.
 */
export class PrefixStore implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #prefix: string;

  constructor(store: ObjectStore, prefix: string) {
    checkPrefix(prefix, undefined);
    this.#store = store;
    this.#prefix = prefix;
  }

  async create(key: string, bytes: Uint8Array): Promise<Version> {
    checkWrite(key, bytes);
    return this.#store.create(this.#prefix + key, bytes);
  }

  async replace(key: string, bytes: Uint8Array, expected: Version): Promise<Version> {
    checkWrite(key, bytes);
    return this.#store.replace(this.#prefix + key, bytes, expected);
  }

  async read(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    checkRead(key, range);
    const object = await this.#store.read(this.#prefix + key, range);
    return object && { ...object, key };
  }

  async *list(prefix: string, after?: string): AsyncIterable<ObjectInfo> {
    checkPrefix(prefix, after);
    const from = after === undefined ? undefined : this.#prefix + after;
    for await (const info of this.#store.list(this.#prefix + prefix, from)) {
      yield { ...info, key: info.key.slice(this.#prefix.length) };
    }
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) checkKey(key);
    await this.#store.delete(keys.map((key) => this.#prefix + key));
  }
}
