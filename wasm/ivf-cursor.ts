import { assert } from '../core/base/assert.ts';
import { ElanusError } from '../core/base/error.ts';
import type { TopK } from '../core/vector/kernel.ts';
import type { IndexCursor } from '../core/vector/segment-index.ts';
import { bitmapBytes } from './ivf-alive.ts';
import type { IvfHeader } from './ivf-exports.ts';
import { distancesOf, fillBitmap } from './ivf-search.ts';
import type { KernelMemory } from './memory.ts';

export interface IvfCursorOptions {
  readonly query: Float32Array;
  readonly allow: Uint8Array | undefined;
  /** Lists that are read before the first results; each further batch reads a quarter as many more, if there are. */
  readonly nprobe: number;
  /** Whether rows are scored by exact vectors, or by estimates. */
  readonly isExact: boolean;
  readonly onFree: () => void;
}

/**
 * The next results of one query: rows of the lists that were read wait in a pool (8 bytes each) until they are the
 * nearest there. So no row comes twice, all come in the end, and a batch is in order; a later batch may hold a nearer
 * row than an earlier one, of a list that was not read then.
 */
export class IvfCursor implements IndexCursor {
  readonly #memory: KernelMemory;
  readonly #header: IvfHeader;
  readonly #options: IvfCursorOptions;
  readonly #block: number;
  readonly #room: number;
  readonly #bitmap: number;
  #pool = 0;
  #capacity = 0;
  #size = 0;
  #read = 0;
  #readUntil: number;
  #hasPending = true;
  #isFree = false;

  /** Throws `quota` if there is no room. */
  constructor(memory: KernelMemory, header: IvfHeader, options: IvfCursorOptions) {
    this.#memory = memory;
    this.#header = header;
    this.#options = options;
    this.#readUntil = options.nprobe;
    const { exports, address } = header;
    const room = Math.ceil((exports.ivfProbeBytes(address, 0, 0) >>> 0) / 16) * 16;
    const queryBytes = Math.ceil(header.get('dimension') / 4) * 16;
    const bytes = room + queryBytes + (options.allow === undefined ? 0 : bitmapBytes(header.get('size')));
    const block = memory.tryAllocate(bytes);
    if (block === undefined) throw memory.quota(bytes, 'a cursor');
    this.#block = block;
    this.#room = block;
    memory.floats(block + room, options.query.length).set(options.query);
    exports.ivfCursorOpen(address, block, block + room);
    this.#bitmap = fillBitmap(memory, header, block + room + queryBytes, options.allow);
  }

  next(count: number): TopK {
    if (this.#isFree) throw new ElanusError('closed', 'The index changed, or the cursor was freed. Open another one.');
    assert(Number.isInteger(count) && count >= 1, 'at least one row is asked for');
    if (this.#hasPending) {
      this.#gather(this.#header.get('size') - this.#header.get('pendingFirst'), true);
      this.#hasPending = false;
    }
    const { exports, address } = this.#header;
    while (this.#read < this.#readUntil || this.#size < count) {
      const more = exports.ivfCursorNextCount(address, this.#room);
      if (more < 0) break;
      this.#gather(more, false);
      this.#read += 1;
    }
    this.#readUntil += Math.ceil(this.#options.nprobe / 4);
    return this.#take(count);
  }

  free(): void {
    if (this.#isFree) return;
    this.#isFree = true;
    this.#memory.release(this.#block);
    if (this.#pool !== 0) this.#memory.release(this.#pool);
    this.#options.onFree();
  }

  #gather(count: number, isPending: boolean): void {
    this.#reserve(this.#size + count);
    const { exports, address } = this.#header;
    const { isExact } = this.#options;
    this.#size = exports.ivfCursorGather(
      ...([address, this.#room, isPending, isExact, this.#bitmap, this.#pool, this.#size] as const),
    );
  }

  #reserve(entries: number): void {
    if (entries <= this.#capacity) return;
    const capacity = Math.max(entries, 2 * this.#capacity);
    const pool = this.#memory.tryAllocate(8 * capacity);
    if (pool === undefined) throw this.#memory.quota(8 * capacity, 'the rows that a cursor has seen');
    this.#memory.bytes.copyWithin(pool, this.#pool, this.#pool + 8 * this.#size);
    if (this.#pool !== 0) this.#memory.release(this.#pool);
    this.#pool = pool;
    this.#capacity = capacity;
  }

  #take(limit: number): TopK {
    const count = Math.min(limit, this.#size);
    const result: TopK = {
      limit,
      counts: Uint32Array.of(count),
      rows: new Uint32Array(limit),
      distances: new Float32Array(limit),
    };
    if (count === 0) return result;
    const target = this.#memory.tryAllocate(8 * count);
    if (target === undefined) throw this.#memory.quota(8 * count, 'the next rows of a cursor');
    this.#header.exports.ivfCursorTake(this.#pool, this.#size, count, target, target + 4 * count);
    this.#size -= count;
    result.rows.set(this.#memory.words(target, count));
    const scores = this.#memory.floats(target + 4 * count, count);
    distancesOf(this.#header, scores, this.#options.isExact, result.distances.subarray(0, count));
    this.#memory.release(target);
    return result;
  }
}
