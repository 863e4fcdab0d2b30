import { BIGINT_BYTES, TABLE_ENTRY_BYTES, valueFootprint } from '../base/footprint.ts';
import type { Key } from '../model/column.ts';
import type { Timestamp } from '../time/timestamp.ts';

/**
 * The keys that were deleted or written again since the checkpoint, and when first: their rows in flushed segments have
 * ended, and only the log says so until a flush writes it into deltas.
 *
 * There are two generations, because a flush seals at a boundary and commits later: what lies below the boundary is
 * forgotten with the commit, what came after it stays. A row that is being flushed was inserted below the boundary, so
 * it is ended by the first delete above it.
 */
export class ChannelDeletes {
  #sealed = new Map<Key, Timestamp>();
  #current = new Map<Key, Timestamp>();
  #sealedBytes = 0;
  #currentBytes = 0;

  /** About how many bytes of memory this takes. */
  get bytes(): number {
    return this.#sealedBytes + this.#currentBytes;
  }

  /** Keeps the first time at which a key ended in this generation. */
  add(key: Key, timestamp: Timestamp): void {
    if (this.#current.has(key)) return;
    this.#current.set(key, timestamp);
    this.#currentBytes += TABLE_ENTRY_BYTES + BIGINT_BYTES + valueFootprint(key);
  }

  /** A flush has sealed: what comes from now on belongs to the next one. */
  seal(): void {
    this.#sealed = this.#current;
    this.#current = new Map();
    this.#sealedBytes = this.#currentBytes;
    this.#currentBytes = 0;
  }

  /** The flush is committed: deltas hold what it sealed. */
  committed(): void {
    this.#sealed = new Map();
    this.#sealedBytes = 0;
  }

  /** What the flush under way has to write into deltas. */
  get sealed(): ReadonlyMap<Key, Timestamp> {
    return this.#sealed;
  }

  /** Everything that no delta holds, oldest first. */
  *all(): Generator<[Key, Timestamp]> {
    yield* this.#sealed;
    yield* this.#current;
  }
}
