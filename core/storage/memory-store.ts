import { compareUtf8, copyBytes } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { ElanusError } from '../base/error.ts';
import { checkKey, checkPrefix, checkRead, checkWrite, clipRange, keyExists, versionDiffers } from './check.ts';
import type { ByteRange, ObjectInfo, ObjectStore, StoredObject, Version } from './object-store.ts';

interface MemoryObject {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly version: Version;
}

/** How many objects `list` looks at in one turn; others may come and go between two pages, as on R2. */
const LIST_PAGE = 100;

/**
 * Objects in memory: the reference that other stores are compared with, and the store of a database that need not
 * outlive its page. It is as weak as the weakest backend, so that a mistake shows here and not in production: a
 * version is a hash of the bytes, nothing takes effect before the next turn, and a list goes page by page.
 */
export class MemoryStore implements ObjectStore {
  readonly #objects = new Map<string, MemoryObject>();
  readonly #bytesMax: number;
  /** The keys in order; undefined after a key came or went. */
  #sortedKeys: readonly string[] | undefined;
  #bytes = 0;

  /** `bytesMax` bounds the bytes of all objects together; past it writes reject with `quota`. Unbounded by default. */
  constructor(options: { readonly bytesMax?: number } = {}) {
    this.#bytesMax = options.bytesMax ?? Number.POSITIVE_INFINITY;
  }

  /** The bytes of all objects together. */
  get bytes(): number {
    return this.#bytes;
  }

  async create(key: string, bytes: Uint8Array): Promise<Version> {
    checkWrite(key, bytes);
    await undefined;
    if (this.#objects.has(key)) throw keyExists(key);
    const version = this.#put(key, bytes, 0);
    this.#sortedKeys = undefined;
    return version;
  }

  async replace(key: string, bytes: Uint8Array, expected: Version): Promise<Version> {
    checkWrite(key, bytes);
    await undefined;
    const current = this.#objects.get(key);
    if (current?.version !== expected) throw versionDiffers(key, expected);
    return this.#put(key, bytes, current.bytes.byteLength);
  }

  async read(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    checkRead(key, range);
    await undefined;
    const object = this.#objects.get(key);
    if (object === undefined) return undefined;
    const size = object.bytes.byteLength;
    const { start, end } = clipRange(key, range, size);
    return { key, size, version: object.version, bytes: object.bytes.slice(start, end) };
  }

  async *list(prefix: string, after?: string): AsyncIterable<ObjectInfo> {
    checkPrefix(prefix, after);
    let last = after;
    for (;;) {
      await undefined;
      const page = this.#page(prefix, last);
      yield* page;
      last = page.at(-1)?.key;
      if (last === undefined) return;
    }
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) checkKey(key);
    await undefined;
    for (const key of keys) {
      const object = this.#objects.get(key);
      if (object === undefined) continue;
      this.#objects.delete(key);
      this.#bytes -= object.bytes.byteLength;
      this.#sortedKeys = undefined;
    }
  }

  /** Puts an object in the place of one of `sizeBefore` bytes. */
  #put(key: string, bytes: Uint8Array, sizeBefore: number): Version {
    const total = this.#bytes - sizeBefore + bytes.byteLength;
    if (total > this.#bytesMax) {
      const message = `The store holds at most ${this.#bytesMax} bytes; ${key} would make it ${total}. Delete something first.`;
      throw new ElanusError('quota', message, { details: { key, bytes: total, bytesMax: this.#bytesMax } });
    }
    const version = contentVersion(bytes);
    this.#objects.set(key, { bytes: copyBytes(bytes), version });
    this.#bytes = total;
    return version;
  }

  #page(prefix: string, after: string | undefined): ObjectInfo[] {
    this.#sortedKeys ??= [...this.#objects.keys()].sort(compareUtf8);
    const keys = this.#sortedKeys;
    const begin = after !== undefined && compareUtf8(after, prefix) >= 0 ? after : undefined;
    const page: ObjectInfo[] = [];
    for (let index = firstAtOrAfter(keys, begin ?? prefix); index < keys.length && page.length < LIST_PAGE; index++) {
      const key = keys[index] as string;
      if (!key.startsWith(prefix)) break;
      const object = this.#objects.get(key);
      if (key === begin || object === undefined) continue;
      page.push({ key, size: object.bytes.byteLength, version: object.version });
    }
    return page;
  }
}

/** The index of the first of the sorted keys that is not less than `bound`. */
function firstAtOrAfter(keys: readonly string[], bound: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareUtf8(keys[middle] as string, bound) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Three independent 32-bit hashes of the bytes, and their number: equal bytes have equal versions, as on R2. */
function contentVersion(bytes: Uint8Array): Version {
  let first = 0x811c9dc5;
  let second = 0x9e3779b9;
  for (let index = 0; index < bytes.byteLength; index++) {
    const byte = bytes[index] as number;
    first = Math.imul(first ^ byte, 0x01000193);
    second = Math.imul(second ^ byte, 0x85ebca77) ^ (second >>> 15);
  }
  const words = [crc32c(bytes), first >>> 0, second >>> 0, bytes.byteLength];
  return words.map((word) => word.toString(16).padStart(8, '0')).join('') as Version;
}
