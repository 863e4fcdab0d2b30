import { listAllowed } from './allow-list';
import { prepareQuery } from './code-query';
import { COSINE, IP } from './elements';
import { dot, isRotated, Ivf, PQ, RABITQ, SCANN, SQ8, subtract, VECTORS, Work } from './ivf';
import { centreOf, ivfCentroidBytes } from './ivf-centroids';
import { entriesBytes, entryStride, isAlive, numbersAt } from './ivf-lists';
import { entryOf, push } from './nearest-first';
import { lookUp4 } from './pq';
import { rowAt } from './rows';
import { BLOCK_ROWS, blockBytes, lookUpBlock } from './scann';
import { score4 } from './space';
import { offer, thresholdOf } from './top-k';

/**
 * One list, or the pending rows, against one query: segment by segment the rows that may be found are listed, scored
 * four at a time, and given to a sink: a heap of the nearest (`top-k.ts`), or a pool of all (`nearest-first.ts`).
 *
 * A score is smaller where a row is nearer. *Exact* ones are the squared distance for L2, and 0 minus the product or
 * the cosine; *estimates* are of the squared distance, which for COSINE is 2 - 2 cos, and 0 minus the product.
 */

/** Rows of a segment: whole blocks of SCANN. */
const SEGMENT: u32 = 1024;
/** Positions in the list, or addresses of vectors. */
const PLACES: u32 = memory.data((1024 + 4) * 4, 16) as u32;
const NUMBERS: u32 = memory.data((1024 + 4) * 4, 16) as u32;
const SCORES: u32 = memory.data((1024 + 4) * 4, 16) as u32;

/** Where scored rows go. */
// @ts-ignore: decorator
@unmanaged
export class Sink {
  /** A heap of `top-k.ts`, or 0. */
  heap: u32;
  /** Entries of a pool that has room for all of them, and how many there are. */
  pool: u32;
  size: u32;
}

/** Gives the rows of a list to the sink, and says how many may be found. `isExact`: by their vectors in memory. */
export function scanList(
  ivf: Ivf, list: u32, bitmap: u32, work: Work, tables: u32, isExact: bool, sink: Sink,
): u32 {
  const block = load<u32>(ivf.lists + (list << 3));
  const count = load<u32>(ivf.lists + (list << 3), 4);
  if (count == 0) return 0;
  const numbers = block + numbersAt(ivf, count);
  let base: f32 = 0;
  let seen: u32 = 0;
  for (let from: u32 = 0; from < count; from += SEGMENT) {
    const to = count - from < SEGMENT ? count : from + SEGMENT;
    const found = place(numbers, from, to, bitmap);
    if (found == 0) continue;
    if (seen == 0 && !isExact) base = openList(ivf, list, work);
    seen += found;
    if (isExact) {
      if (ivf.kind == VECTORS) scoreVectors(ivf, block, found, work);
      else scoreStored(ivf, found, work);
    } else if (ivf.kind == SCANN) {
      scoreBlocks(ivf, block, count, from, to, found, base, tables);
    } else {
      scoreCodes(ivf, block, count, found, base, work, tables);
    }
    give(found, sink);
  }
  return seen;
}

/** The same for pending rows, which are always scored by their vectors: as estimates if `isExact` is not set. */
export function scanPending(ivf: Ivf, bitmap: u32, work: Work, isExact: bool, sink: Sink): u32 {
  let seen: u32 = 0;
  let row = ivf.pendingFirst;
  while (row < ivf.size) {
    let found: u32 = 0;
    for (; row < ivf.size && found < SEGMENT; row++) {
      if (isListed(ivf, row) || !isAlive(bitmap, row)) continue;
      store<u32>(NUMBERS + (found << 2), row);
      found += 1;
    }
    if (found == 0) break;
    seen += found;
    scoreStored(ivf, found, work);
    if (!isExact && ivf.metric == COSINE) {
      for (let at: u32 = 0; at < found << 2; at += 16) {
        const score = v128.load(SCORES + at);
        v128.store(SCORES + at, f32x4.add(f32x4.splat(2), f32x4.add(score, score)));
      }
    }
    give(found, sink);
  }
  return seen;
}

/** Gives all rows that a bitmap has to the sink, by their vectors, which must all be in memory. */
export function scanMatches(ivf: Ivf, bitmap: u32, work: Work, sink: Sink): void {
  for (let from: u32 = 0; from < ivf.size; from += SEGMENT) {
    const to = ivf.size - from < SEGMENT ? ivf.size : from + SEGMENT;
    const found = listAllowed(NUMBERS, from, to, bitmap);
    if (found == 0) continue;
    scoreStored(ivf, found, work);
    give(found, sink);
  }
}

/** Exact scores of `count` rows whose numbers are at `rows`: what a ranking ends with. */
export function scoreRows(ivf: Ivf, rows: u32, count: u32, work: Work, sink: Sink): void {
  for (let from: u32 = 0; from < count; from += SEGMENT) {
    const found = count - from < SEGMENT ? count - from : SEGMENT;
    memory.copy(NUMBERS, rows + (from << 2), found << 2);
    scoreStored(ivf, found, work);
    give(found, sink);
  }
}

/** Whether a fill has put a pending row into its list. */
// @ts-ignore: decorator
@inline
function isListed(ivf: Ivf, row: u32): bool {
  const index = row - ivf.pendingFirst;
  return index < ivf.roundCount && load<u32>(ivf.assigned + (index << 2)) < ivf.filled;
}

/** Lists the positions and numbers of the rows that may be found. */
function place(numbers: u32, from: u32, to: u32, bitmap: u32): u32 {
  let found: u32 = 0;
  for (let index = from; index < to; index++) {
    const row = load<u32>(numbers + (index << 2));
    store<u32>(PLACES + (found << 2), index);
    store<u32>(NUMBERS + (found << 2), row);
    found += isAlive(bitmap, row) as u32;
  }
  if (found > 0) pad(PLACES, found);
  return found;
}

/** Repeats the last of some words up to a multiple of four. */
// @ts-ignore: decorator
@inline
function pad(words: u32, count: u32): void {
  const end = words + (count << 2);
  const last = load<u32>(end - 4);
  store<u32>(end, last);
  store<u32>(end, last, 4);
  store<u32>(end, last, 8);
}

/** Prepares the query for a list, and gives the part of the estimates that its rows share. */
function openList(ivf: Ivf, list: u32, work: Work): f32 {
  const dimension = ivf.dimension;
  centreOf(dimension, ivf.centroids + list * ivfCentroidBytes(dimension), work.centre);
  memory.copy(work.residual, work.vector, dimension << 2);
  subtract(work.residual, work.centre, dimension);
  let base: f32;
  if (ivf.metric == IP) {
    base = 0 - (dot(work.vector, ivf.mean, dimension) + dot(work.vector, work.centre, dimension));
  } else {
    base = dot(work.residual, work.residual, dimension);
    if (ivf.metric == COSINE) base += 1 - dot(work.exact, work.exact, dimension);
  }
  if (isRotated(ivf.kind)) {
    const weight: f32 = ivf.metric == IP ? 1 : 2;
    if (ivf.kind == SQ8) prepareQuery(8, dimension, work.residual, base, weight, work.query);
    else prepareQuery(1, dimension, work.residual, base, weight, work.query);
  }
  return base;
}

/** Estimates by codes that lie one by one. */
function scoreCodes(ivf: Ivf, block: u32, count: u32, found: u32, base: f32, work: Work, tables: u32): void {
  const dimension = ivf.dimension;
  const stride = entryStride(ivf);
  const kind = ivf.kind;
  const terms = block + entriesBytes(ivf, count);
  for (let at: u32 = 0; at < found << 2; at += 16) {
    const first = load<u32>(PLACES + at);
    const second = load<u32>(PLACES + at, 4);
    const third = load<u32>(PLACES + at, 8);
    const fourth = load<u32>(PLACES + at, 12);
    const a = block + first * stride;
    const b = block + second * stride;
    const c = block + third * stride;
    const d = block + fourth * stride;
    let scores: v128;
    if (kind == SQ8) {
      scores = score4<u8>(ivf.metric, dimension, work.query, a, b, c, d);
    } else if (kind == RABITQ) {
      scores = score4<u32>(ivf.metric, dimension, work.query, a, b, c, d);
    } else {
      const term = f32x4(
        load<f32>(terms + (first << 2)), load<f32>(terms + (second << 2)),
        load<f32>(terms + (third << 2)), load<f32>(terms + (fourth << 2)),
      );
      scores = f32x4.sub(f32x4.add(f32x4.splat(base), term), lookUp4(ivf.parts, tables, a, b, c, d));
    }
    v128.store(SCORES + at, scores);
  }
}

/** Estimates of whole blocks of a segment; those of the rows that may be found move to the front. */
function scoreBlocks(
  ivf: Ivf, block: u32, count: u32, from: u32, to: u32, found: u32, base: f32, tables: u32,
): void {
  const bytes = blockBytes(ivf.parts);
  for (let row = from; row < to; row += BLOCK_ROWS) {
    lookUpBlock(ivf.parts, tables, block + (row / BLOCK_ROWS) * bytes, SCORES + ((row - from) << 2));
  }
  const terms = block + entriesBytes(ivf, count);
  for (let index: u32 = 0; index < found; index++) {
    const position = load<u32>(PLACES + (index << 2));
    const score = base + load<f32>(terms + (position << 2)) - load<f32>(SCORES + ((position - from) << 2));
    store<f32>(SCORES + (index << 2), score);
  }
}

/** Exact scores of vectors in a list's block, which are read in order. */
function scoreVectors(ivf: Ivf, block: u32, found: u32, work: Work): void {
  const bytes = ivf.dimension << 2;
  for (let at: u32 = 0; at < found << 2; at += 16) {
    const a = block + load<u32>(PLACES + at) * bytes;
    const b = block + load<u32>(PLACES + at, 4) * bytes;
    const c = block + load<u32>(PLACES + at, 8) * bytes;
    const d = block + load<u32>(PLACES + at, 12) * bytes;
    v128.store(SCORES + at, clamped(ivf.metric, score4<f32>(ivf.metric, ivf.dimension, work.exact, a, b, c, d)));
  }
}

/** Exact scores of rows by their numbers. */
function scoreStored(ivf: Ivf, found: u32, work: Work): void {
  pad(NUMBERS, found);
  for (let at: u32 = 0; at < found << 2; at += 16) {
    const a = storedAt(ivf, at);
    const b = storedAt(ivf, at + 4);
    const c = storedAt(ivf, at + 8);
    const d = storedAt(ivf, at + 12);
    v128.store(SCORES + at, clamped(ivf.metric, score4<f32>(ivf.metric, ivf.dimension, work.exact, a, b, c, d)));
  }
}

// @ts-ignore: decorator
@inline
function storedAt(ivf: Ivf, at: u32): u32 {
  return rowAt(ivf.rows, load<u32>(NUMBERS + at) - ivf.rowsFirst);
}

/** Rounding may leave -1 to 1, a cosine may not. */
// @ts-ignore: decorator
@inline
function clamped(metric: u32, scores: v128): v128 {
  return metric == COSINE ? f32x4.max(f32x4.min(scores, f32x4.splat(1)), f32x4.splat(-1)) : scores;
}

/** Gives the first `found` scores and numbers to the sink. Rows come in any order: an equal score may still enter. */
function give(found: u32, sink: Sink): void {
  const heap = sink.heap;
  if (heap == 0) {
    for (let at: u32 = 0; at < found << 2; at += 4) {
      push(sink.pool, sink.size, entryOf(load<f32>(SCORES + at), load<u32>(NUMBERS + at)));
      sink.size += 1;
    }
    return;
  }
  const end = found << 2;
  for (let at: u32 = 0; at < end; at += 16) {
    if (i32x4.all_true(f32x4.gt(v128.load(SCORES + at), thresholdOf(heap)))) continue;
    const stop = end - at < 16 ? end : at + 16;
    for (let lane = at; lane < stop; lane += 4) {
      const score = load<f32>(SCORES + lane);
      if (!(score > load<f32>(heap, 8))) offer(heap, score, load<u32>(NUMBERS + lane));
    }
  }
}
