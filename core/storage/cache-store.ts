import { Lru } from '../base/lru.ts';
import { checkKey, checkRead, checkWrite, clipRange } from './check.ts';
import type { ByteRange, ObjectInfo, ObjectStore, StoredObject, Version } from './object-store.ts';

export interface CacheOptions {
  /** The bytes that the cache may hold. */
  readonly bytesMax: number;
  /** Objects are cached in blocks of this many bytes; 64 KiB by default. */
  readonly blockBytes?: number;
  /** Which keys to cache. They must name immutable objects: what others replace or delete is not noticed. */
  readonly cached: (key: string) => boolean;
}

interface Block {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly size: number;
  readonly version: Version;
}

/** About what the map entries of a block take beside its bytes. */
const BLOCK_OVERHEAD_BYTES = 200;

/**
 * Keeps the blocks read last in memory, within a byte budget. A hit asks the store nothing, so a deletion by somebody
 * else is noticed only when the blocks have left the cache; what is replaced or deleted through this store is noticed
 * at once. A read never mixes blocks of two versions.
 */
export class CacheStore implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #cached: (key: string) => boolean;
  readonly #blockBytes: number;
  readonly #blocks: Lru<string, Block>;
  /** Which blocks of a key are held, so that all of them can be dropped. */
  readonly #held = new Map<string, Set<number>>();
  /** Grows when a change of cached keys begins, and when it ends: a read during which it grew keeps nothing. */
  #changes = 0;
  #changesUnderWay = 0;
  #hits = 0;
  #misses = 0;

  constructor(store: ObjectStore, options: CacheOptions) {
    this.#store = store;
    this.#cached = options.cached;
    this.#blockBytes = options.blockBytes ?? 64 * 1024;
    this.#blocks = new Lru(options.bytesMax, (name) => this.#forget(name));
  }

  /** The bytes held, blocks of the budget that hit and missed since the beginning. */
  counts(): { readonly bytes: number; readonly hits: number; readonly misses: number } {
    return { bytes: this.#blocks.size, hits: this.#hits, misses: this.#misses };
  }

  /** Nothing is held of a key that does not exist, so that nothing can become stale. */
  create(key: string, bytes: Uint8Array): Promise<Version> {
    return this.#store.create(key, bytes);
  }

  async replace(key: string, bytes: Uint8Array, expected: Version): Promise<Version> {
    checkWrite(key, bytes);
    return this.#changing([key], () => this.#store.replace(key, bytes, expected));
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) checkKey(key);
    await this.#changing(keys, () => this.#store.delete(keys));
  }

  list(prefix: string, after?: string): AsyncIterable<ObjectInfo> {
    return this.#store.list(prefix, after);
  }

  async read(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    checkRead(key, range);
    if (!this.#cached(key)) return this.#store.read(key, range);
    const first = Math.floor((range?.start ?? 0) / this.#blockBytes);
    const known = this.#blocks.get(blockName(key, first)) ?? this.#anyBlock(key);
    if (known !== undefined) {
      const object = await this.#readKnown(key, range, known);
      if (object !== undefined) return object;
    } else this.#misses++;
    // Nothing is known of the object, or it has changed: one read of whole blocks tells all.
    return this.#fetch(key, range);
  }

  /** Reads a range of an object whose size is known; `undefined` if it is no longer at the version known. */
  async #readKnown(key: string, range: ByteRange | undefined, known: Block): Promise<StoredObject | undefined> {
    const { size, version } = known;
    const { start, end } = clipRange(key, range, size);
    const first = Math.floor(start / this.#blockBytes);
    const last = Math.floor((end - 1) / this.#blockBytes);
    const bytes = new Uint8Array(end - start);
    const missing: number[] = [];
    // The blocks are copied in this very turn: later they may have made room for others.
    for (let index = first; index <= last; index++) {
      const block = this.#blocks.get(blockName(key, index));
      if (block === undefined || block.version !== version) missing.push(index);
      else place(block.bytes, index * this.#blockBytes, bytes, start);
    }
    this.#hits += last - first + 1 - missing.length;
    this.#misses += missing.length;
    const from = missing[0];
    const to = missing.at(-1);
    if (from === undefined || to === undefined) return { key, size, version, bytes };
    const span = { start: from * this.#blockBytes, end: Math.min((to + 1) * this.#blockBytes, size) };
    const changes = this.#changes;
    const read = await this.#store.read(key, span);
    if (read?.version !== version || changes !== this.#changes) {
      this.#drop(key);
      return undefined;
    }
    // No change of this key began meanwhile; nor is one under way, for then no block of it would be known.
    this.#keep(read, span.start);
    place(read.bytes, span.start, bytes, start);
    return { key, size, version, bytes };
  }

  async #fetch(key: string, range: ByteRange | undefined): Promise<StoredObject | undefined> {
    const start = range?.start ?? 0;
    const spanStart = start - (start % this.#blockBytes);
    const end = range?.end;
    const spanEnd = end === undefined ? undefined : Math.ceil(end / this.#blockBytes) * this.#blockBytes;
    const span = spanEnd === undefined ? { start: spanStart } : { start: spanStart, end: spanEnd };
    const changes = this.#changes;
    const read = await this.#store.read(key, range === undefined ? undefined : span);
    if (read === undefined) return undefined;
    const clipped = clipRange(key, range, read.size);
    if (changes === this.#changes && this.#changesUnderWay === 0) this.#keep(read, spanStart);
    return { ...read, bytes: read.bytes.slice(clipped.start - spanStart, clipped.end - spanStart) };
  }

  /** Any block of the object that is held: it knows the size. */
  #anyBlock(key: string): Block | undefined {
    for (const index of this.#held.get(key) ?? []) return this.#blocks.peek(blockName(key, index));
    return undefined;
  }

  /** Keeps the blocks of what was read from a block's beginning on. */
  #keep({ key, bytes, size, version }: StoredObject, start: number): void {
    for (let offset = 0; offset < bytes.byteLength; offset += this.#blockBytes) {
      const index = (start + offset) / this.#blockBytes;
      // A copy, for a slice of the whole would keep the whole alive; and the caller owns what it is given.
      const block = bytes.slice(offset, offset + this.#blockBytes);
      const weight = block.byteLength + BLOCK_OVERHEAD_BYTES + 2 * key.length;
      if (!this.#blocks.set(blockName(key, index), { bytes: block, size, version }, weight)) continue;
      const held = this.#held.get(key);
      if (held === undefined) this.#held.set(key, new Set([index]));
      else held.add(index);
    }
  }

  /**
   * Nothing is kept while a change is under way: of two reads during it, the first may see the state after it and the
   * second the state before, and the second's must not be served later. Nor does a read keep what a change has overtaken.
   */
  async #changing<T>(keys: readonly string[], change: () => Promise<T>): Promise<T> {
    const dropped = keys.filter(this.#cached);
    if (dropped.length === 0) return change();
    this.#changesUnderWay++;
    this.#changes++;
    for (const key of dropped) this.#drop(key);
    try {
      return await change();
    } finally {
      this.#changes++;
      this.#changesUnderWay--;
    }
  }

  #drop(key: string): void {
    for (const index of this.#held.get(key) ?? []) this.#blocks.delete(blockName(key, index));
    this.#held.delete(key);
  }

  /** Notes that a block has made room for others. */
  #forget(name: string): void {
    const at = name.indexOf(':');
    const key = name.slice(at + 1);
    const held = this.#held.get(key);
    held?.delete(Number(name.slice(0, at)));
    if (held?.size === 0) this.#held.delete(key);
  }
}

function blockName(key: string, index: number): string {
  return `${index}:${key}`;
}

/** Copies what two pieces of one object have in common; each piece is given with the offset where it begins. */
function place(from: Uint8Array, fromStart: number, to: Uint8Array, toStart: number): void {
  const start = Math.max(fromStart, toStart);
  const end = Math.min(fromStart + from.byteLength, toStart + to.byteLength);
  if (start < end) to.set(from.subarray(start - fromStart, end - fromStart), start - toStart);
}
