import { codeBytes, codeStride, encode } from './code';
import { estimate4, prepareQuery, prepareQueryOfCode } from './code-query';
import { dot, Ivf, openWork, paddedOf, rowToSpace, Work } from './ivf';
import { leastOf } from './nearest-first';
import { randomAt } from './random';
import { score4 } from './space';

/**
 * k-means (Lloyd) on codes of 8 bits: a sample's rows and the centroids are encoded, so that the nearest centroid is
 * found by products of whole numbers, four centroids at a time, and comes out the same in both builds.
 *
 * The sample is in random order, and its first rows are the first centroids. A centroid that loses all its rows takes
 * one of the largest list's.
 */

/** Empty centroids that one iteration places anew: with many equal rows there is nothing to place them on. */
const RESEEDED_MAX: u32 = 256;

/** Bytes of a centroid or of a row of the sample. */
export function ivfCentroidBytes(dimension: u32): u32 {
  return codeStride(8, dimension);
}

/** Writes the mean of `count` rows, whose numbers (u32) are at `sample`. */
export function ivfMean(ivf: Ivf, sample: u32, count: u32, room: u32): void {
  const work = openWork(room, ivf.dimension);
  const padded = paddedOf(ivf.dimension);
  memory.fill(ivf.mean, 0, padded << 2);
  for (let index: u32 = 0; index < count; index++) {
    // The mean is still zero while it is made: nothing is taken off.
    rowToSpace(ivf, load<u32>(sample + (index << 2)), work.vector);
    accumulate(work.residual, work.vector, ivf.dimension);
  }
  const factor = f32x4.splat(1 / (count as f32));
  for (let at: u32 = 0; at < padded << 2; at += 16) {
    v128.store(ivf.mean + at, f32x4.mul(v128.load(work.residual + at), factor));
  }
}

/** Encodes the rows of the sample from `from` up to `to`. */
export function ivfEncodeSample(ivf: Ivf, sample: u32, from: u32, to: u32, codes: u32, room: u32): void {
  const work = openWork(room, ivf.dimension);
  const stride = codeStride(8, ivf.dimension);
  for (let index = from; index < to; index++) {
    rowToSpace(ivf, load<u32>(sample + (index << 2)), work.vector);
    encodeCentroid(ivf.dimension, work, codes + index * stride);
  }
}

/** Encodes `work.vector` with its squared length as term. */
function encodeCentroid(dimension: u32, work: Work, target: u32): void {
  encode(8, dimension, work.vector, dot(work.vector, work.vector, dimension), work.bytes, target);
}

/** Assigns the rows of the sample from `from` up to `to`, and adds each to its list's sum (f32, padded) and count. */
export function ivfAssignSample(
  ivf: Ivf, codes: u32, from: u32, to: u32, assigned: u32, sums: u32, counts: u32, room: u32,
): void {
  const dimension = ivf.dimension;
  const work = openWork(room, dimension);
  const stride = codeStride(8, dimension);
  const sumBytes = sumStride(dimension);
  for (let index = from; index < to; index++) {
    const code = codes + index * stride;
    prepareQueryOfCode(8, dimension, code, 2, work.query);
    const list = nearestCentroid(ivf, work.query);
    store<u32>(assigned + (index << 2), list);
    const count = counts + (list << 2);
    store<u32>(count, load<u32>(count) + 1);
    centreOf(dimension, code, work.centre);
    accumulate(sums + list * sumBytes, work.centre, dimension);
  }
}

/** Bytes of a list's sum. */
// @ts-ignore: decorator
@inline
function sumStride(dimension: u32): u32 {
  return ((dimension + 3) & ~3) << 2;
}

/** Makes each centroid the mean of its rows. */
export function ivfMoveCentroids(
  ivf: Ivf, codes: u32, count: u32, assigned: u32, sums: u32, counts: u32, iteration: u32, room: u32,
): void {
  const dimension = ivf.dimension;
  const work = openWork(room, dimension);
  const stride = codeStride(8, dimension);
  const sumBytes = sumStride(dimension);
  let reseeded: u32 = 0;
  for (let list: u32 = 0; list < ivf.listCount; list++) {
    const members = load<u32>(counts + (list << 2));
    const centroid = ivf.centroids + list * stride;
    if (members > 0) {
      const factor = f32x4.splat(1 / (members as f32));
      for (let at: u32 = 0; at < sumBytes; at += 16) {
        v128.store(work.vector + at, f32x4.mul(v128.load(sums + list * sumBytes + at), factor));
      }
      encodeCentroid(dimension, work, centroid);
    } else if (reseeded < RESEEDED_MAX) {
      const largest = largestList(counts, ivf.listCount);
      const half = load<u32>(counts + (largest << 2)) >> 1;
      if (half == 0) continue;
      store<u32>(counts + (largest << 2), half);
      let row = (randomAt(ivf.seed, ((iteration as u64) << 32) | (list as u64)) % (count as u64)) as u32;
      while (load<u32>(assigned + (row << 2)) != largest) row = row + 1 == count ? 0 : row + 1;
      memory.copy(centroid, codes + row * stride, stride);
      reseeded += 1;
    }
  }
}

function largestList(counts: u32, listCount: u32): u32 {
  let best: u32 = 0;
  for (let list: u32 = 1; list < listCount; list++) {
    if (load<u32>(counts + (list << 2)) > load<u32>(counts + (best << 2))) best = list;
  }
  return best;
}

/** Writes the lists (u32) of the rows from `from` up to `to`. */
export function ivfAssign(ivf: Ivf, from: u32, to: u32, target: u32, room: u32): void {
  const work = openWork(room, ivf.dimension);
  for (let row = from; row < to; row++, target += 4) {
    rowToSpace(ivf, row, work.vector);
    prepareQuery(8, ivf.dimension, work.vector, 0, 2, work.query);
    store<u32>(target, nearestCentroid(ivf, work.query));
  }
}

/** The centroid with the smallest estimate; of equal ones the first. */
function nearestCentroid(ivf: Ivf, query: u32): u32 {
  const dimension = ivf.dimension;
  const stride = codeStride(8, dimension);
  const last = ivf.listCount - 1;
  let best = f32x4.splat(Infinity);
  let lists = i32x4.splat(0);
  let numbers = i32x4(0, 1, 2, 3);
  for (let list: u32 = 0; list <= last; list += 4) {
    const a = ivf.centroids + list * stride;
    const b = list + 1 <= last ? a + stride : a;
    const c = list + 2 <= last ? b + stride : a;
    const d = list + 3 <= last ? c + stride : a;
    const scores = estimate4(8, dimension, query, a, b, c, d);
    const isNearer = f32x4.lt(scores, best);
    best = v128.bitselect(scores, best, isNearer);
    lists = v128.bitselect(numbers, lists, isNearer);
    numbers = i32x4.add(numbers, i32x4.splat(4));
  }
  // What pads the last four repeats their first, which wins over its copies.
  return leastOf(best, lists);
}

/** Estimates of all lists' distances (`target`, f32, padded to a multiple of four), smaller is nearer. */
export function scoreLists(ivf: Ivf, query: u32, isProduct: bool, target: u32): void {
  const stride = codeStride(8, ivf.dimension);
  const terms = codeBytes(8, ivf.dimension);
  const last = ivf.listCount - 1;
  for (let list: u32 = 0; list <= last; list += 4, target += 16) {
    const a = ivf.centroids + list * stride;
    const b = list + 1 <= last ? a + stride : a;
    const c = list + 2 <= last ? b + stride : a;
    const d = list + 3 <= last ? c + stride : a;
    let scores = score4<u8>(ivf.metric, ivf.dimension, query, a, b, c, d);
    if (isProduct) {
      const squares = f32x4(load<f32>(a + terms), load<f32>(b + terms), load<f32>(c + terms), load<f32>(d + terms));
      scores = f32x4.sub(scores, squares);
    }
    v128.store(target, scores);
  }
}

/** Writes what a code of 8 bits stands for: gain (c - 63.5), zeros behind the dimension. */
export function centreOf(dimension: u32, code: u32, target: u32): void {
  const gain = load<f32>(code + codeBytes(8, dimension), 4);
  const gains = f32x4.splat(gain);
  const middle = f32x4.splat(63.5);
  const end = code + (dimension & ~3);
  for (; code < end; code += 4, target += 16) {
    const words = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(code)));
    v128.store(target, f32x4.mul(f32x4.sub(f32x4.convert_i32x4_s(words), middle), gains));
  }
  for (let rest = dimension & 3; rest > 0; rest--, code++, target += 4) {
    store<f32>(target, ((load<u8>(code) as f32) - 63.5) * gain);
  }
}

// @ts-ignore: decorator
@inline
function accumulate(sum: u32, values: u32, dimension: u32): void {
  const end = values + (dimension << 2);
  for (; values < end; values += 16, sum += 16) v128.store(sum, f32x4.add(v128.load(sum), v128.load(values)));
}
