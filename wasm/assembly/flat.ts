import { listAllowed } from './allow-list';
import { distances } from './distance';
import { COSINE, F32, L2, vectorBytes } from './elements';
import { DOT, SQUARED, sum4, sum4Of2 } from './float32';
import { offer, thresholdOf } from './top-k';

/**
 * The exact scan of one chunk of rows for several queries. Rows go through in blocks that stay in the cache while
 * query after query reads them; in a block, four rows are offered at a time, to one or two queries.
 */

/** Bytes of rows in a block: with a few queries it fits the caches of every machine we run on. */
const BLOCK_BYTES: u32 = 65536;
const BLOCK_ROWS_MAX: u32 = 1024;

/** Row numbers of a block, with room for the padding. */
const LIST: u32 = memory.data((1024 + 4) * 4, 16) as u32;
/** Their addresses and scores, for other elements than float32. */
const ADDRESSES: u32 = memory.data(1024 * 4, 16) as u32;
const SCORES: u32 = memory.data((1024 + 4) * 4, 16) as u32;
/** Sums of a pair's second query. */
const SECOND: u32 = memory.data(16, 16) as u32;

/**
 * Offers the rows of a chunk to the heap of each query.
 *
 * `rows` is the address of the chunk's first row, number `first`; `count` rows are scanned. `inverses` (COSINE on
 * float32 only) are their inverse lengths. `bitmap` counts from row 0, not from `first`. Queries are `stride` bytes
 * apart, and as `distances` takes them; heaps are `heapStride` bytes apart.
 */
export function scan(
  elements: u32, metric: u32, dimension: u32, rows: u32, inverses: u32, first: u32, count: u32, bitmap: u32,
  queries: u32, queryCount: u32, stride: u32, heaps: u32, heapStride: u32,
): void {
  const bytes = vectorBytes(elements, dimension);
  let blockRows = BLOCK_BYTES / bytes;
  if (blockRows < 4) blockRows = 4;
  if (blockRows > BLOCK_ROWS_MAX) blockRows = BLOCK_ROWS_MAX;
  // Addresses as if the chunk began at row 0; they may wrap around, and wrap back when the row is added.
  const base = rows - first * bytes;
  const inverseBase = inverses - (first << 2);
  const end = first + count;
  for (let from = first; from < end; from += blockRows) {
    const to = end - from < blockRows ? end : from + blockRows;
    const chosen = listAllowed(LIST, from, to, bitmap);
    if (chosen == 0) continue;
    let query = queries;
    let heap = heaps;
    let rest = queryCount;
    if (elements != F32) {
      listAddresses(base, bytes, chosen);
      for (; rest > 0; rest--) {
        scanListed(elements, metric, dimension, chosen, query, heap);
        query += stride;
        heap += heapStride;
      }
      continue;
    }
    for (; rest >= 2; rest -= 2) {
      scanPair(metric, dimension, base, inverseBase, chosen, query, query + stride, heap, heap + heapStride);
      query += stride << 1;
      heap += heapStride << 1;
    }
    if (rest > 0) scanOne(metric, dimension, base, inverseBase, chosen, query, heap);
  }
}

function listAddresses(base: u32, bytes: u32, chosen: u32): void {
  for (let at: u32 = 0; at < chosen << 2; at += 4) store<u32>(ADDRESSES + at, base + load<u32>(LIST + at) * bytes);
}

/** The exact distances that rank candidates elsewhere, offered in order. */
function scanListed(elements: u32, metric: u32, dimension: u32, chosen: u32, query: u32, heap: u32): void {
  distances(elements, metric, dimension, query, ADDRESSES, chosen, SCORES);
  const end = LIST + (chosen << 2);
  for (let list = LIST; list < end; list += 16) offer4(heap, v128.load(SCORES + (list - LIST)), list, end);
}

function scanOne(metric: u32, dimension: u32, base: u32, inverses: u32, chosen: u32, query: u32, heap: u32): void {
  const bytes = dimension << 2;
  const end = LIST + (chosen << 2);
  for (let list = LIST; list < end; list += 16) {
    const a = base + load<u32>(list) * bytes;
    const b = base + load<u32>(list, 4) * bytes;
    const c = base + load<u32>(list, 8) * bytes;
    const d = base + load<u32>(list, 12) * bytes;
    const sums = metric == L2
      ? sum4(SQUARED, query, a, b, c, d, dimension)
      : sum4(DOT, query, a, b, c, d, dimension);
    offer4(heap, scores(metric, sums, inverses, list), list, end);
  }
}

function scanPair(
  metric: u32, dimension: u32, base: u32, inverses: u32, chosen: u32, query: u32, other: u32, heap: u32, otherHeap: u32,
): void {
  const bytes = dimension << 2;
  const end = LIST + (chosen << 2);
  for (let list = LIST; list < end; list += 16) {
    const a = base + load<u32>(list) * bytes;
    const b = base + load<u32>(list, 4) * bytes;
    const c = base + load<u32>(list, 8) * bytes;
    const d = base + load<u32>(list, 12) * bytes;
    const sums = metric == L2
      ? sum4Of2(SQUARED, query, other, a, b, c, d, dimension, SECOND)
      : sum4Of2(DOT, query, other, a, b, c, d, dimension, SECOND);
    offer4(heap, scores(metric, sums, inverses, list), list, end);
    offer4(otherHeap, scores(metric, v128.load(SECOND), inverses, list), list, end);
  }
}

/**
 * Scores of four rows, smaller is nearer, from their sums: the distance itself for L2, else the distance subtracted
 * from zero, which never gives -0. A cosine is held within -1 and 1, which rounding may leave.
 */
// @ts-ignore: decorator
@inline
function scores(metric: u32, sums: v128, inverses: u32, list: u32): v128 {
  if (metric == L2) return sums;
  if (metric == COSINE) {
    let factors = v128.load32_zero(inverses + (load<u32>(list) << 2));
    factors = v128.load_lane<f32>(inverses + (load<u32>(list, 4) << 2), factors, 1);
    factors = v128.load_lane<f32>(inverses + (load<u32>(list, 8) << 2), factors, 2);
    factors = v128.load_lane<f32>(inverses + (load<u32>(list, 12) << 2), factors, 3);
    sums = f32x4.max(f32x4.min(f32x4.mul(sums, factors), f32x4.splat(1)), f32x4.splat(-1));
  }
  return f32x4.sub(f32x4.splat(0), sums);
}

/** Offers those of four rows that may enter; the padding at the list's end is left out. */
// @ts-ignore: decorator
@inline
function offer4(heap: u32, score: v128, list: u32, end: u32): void {
  if (i32x4.all_true(f32x4.ge(score, thresholdOf(heap)))) return;
  offerLanes(heap, score, list, end);
}

function offerLanes(heap: u32, score: v128, list: u32, end: u32): void {
  offerLane(heap, f32x4.extract_lane(score, 0), list);
  if (list + 4 < end) offerLane(heap, f32x4.extract_lane(score, 1), list + 4);
  if (list + 8 < end) offerLane(heap, f32x4.extract_lane(score, 2), list + 8);
  if (list + 12 < end) offerLane(heap, f32x4.extract_lane(score, 3), list + 12);
}

// @ts-ignore: decorator
@inline
function offerLane(heap: u32, score: f32, list: u32): void {
  if (!(score >= load<f32>(heap, 8))) offer(heap, score, load<u32>(list));
}
