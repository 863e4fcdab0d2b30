// Kept in the published types: a project whose `lib` has no disposal compiles against them all the same.
/// <reference lib="esnext.disposable" preserve="true" />

import type { ElementType, VectorMetric } from './element.ts';

/**
 * Vectors as a caller has them: row after row, without gaps, at any alignment. A `Float32Array` holds their values.
 * Bytes hold rows as their elements are stored, numbers little-endian (float32 as a segment's vectors section has them).
 * They are copied once, into the kernel's memory; the caller keeps its own.
 */
export type VectorRows = Float32Array | Uint8Array;

/**
 * The nearest rows of several queries. The hits of query `q` are the first `counts[q]` entries from `q * limit` on,
 * nearest first, equal distances by ascending row. Entries behind them are zero. The arrays belong to the caller.
 */
export interface TopK {
  /** As it was asked for: the distance between two queries in `rows` and `distances`. */
  readonly limit: number;
  readonly counts: Uint32Array<ArrayBuffer>;
  readonly rows: Uint32Array<ArrayBuffer>;
  /** In the metric's own values; see `VectorMetric`. */
  readonly distances: Float32Array<ArrayBuffer>;
}

export interface FlatSearch {
  /**
   * A bitmap of the rows that may be found: bit `i & 7` of byte `i >> 3` stands for row `i`, 1 means allowed. It has
   * at least one bit for each row that is searched; bits beyond are ignored. Without it every row may be found.
   */
  readonly allow?: Uint8Array;
  /** Only rows below this one are searched: a snapshot of vectors that still grow. Defaults to all. */
  readonly count?: number;
}

/**
 * Vectors of one dimension in the order in which they came, searched exactly (Milvus's FLAT).
 *
 * - A row is known by its number: the first is 0, and numbers never change. Nothing is removed; a search leaves rows
 *   out by its bitmap.
 * - Growing never moves or copies what is there.
 * - A distance depends on the two vectors alone: not on the row's number, not on what else is searched, not on other
 *   queries of the call. So equal vectors have equal distances, and ties are broken by row. It does depend on which
 *   build of the kernel runs, in the last bits: a distance is never stored.
 * - Values are finite (the proxy refuses others). Distances of floats are computed in float32; one that overflows
 *   becomes infinite, and one that would be no number at all counts as the farthest. For COSINE, a vector whose length
 *   is below 2^-126 counts as zero, and the cosine of a zero vector with any other is 0.
 * - Distances of int8 and of bits are computed in whole numbers and rounded to float32 once (a cosine a few times):
 *   they are the same in both builds.
 * - After `free` every call but `free` throws `closed`, with the detail `reason: 'freed'`: the caller may load again.
 */
export interface FlatVectors {
  /** Values a vector, 1 to `DIMENSION_MAX`. */
  readonly dimension: number;
  readonly metric: VectorMetric;
  readonly elements: ElementType;
  /** Rows. */
  readonly size: number;
  /** Bytes of the kernel's memory that these vectors occupy, spare room included. */
  readonly bytes: number;

  /**
   * Appends whole rows, all of them or none. Many rows in one call leave no spare room behind; one at a time, at most
   * as much as there is, and never more than 1 MiB or one row.
   *
   * Values are rounded to the nearest f16 or bf16 (to infinity beyond the largest). For int8 and bits they must be
   * values that these hold: `invalid` otherwise, and nothing has changed.
   *
   * Throws `quota` if the budget would be passed: nothing has changed then, and everything goes on working.
   */
  append(rows: VectorRows): void;

  /**
   * The nearest `limit` (1 to `TOP_K_MAX`) rows of each query; `queries` holds one query after another, in either form
   * that `append` takes. Queries to f16 and bf16 keep the precision of float32.
   * The result takes 8 bytes times queries times `limit`: the caller bounds both.
   *
   * Throws `quota` if there is no room for the search itself: the bitmap, one to 64 queries and their heaps.
   */
  search(queries: VectorRows, limit: number, options?: FlatSearch): TopK;

  /** The values of one row, exactly as it is stored (float32: as it came); of bits, 0 and 1. A copy. */
  read(row: number): Float32Array<ArrayBuffer>;
  /** The same of the rows from `start` up to, not including, `end`, one after another: what a flush writes. */
  readRange(start: number, end: number): Float32Array<ArrayBuffer>;
  /** The same of these rows, in this order, one after another. */
  readMany(rows: Uint32Array): Float32Array<ArrayBuffer>;
  /** A copy of the rows from `start` up to, not including, `end` in their stored form, as `append` takes it. */
  readBytes(start: number, end: number): Uint8Array<ArrayBuffer>;

  /** Gives the memory back for reuse. Freeing twice does no harm. */
  free(): void;
  [Symbol.dispose](): void;
}

/**
 * The kernel that a host hands in: one per isolate or worker, shared by everything in it, with one byte budget.
 * Every call is synchronous.
 *
 * - The budget is never passed: what would pass it throws `quota` (details `bytes`, `bytesUsed`, `bytesMax`) before
 *   anything is allocated. Free something and try again.
 */
export interface VectorKernel {
  /** Bytes in use now. Zero when everything is freed. */
  readonly bytes: number;
  /** Bytes taken from the host so far: a WebAssembly memory never shrinks, freed bytes are used again. See `reset`. */
  readonly bytesReserved: number;
  /** The budget: neither `bytes` nor `bytesReserved` ever passes it. */
  readonly bytesMax: number;
  /** CRC-32C of these bytes; ten times as fast as tables in JavaScript for large ones, if there is room to fold them. */
  crc32c(bytes: Uint8Array): number;
  /** From now on `bytesReserved` grows to no more than this, in whole pages; what is reserved already stays. */
  limit(bytes: number): void;
  /** Gives the host back what is reserved, when nothing is in use: `bytes` is 0. Vectors without rows may be kept. */
  reset(): void;
  /**
   * New, empty vectors. They take no memory before the first row. `elements` defaults to `f32`; the metric is one of
   * theirs (`isMetricOf`).
   */
  flat(dimension: number, metric: VectorMetric, elements?: ElementType): FlatVectors;
}
