// Kept in the published types: a project whose `lib` has no disposal compiles against them all the same.
/// <reference lib="esnext.disposable" preserve="true" />

import type { TopK, VectorRows } from './kernel.ts';

/** The kinds of index, in Milvus's names and, for HNSW, with the code that its graph is traversed on. */
export const INDEX_TYPES = [
  'FLAT',
  'HNSW',
  'HNSW_SQ8',
  'HNSW_SQ4',
  'HNSW_RABITQ',
  'IVF_FLAT',
  'IVF_SQ8',
  'IVF_PQ',
  'IVF_RABITQ',
  'SCANN',
] as const;

export type IndexType = (typeof INDEX_TYPES)[number];

/** What an index is: fixed when it is made, and saved with it. Every number has been checked by who makes it. */
export interface IndexSpec {
  readonly type: IndexType;
  /** L2, IP, COSINE; HAMMING and JACCARD for FLAT over bits. */
  readonly metric: 'L2' | 'IP' | 'COSINE' | 'HAMMING' | 'JACCARD';
  /** Values a vector. */
  readonly dimension: number;
  /** How exact vectors are kept. Everything but FLAT takes float32 in, and keeps f32. */
  readonly elements: 'f32' | 'f16' | 'bf16' | 'int8' | 'bit';
  /** Whether exact vectors stay in memory; `none`: codes only, and the exact ones are handed in for the last ranking. */
  readonly exact: 'memory' | 'none';
  /** Levels, rotations, samples: all that is drawn comes from it. A whole number from 0 to 2^53 - 1. */
  readonly seed: number;
  /** HNSW: links a node (twice as many on the lowest level), 2 to 128. */
  readonly M?: number;
  /** HNSW: nodes that an insertion keeps in view, at least M. */
  readonly efConstruction?: number;
  /** IVF, SCANN: lists, 1 to 65,536. */
  readonly nlist?: number;
  /** IVF_PQ: parts that a vector is cut into; it divides the dimension. */
  readonly m?: number;
}

export interface IndexSearch {
  /** Hits a query, 1 to `TOP_K_MAX`. */
  readonly limit: number;
  /** HNSW: nodes that the search keeps in view; at least `limit` and `refineK`. Default: the larger of 64 and `limit`. */
  readonly ef?: number | undefined;
  /** IVF, SCANN: lists that are searched. Default: the larger of 8 and a sixteenth of them. */
  readonly nprobe?: number | undefined;
  /** Candidates that are ranked again exactly, at least `limit`. Default: each index's own. 0: none, estimates count. */
  readonly refineK?: number | undefined;
  /** A bitmap of the rows that may be found, as in `FlatSearch`. */
  readonly allow?: Uint8Array | undefined;
}

/** The next results of one query. It sees the index as it was when it was opened; a change of the index ends it. */
export interface IndexCursor {
  /** The next rows, nearest first, at most `count`; fewer, or none, when there are no more. */
  next(count: number): TopK;
  free(): void;
}

/** A part of a saved index. */
export interface IndexSection {
  /** Exact vectors that an index with codes can be loaded without (`exact: 'none'`) are the section `exact`. */
  readonly name: string;
  readonly byteLength: number;
  /** Copies the part to the beginning of `target`. */
  copyTo(target: Uint8Array): void;
  /** The part itself where it lies in one piece, as in a blob that is loaded: what is copied in chunks needs no other. */
  readonly bytes?: Uint8Array;
}

/** What an index must be made from again: small facts, and the large parts by name. */
export interface SavedIndex {
  readonly spec: IndexSpec;
  /** Counts and settings of the type's own; plain JSON. */
  readonly state: Readonly<Record<string, number | readonly number[]>>;
  readonly sections: readonly IndexSection[];
}

/**
 * One index over vectors that are known by their row number, in the kernel's memory. All types keep this contract.
 *
 * - Rows are numbered from 0 in the order in which they come. A row that `append` brings can be found at once: until
 *   `build` has taken it in, it is searched exactly.
 * - `build` works in steps, and an index may be saved between any two: what loads it goes on where it was.
 * - The budget is never passed: `append`, `build`, `search`, `cursor` and loading throw `quota` before anything has
 *   changed, and everything goes on working.
 * - The same rows in the same calls give the same index, byte for byte, on every machine and from both builds, except
 *   for HNSW built on float32 (no code), whose ties may fall differently.
 * - After `free` every call but `free` throws `closed`.
 */
export interface SegmentIndex {
  readonly spec: IndexSpec;
  /** Rows that were appended, removed ones included. */
  readonly size: number;
  /** Rows that `build` has not yet taken in. Always 0 for FLAT. */
  readonly pending: number;
  /** Rows that are removed. */
  readonly removed: number;
  /** Bytes of the kernel's memory that the index occupies. */
  readonly bytes: number;

  /** Appends whole rows, all or none: float32 (`Float32Array` or its little-endian bytes), or the elements' own form. */
  append(rows: VectorRows): void;
  /** Takes in about `rows` more rows (or as much other work as they would be), and says how many are still pending. */
  build(rows: number): number;
  /** Rows that are never found again. Removing a row twice does no harm. */
  remove(rows: Uint32Array): void;

  /** The nearest rows of each query; `queries` holds one after another, in float32. One call into the kernel. */
  search(queries: Float32Array, search: IndexSearch): TopK;
  /**
   * What `search` would rank exactly: up to `search.refineK` rows a query by estimate, for exact vectors that are
   * elsewhere. `limit` of the result is that number.
   */
  candidates(queries: Float32Array, search: IndexSearch): TopK;
  cursor(query: Float32Array, search: IndexSearch): IndexCursor;
  /** Whether exact vectors of every row are in memory, so that `search` ranks exactly by itself. */
  readonly isExact: boolean;

  /**
   * The index as it is now. With `exact: false`, which only types with codes are asked for, and with nothing pending:
   * as if exact vectors had never been kept.
   */
  save(options?: { readonly exact?: boolean }): SavedIndex;
  free(): void;
}
