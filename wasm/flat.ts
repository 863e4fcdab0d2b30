// Kept in the published types: a project whose `lib` has no disposal compiles against them all the same.
/// <reference lib="esnext.disposable" preserve="true" />

import { assert } from '../core/base/assert.ts';
import { ElanusError } from '../core/base/error.ts';
import { TOP_K_MAX } from '../core/model/limits.ts';
import { type ElementType, isMetricOf, type VectorMetric, vectorBytes } from '../core/vector/element.ts';
import { floatsOfRows, isFloats, storedRows } from '../core/vector/element-rows.ts';
import type { FlatSearch, FlatVectors, TopK, VectorRows } from '../core/vector/kernel.ts';
import { type Chunk, ELEMENT_NUMBERS, scanChunks } from './flat-search.ts';
import type { KernelMemory } from './memory.ts';

/** Bytes of a chunk of rows, or one row if that is more: what is spare in the last chunk stays small. */
const CHUNK_BYTES_MAX = 1024 * 1024;

/** A chunk that does not fit may be made this much smaller: many tiny ones would cost more than they save. */
const SPLIT_MAX = 64;

/** Bytes of float32 rows that are converted at once, or one row if that is more. */
const STAGING_BYTES = 65_536;

/** Writes `count` rows of those that are appended, number `from` and after, to an address. */
type WriteRows = (address: number, from: number, count: number) => void;

/** FLAT in the kernel's memory: rows in chunks, so that growing never moves any. */
export class WasmFlat implements FlatVectors {
  readonly dimension: number;
  readonly metric: VectorMetric;
  readonly elements: ElementType;
  readonly #memory: KernelMemory;
  readonly #rowBytes: number;
  readonly #chunkRowsMax: number;
  #chunks: Chunk[] = [];
  #size = 0;
  #bytes = 0;
  #isFree = false;

  constructor(memory: KernelMemory, dimension: number, metric: VectorMetric, elements: ElementType = 'f32') {
    assert(isMetricOf(elements, metric), 'a metric is one of the elements');
    this.#memory = memory;
    this.dimension = dimension;
    this.metric = metric;
    this.elements = elements;
    this.#rowBytes = vectorBytes(elements, dimension);
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
    const { elements } = this;
    if (isFloats(rows) && (elements === 'f16' || elements === 'bf16')) {
      this.#appendEncoded(rows);
      return;
    }
    const bytes = this.#storedBytes(rows);
    const count = bytes.byteLength / this.#rowBytes;
    this.#appendRows(count, (address, from, some) => {
      this.#memory.bytes.set(bytes.subarray(from * this.#rowBytes, (from + some) * this.#rowBytes), address);
    });
  }

  search(queries: VectorRows, limit: number, options: FlatSearch = {}): TopK {
    this.#assertOpen();
    const { allow, count = this.#size } = options;
    assert(Number.isInteger(limit) && limit >= 1 && limit <= TOP_K_MAX, 'a limit is in its range');
    assert(Number.isInteger(count) && count >= 0 && count <= this.#size, 'a snapshot holds rows that exist');
    assert(allow === undefined || allow.byteLength * 8 >= count, 'a bitmap has a bit for each row');
    const { metric, dimension, elements } = this;
    const rows = this.#queryRows(queries);
    return scanChunks(this.#memory, this.#chunks, { elements, metric, dimension, queries: rows, limit, count, allow });
  }

  read(row: number): Float32Array<ArrayBuffer> {
    return this.readRange(row, row + 1);
  }

  readRange(start: number, end: number): Float32Array<ArrayBuffer> {
    return this.#valuesOf(this.readBytes(start, end));
  }

  readMany(rows: Uint32Array): Float32Array<ArrayBuffer> {
    this.#assertOpen();
    const target = new Uint8Array(rows.length * this.#rowBytes);
    for (const [index, row] of rows.entries()) {
      assert(row < this.#size, 'rows that exist are read');
      const chunk = this.#chunks[this.#locate(row)] as Chunk;
      const address = chunk.rows + (row - chunk.first) * this.#rowBytes;
      target.set(this.#memory.bytes.subarray(address, address + this.#rowBytes), index * this.#rowBytes);
    }
    return this.#valuesOf(target);
  }

  readBytes(start: number, end: number): Uint8Array<ArrayBuffer> {
    this.#assertOpen();
    assert(start >= 0 && start <= end && end <= this.#size, 'rows that exist are read');
    const target = new Uint8Array((end - start) * this.#rowBytes);
    let row = start;
    for (let index = this.#locate(start); row < end; index++) {
      const chunk = this.#chunks[index] as Chunk;
      const until = Math.min(end, chunk.first + chunk.count);
      const address = chunk.rows + (row - chunk.first) * this.#rowBytes;
      const bytes = this.#memory.bytes.subarray(address, address + (until - row) * this.#rowBytes);
      target.set(bytes, (row - start) * this.#rowBytes);
      row = until;
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
   * The rows, and for COSINE on float32 behind them the inverse of each one's length. Where `capacity` rows do not fit, fewer
   * may: what is left of the budget is used, and so are the gaps that freed vectors leave.
   */
  #allocateChunk(first: number, capacity: number): Chunk | undefined {
    const capacityMin = Math.min(capacity, Math.ceil(this.#chunkRowsMax / SPLIT_MAX));
    for (let rowsMax = capacity; rowsMax >= capacityMin; rowsMax = Math.floor(rowsMax / 2)) {
      const rowsBytes = Math.ceil((rowsMax * this.#rowBytes) / 16) * 16;
      const inversesBytes = this.#hasInverses ? rowsMax * Float32Array.BYTES_PER_ELEMENT : 0;
      const rows = this.#memory.tryAllocate(rowsBytes + inversesBytes);
      if (rows !== undefined) return { rows, inverses: rows + rowsBytes, first, count: 0, capacity: rowsMax };
    }
    return undefined;
  }

  /** Rows go through a buffer of float32 in the kernel's memory, which is there before anything changes. */
  #appendEncoded(rows: Float32Array): void {
    const { dimension, elements } = this;
    const count = rows.length / dimension;
    if (count === 0) return;
    const bufferRows = Math.min(count, Math.max(1, Math.floor(STAGING_BYTES / (dimension * rows.BYTES_PER_ELEMENT))));
    const bufferBytes = bufferRows * dimension * rows.BYTES_PER_ELEMENT;
    const buffer = this.#memory.tryAllocate(bufferBytes);
    if (buffer === undefined) throw this.#memory.quota(bufferBytes, 'the conversion of vectors');
    try {
      this.#appendRows(count, (address, from, some) => {
        for (let done = 0; done < some; done += bufferRows) {
          const part = Math.min(bufferRows, some - done);
          const values = rows.subarray((from + done) * dimension, (from + done + part) * dimension);
          this.#memory.floats(buffer, values.length).set(values);
          const target = address + done * this.#rowBytes;
          this.#memory.exports.encodeElements(ELEMENT_NUMBERS[elements], buffer, values.length, target);
        }
      });
    } finally {
      this.#memory.release(buffer);
    }
  }

  #appendRows(count: number, write: WriteRows): void {
    assert(Number.isInteger(count), 'whole rows are appended');
    if (count === 0) return;
    this.#reserve(count);
    let from = 0;
    for (let index = this.#locate(this.#size); from < count; index++) {
      const chunk = this.#chunks[index] as Chunk;
      const some = Math.min(chunk.capacity - chunk.count, count - from);
      const address = chunk.rows + chunk.count * this.#rowBytes;
      write(address, from, some);
      if (this.#hasInverses) {
        const target = chunk.inverses + chunk.count * Float32Array.BYTES_PER_ELEMENT;
        this.#memory.exports.inverseNorms(address, some, this.dimension, target);
      }
      chunk.count += some;
      this.#size += some;
      from += some;
    }
  }

  /** The values of rows that nobody else has. */
  #valuesOf(bytes: Uint8Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
    const { elements, dimension } = this;
    return elements === 'f32' ? new Float32Array(bytes.buffer) : floatsOfRows(elements, bytes, dimension);
  }

  /** Rows as these elements are stored. */
  #storedBytes(rows: VectorRows): Uint8Array {
    const { elements, dimension } = this;
    if (isFloats(rows) && (elements === 'int8' || elements === 'bit')) return storedRows(elements, rows, dimension);
    return new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength);
  }

  /** Queries as the kernel compares them: in the form of the rows for int8 and bits, else float32. */
  #queryRows(queries: VectorRows): VectorRows {
    const { elements, dimension } = this;
    const isStored = elements === 'int8' || elements === 'bit';
    const rows = isStored
      ? this.#storedBytes(queries)
      : isFloats(queries)
        ? queries
        : floatsOfRows(elements, queries, dimension);
    assert(Number.isInteger(rows.length / (isStored ? this.#rowBytes : dimension)), 'whole queries are searched');
    return rows;
  }

  /** Other elements have their lengths computed along with the distances: they are bound by the memory, not by that. */
  get #hasInverses(): boolean {
    return this.metric === 'COSINE' && this.elements === 'f32';
  }
}
