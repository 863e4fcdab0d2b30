import type { Brand } from '../base/brand.ts';

/**
 * Names the bytes an object holds. Equal bytes may have equal versions (R2's are hashes), so an object that is ever
 * replaced must never hold the same bytes twice.
 */
export type Version = Brand<string, 'Version'>;

/** An object as a listing tells it. */
export interface ObjectInfo {
  readonly key: string;
  /** Bytes of the whole object, also where only a range was read. */
  readonly size: number;
  readonly version: Version;
}

/** An object, or the range of it that was asked for. */
export interface StoredObject extends ObjectInfo {
  /** The object, or the range of it that was asked for. The caller owns these bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Half-open, in bytes; holds at least one byte of the object. `end` defaults to, and is clipped to, the object's size. */
export interface ByteRange {
  readonly start: number;
  readonly end?: number;
}

/**
 * Where the bytes live: R2, IndexedDB, memory, later S3.
 *
 * There is no blind overwrite. An object is immutable once created, except through `replace`, which only the latest
 * reader of that object can win.
 *
 * - Atomic: a reader sees the whole object or none of it.
 * - Durable: when a write resolves, the bytes survive a power cut.
 * - Linearizable per key, and `list` sees every write that resolved before it began.
 * - Unknown outcome: a rejection with `unavailable` may or may not have taken effect, now or later
 *   (`writeCertainly` in `certain.ts` makes it known). Every other rejection certainly had no effect.
 * - The store keeps no reference to the bytes it is given, and hands out none that it keeps.
 *
 * Keys are 1 to `KEY_BYTES_MAX` bytes of UTF-8, compared by their UTF-8 bytes. Objects are 1 byte to `OBJECT_BYTES_MAX`.
 * Other keys, sizes and ranges reject with `invalid`; a full store rejects with `quota` and is unchanged;
 * a store that asks for fewer requests rejects with `overloaded`, which is a certain no.
 */
export interface ObjectStore {
  /** Creates an object; rejects with `conflict` if the key exists. */
  create(key: string, bytes: Uint8Array): Promise<Version>;
  /** Replaces an object that is still at `expected`; rejects with `conflict` otherwise, also if it is absent. */
  replace(key: string, bytes: Uint8Array, expected: Version): Promise<Version>;
  /** Reads an object or a range of it; `undefined` if the key does not exist. */
  read(key: string, range?: ByteRange): Promise<StoredObject | undefined>;
  /** Yields the objects under `prefix` with a key greater than `after`, in ascending key order. */
  list(prefix: string, after?: string): AsyncIterable<ObjectInfo>;
  /** Deletes objects; keys that do not exist are ignored. Each key is deleted atomically, the set is not. */
  delete(keys: readonly string[]): Promise<void>;
}
