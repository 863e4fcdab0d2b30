// Kept in the published types: a project whose `lib` has no disposal compiles against them all the same.
/// <reference lib="esnext.disposable" preserve="true" />

import { assert } from '../core/base/assert.ts';
import { ElanusError } from '../core/base/error.ts';
import { TOP_K_MAX } from '../core/model/limits.ts';
import type { Metric } from '../core/model/metric.ts';
import type { FlatSearch, FlatVectors, TopK, VectorRows } from '../core/vector/kernel.ts';
import { type Chunk, scanChunks } from './flat-search.ts';
import type { KernelMemory } from './memory.ts';

/** Bytes of a chunk of rows, or one row if that is more: what is spare in the last chunk stays small. */
const CHUNK_BYTES_MAX = 1024 * 1024;

/** A chunk that does not fit may be made this much smaller: many tiny ones would cost more than they save. */
const SPLIT_MAX = 64;

/** FLAT in the kernel's memory: rows in chunks, so that growing never moves any. */
export class WasmFlat implements FlatVectors {
  readonly dimension: number;
  readonly metric: Metric;
  readonly #memory: KernelMemory;
  readonly #rowBytes: number;
  readonly #chunkRowsMax: number;
  #chunks: Chunk[] = [];
  #size = 0;
  #bytes = 0;
  #isFree = false;

  constructor(memory: KernelMemory, dimension: number, metric: Metric) {
    this.#memory = memory;
    this.dimension = dimension;
    this.metric = metric;
    this.#rowBytes = dimension * Float32Array.BYTES_PER_ELEMENT;
    this.#chunkRowsMax = Math.max(1, Math.floor(CHUNK_BYTES_MAX / this.#rowBytes));
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  append(rows: VectorRows): void {
    this.#assertOpen();
    const count = rows.byteLength / this.#rowBytes;
    assert(Number.isInteger(count), 'whole rows are appended');
    if (count === 0) return;
    this.#reserve(count);
    const bytes = new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength);
    let from = 0;
    for (let index = this.#locate(this.#size); from < count; index++) {
      const chunk = this.#chunks[index] as Chunk;
      const fitting = Math.min(chunk.capacity - chunk.count, count - from);
      this.#fill(chunk, bytes.subarray(from * this.#rowBytes, (from + fitting) * this.#rowBytes), fitting);
      from += fitting;
    }
  }

  search(queries: Float32Array, limit: number, options: FlatSearch = {}): TopK {
    this.#assertOpen();
    const { allow, count = this.#size } = options;
    assert(queries.length % this.dimension === 0, 'whole queries are searched');
    assert(Number.isInteger(limit) && limit >= 1 && limit <= TOP_K_MAX, 'a limit is in its range');
    assert(Number.isInteger(count) && count >= 0 && count <= this.#size, 'a snapshot holds rows that exist');
    assert(allow === undefined || allow.byteLength * 8 >= count, 'a bitmap has a bit for each row');
    const { metric, dimension } = this;
    return scanChunks(this.#memory, this.#chunks, { metric, dimension, queries, limit, count, allow });
  }

  read(row: number): Float32Array<ArrayBuffer> {
    return this.readRange(row, row + 1);
  }

  readRange(start: number, end: number): Float32Array<ArrayBuffer> {
    this.#assertOpen();
    assert(start >= 0 && start <= end && end <= this.#size, 'rows that exist are read');
    const target = new Float32Array((end - start) * this.dimension);
    let row = start;
    for (let index = this.#locate(start); row < end; index++) {
      const chunk = this.#chunks[index] as Chunk;
      const until = Math.min(end, chunk.first + chunk.count);
      const address = chunk.rows + (row - chunk.first) * this.#rowBytes;
      target.set(this.#memory.floats(address, (until - row) * this.dimension), (row - start) * this.dimension);
      row = until;
    }
    return target;
  }

  readMany(rows: Uint32Array): Float32Array<ArrayBuffer> {
    this.#assertOpen();
    const { dimension } = this;
    const target = new Float32Array(rows.length * dimension);
    for (const [index, row] of rows.entries()) {
      assert(row < this.#size, 'rows that exist are read');
      const chunk = this.#chunks[this.#locate(row)] as Chunk;
      const address = chunk.rows + (row - chunk.first) * this.#rowBytes;
      target.set(this.#memory.floats(address, dimension), index * dimension);
    }
    return target;
  }

  free(): void {
    for (const chunk of this.#chunks) this.#memory.release(chunk.rows);
    this.#chunks = [];
    this.#size = 0;
    this.#bytes = 0;
    this.#isFree = true;
  }

  [Symbol.dispose](): void {
    this.free();
  }

  #assertOpen(): void {
    if (this.#isFree)
      throw new ElanusError('closed', 'These vectors were freed. Load them again.', { details: { reason: 'freed' } });
  }

  /** The index of the chunk that holds a row, or that the next row goes to. */
  #locate(row: number): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const chunk = this.#chunks[middle] as Chunk;
      if (chunk.first + chunk.capacity <= row) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Makes room for `count` more rows, in chunks as large as what is there already, or as what comes. */
  #reserve(count: number): void {
    const { exports } = this.#memory;
    const last = this.#chunks.at(-1);
    const usedBefore = exports.usedBytes() >>> 0;
    const added: Chunk[] = [];
    let first = last === undefined ? 0 : last.first + last.capacity;
    let missing = count - (first - this.#size);
    while (missing > 0) {
      const chunk = this.#allocateChunk(first, Math.min(this.#chunkRowsMax, Math.max(missing, this.#size)));
      if (chunk === undefined) {
        for (const { rows } of added) this.#memory.release(rows);
        throw this.#memory.quota(count * this.#rowBytes, `${count} more vectors of dimension ${this.dimension}`);
      }
      added.push(chunk);
      first += chunk.capacity;
      missing -= chunk.capacity;
    }
    this.#chunks.push(...added);
    this.#bytes += (exports.usedBytes() >>> 0) - usedBefore;
  }

  /**
   * The rows, and for COSINE behind them the inverse of each one's length. Where `capacity` rows do not fit, fewer
   * may: what is left of the budget is used, and so are the gaps that freed vectors leave.
   */
  #allocateChunk(first: number, capacity: number): Chunk | undefined {
    const capacityMin = Math.min(capacity, Math.ceil(this.#chunkRowsMax / SPLIT_MAX));
    for (let rowsMax = capacity; rowsMax >= capacityMin; rowsMax = Math.floor(rowsMax / 2)) {
      const rowsBytes = Math.ceil((rowsMax * this.#rowBytes) / 16) * 16;
      const inversesBytes = this.metric === 'COSINE' ? rowsMax * Float32Array.BYTES_PER_ELEMENT : 0;
      const rows = this.#memory.tryAllocate(rowsBytes + inversesBytes);
      if (rows !== undefined) return { rows, inverses: rows + rowsBytes, first, count: 0, capacity: rowsMax };
    }
    return undefined;
  }

  #fill(chunk: Chunk, bytes: Uint8Array, count: number): void {
    const address = chunk.rows + chunk.count * this.#rowBytes;
    this.#memory.bytes.set(bytes, address);
    if (this.metric === 'COSINE') {
      const target = chunk.inverses + chunk.count * Float32Array.BYTES_PER_ELEMENT;
      this.#memory.exports.inverseNorms(address, count, this.dimension, target);
    }
    chunk.count += count;
    this.#size += count;
  }
}
