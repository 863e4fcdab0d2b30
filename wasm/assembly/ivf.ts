import { paddedDimension } from './code';
import { COSINE, IP } from './elements';
import { allocate, release } from './memory';
import { normalize } from './norms';
import { drawSigns, rotate, signsBytes } from './rotation';
import { createRows, freeRows, reserveRows, Rows, rowAt } from './rows';

/**
 * An inverted file: rows in lists, one for each centroid, so that a search reads the lists near its query alone.
 *
 * All but the exact vectors lives in the index's *space*: a vector as it is (of length 1 for COSINE), rotated where its
 * codes want that, minus the mean of the sample. Neither changes a distance. A list's *centre* is what its centroid's
 * code of 8 bits stands for, and a row's *residual* is the rest; so a centroid takes a byte a dimension, and rows are
 * assigned by products of whole numbers, which are the same in both builds.
 *
 * Row `i` is *pending* from `pendingFirst` on, unless a fill is on its way that has already put it into its list:
 * `i - pendingFirst < roundCount` and its entry of `assigned` is below `filled`.
 *
 * Source of the scheme: Jégou, Douze and Schmid, "Product quantization for nearest neighbor search" (2011), IVFADC.
 */

/** What a list holds of each row, as the host numbers it. */
export const VECTORS: u32 = 0;
export const SQ8: u32 = 1;
export const RABITQ: u32 = 2;
export const PQ: u32 = 3;
export const SCANN: u32 = 4;

/** The host writes these fields: `wasm/ivf-exports.ts` has the same order. All are u32 or addresses, but the seed. */
// @ts-ignore: decorator
@unmanaged
export class Ivf {
  seed: u64;
  kind: u32;
  metric: u32;
  dimension: u32;
  listCount: u32;
  /** Of the sample, padded with zeros. */
  mean: u32;
  /** Codes of 8 bits, with |c|^2 as term. */
  centroids: u32;
  /** Two words a list: the address of its block (0: none), and how many rows it holds. */
  lists: u32;
  /** PQ, SCANN: for each part, for each of its dimensions, the codewords' values (f32). */
  codebooks: u32;
  parts: u32;
  /** Dimensions of a part; for SCANN 2, and the last one is padded. */
  partDimension: u32;
  /** Float32 vectors, from row `rowsFirst` on. */
  rows: Rows;
  rowsFirst: u32;
  size: u32;
  pendingFirst: u32;
  roundCount: u32;
  assigned: u32;
  filled: u32;
  /** A bitmap of the rows that were not removed; 0 if none was. */
  alive: u32;
  /** The rotation, for kinds that have one; the module's own. */
  signs: u32;
}

/** Room for one call: four vectors padded with zeros, their codes, and a query of codes. */
// @ts-ignore: decorator
@unmanaged
export class Work {
  vector: u32;
  residual: u32;
  centre: u32;
  exact: u32;
  bytes: u32;
  query: u32;
}

const WORK_BYTES: u32 = 32;

/** Dimensions after padding: enough for every code. */
// @ts-ignore: decorator
@inline
export function paddedOf(dimension: u32): u32 {
  return paddedDimension(1, dimension);
}

/** Bytes of the room that `openWork` lays out. */
export function ivfWorkBytes(dimension: u32): u32 {
  return WORK_BYTES + paddedOf(dimension) * 18 + 16;
}

/** Lays the room out at `address`, and fills it with zeros. */
export function openWork(address: u32, dimension: u32): Work {
  memory.fill(address, 0, ivfWorkBytes(dimension));
  const padded = paddedOf(dimension);
  const work = changetype<Work>(address);
  work.vector = address + WORK_BYTES;
  work.residual = work.vector + (padded << 2);
  work.centre = work.residual + (padded << 2);
  work.exact = work.centre + (padded << 2);
  work.bytes = work.exact + (padded << 2);
  work.query = work.bytes + padded;
  return work;
}

/** Whether vectors are rotated: PQ would lose what neighbouring dimensions have in common, exact vectors gain nothing. */
// @ts-ignore: decorator
@inline
export function isRotated(kind: u32): bool {
  return kind == SQ8 || kind == RABITQ;
}

/** Writes a stored row, in the index's space, to `target`, whose padding is zero and stays so. */
export function rowToSpace(ivf: Ivf, row: u32, target: u32): void {
  memory.copy(target, rowAt(ivf.rows, row - ivf.rowsFirst), ivf.dimension << 2);
  if (isRotated(ivf.kind)) rotate(target, ivf.dimension, ivf.signs);
  subtract(target, ivf.mean, ivf.dimension);
}

/** The same for a query. For IP the mean stays: products with it are added where a list is opened. */
export function queryToSpace(ivf: Ivf, query: u32, work: Work): void {
  const bytes = ivf.dimension << 2;
  memory.copy(work.exact, query, bytes);
  if (ivf.metric == COSINE) normalize(work.exact, ivf.dimension);
  memory.copy(work.vector, work.exact, bytes);
  if (isRotated(ivf.kind)) rotate(work.vector, ivf.dimension, ivf.signs);
  if (ivf.metric != IP) subtract(work.vector, ivf.mean, ivf.dimension);
}

/** Makes an index of the header's fields: it holds no rows yet. False if there is no room. */
export function ivfOpen(ivf: Ivf): bool {
  ivf.rows = createRows(ivf.dimension << 2);
  if (changetype<u32>(ivf.rows) == 0) return false;
  if (!isRotated(ivf.kind)) return true;
  ivf.signs = allocate(signsBytes(ivf.dimension));
  if (ivf.signs == 0) {
    freeRows(ivf.rows);
    return false;
  }
  drawSigns(ivf.signs, ivf.dimension, ivf.seed);
  return true;
}

/** Makes room for `count` more rows; false if there is none. */
export function ivfReserve(ivf: Ivf, count: u32): bool {
  return reserveRows(ivf.rows, ivf.size - ivf.rowsFirst + count);
}

/** The address of a stored row: those of one chunk, `1 << ivfRowShift` of them, lie without gaps. */
export function ivfRowAddress(ivf: Ivf, row: u32): u32 {
  return rowAt(ivf.rows, row - ivf.rowsFirst);
}

export function ivfRowShift(ivf: Ivf): u32 {
  return ivf.rows.shift;
}

/** Brings the rows from `from` up to `to` to length 1, for COSINE. */
export function ivfNormalize(ivf: Ivf, from: u32, to: u32): void {
  for (let row = from; row < to; row++) normalize(rowAt(ivf.rows, row - ivf.rowsFirst), ivf.dimension);
}

/** Keeps the vectors from row `first` on alone. False if there is no room to do so: all are kept then. */
export function ivfTrim(ivf: Ivf, first: u32): bool {
  const rows = createRows(ivf.dimension << 2);
  if (changetype<u32>(rows) == 0) return false;
  if (!reserveRows(rows, ivf.size - first)) {
    freeRows(rows);
    return false;
  }
  for (let row = first; row < ivf.size; row++) {
    memory.copy(rowAt(rows, row - first), rowAt(ivf.rows, row - ivf.rowsFirst), ivf.dimension << 2);
  }
  freeRows(ivf.rows);
  ivf.rows = rows;
  ivf.rowsFirst = first;
  return true;
}

/** Gives back the vectors and the lists; the rest is the host's. */
export function ivfFree(ivf: Ivf): void {
  freeRows(ivf.rows);
  if (ivf.signs != 0) release(ivf.signs);
  releaseLists(ivf);
}

/**
 * Takes all rows out of their lists, so that all are pending: for lists that are to be made anew. Exact vectors must be
 * here; those that only lists hold are copied out of them first. False if there is no room for that: nothing has changed.
 */
export function ivfUnlist(ivf: Ivf): bool {
  if (ivf.kind == VECTORS) {
    const rows = createRows(ivf.dimension << 2);
    if (changetype<u32>(rows) == 0) return false;
    if (!reserveRows(rows, ivf.size)) {
      freeRows(rows);
      return false;
    }
    for (let row = ivf.rowsFirst; row < ivf.size; row++) {
      memory.copy(rowAt(rows, row), rowAt(ivf.rows, row - ivf.rowsFirst), ivf.dimension << 2);
    }
    for (let list: u32 = 0; list < ivf.listCount; list++) {
      let at = load<u32>(ivf.lists + (list << 3));
      const count = load<u32>(ivf.lists + (list << 3), 4);
      const numbers = at + count * (ivf.dimension << 2);
      for (let index: u32 = 0; index < count; index++, at += ivf.dimension << 2) {
        memory.copy(rowAt(rows, load<u32>(numbers + (index << 2))), at, ivf.dimension << 2);
      }
    }
    freeRows(ivf.rows);
    ivf.rows = rows;
    ivf.rowsFirst = 0;
  }
  releaseLists(ivf);
  ivf.pendingFirst = 0;
  return true;
}

function releaseLists(ivf: Ivf): void {
  if (ivf.lists == 0) return;
  for (let list: u32 = 0; list < ivf.listCount; list++) {
    const block = load<u32>(ivf.lists + (list << 3));
    if (block != 0) release(block);
  }
}

/** Clears the bits of `target` that `bitmap` has not; both have whole blocks of 16 bytes. */
export function ivfAnd(target: u32, bitmap: u32, bytes: u32): void {
  for (let at: u32 = 0; at < bytes; at += 16) {
    v128.store(target + at, v128.and(v128.load(target + at), v128.load(bitmap + at)));
  }
}

/** Bits of a bitmap that are set. */
export function ivfCount(bitmap: u32, bytes: u32): u32 {
  let sum: u64 = 0;
  for (let at: u32 = 0; at < bytes; at += 8) sum += popcnt(load<u64>(bitmap + at));
  return sum as u32;
}

/** Padded vectors: what is behind `dimension` is zero in both. */
// @ts-ignore: decorator
@inline
export function subtract(from: u32, values: u32, dimension: u32): void {
  const end = from + (dimension << 2);
  for (; from < end; from += 16, values += 16) v128.store(from, f32x4.sub(v128.load(from), v128.load(values)));
}

/** The inner product of padded vectors; nothing is fused, so both builds agree. */
export function dot(a: u32, b: u32, dimension: u32): f32 {
  const end = a + (dimension << 2);
  let sum = f32x4.splat(0);
  for (; a < end; a += 16, b += 16) sum = f32x4.add(sum, f32x4.mul(v128.load(a), v128.load(b)));
  return f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1)
    + (f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3));
}
