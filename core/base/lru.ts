/** An entry that an `Lru` no longer holds. */
export type Evicted<Key, Value> = (key: Key, value: Value) => void;

/**
 * The most recently used entries whose sizes together stay within a bound. The bound is never passed, not for a moment:
 * room is made before an entry comes in.
 */
export class Lru<Key, Value> {
  /** The largest sum of sizes, in the caller's unit: bytes, or entries when every size is 1. */
  readonly sizeMax: number;
  readonly #evicted: Evicted<Key, Value> | undefined;
  /** A map keeps insertion order, so the first entry is the one used longest ago. */
  readonly #entries = new Map<Key, { readonly value: Value; readonly size: number }>();
  #size = 0;

  /** `evicted` hears of entries that had to make room, not of those that were deleted or overwritten. */
  constructor(sizeMax: number, evicted?: Evicted<Key, Value>) {
    this.sizeMax = sizeMax;
    this.#evicted = evicted;
  }

  /** The sum of the sizes held. */
  get size(): number {
    return this.#size;
  }

  get count(): number {
    return this.#entries.size;
  }

  /** The value, which thereby becomes the most recently used. */
  get(key: Key): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** The value, without a use. */
  peek(key: Key): Value | undefined {
    return this.#entries.get(key)?.value;
  }

  has(key: Key): boolean {
    return this.#entries.has(key);
  }

  /** Puts an entry in as the most recently used; false if it alone passes the bound, in which case it is not held. */
  set(key: Key, value: Value, size: number = 1): boolean {
    this.delete(key);
    if (size > this.sizeMax) return false;
    for (const [oldest, entry] of this.#entries) {
      if (this.#size + size <= this.sizeMax) break;
      this.delete(oldest);
      this.#evicted?.(oldest, entry.value);
    }
    this.#entries.set(key, { value, size });
    this.#size += size;
    return true;
  }

  delete(key: Key): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#entries.delete(key);
    this.#size -= entry.size;
    return true;
  }

  clear(): void {
    this.#entries.clear();
    this.#size = 0;
  }

  /** The keys, the one used longest ago first. */
  keys(): IterableIterator<Key> {
    return this.#entries.keys();
  }
}
