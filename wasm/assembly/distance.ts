import { countBitsOf4, DIFFERING, EITHER } from './bits';
import { BF16, BITS, COSINE, F16, F32, HAMMING, INT8, IP, JACCARD, L2, vectorBytes } from './elements';
import { SQUARES, sumsOf4 } from './float-gather';
import { gather4 } from './float32-gather';
import { widen } from './half';
import { INT8_SQUARES, int8Length, int8SumsOf4 } from './int8';
import { LENGTH_MIN } from './norms';

/**
 * Exact distances of one query and vectors that lie anywhere in memory: what ranks the last candidates of a search.
 */

/** Between these a float32 sum of squares is right: no square that counts has over- or underflowed. */
const SQUARES_MIN: f32 = 8.271806125530277e-25; // 2^-80
const SQUARES_MAX: f32 = 1329227995784915872903807060280344576.0; // 2^120

/** Eight float32 of a vector. */
const WIDE: u32 = memory.data(32, 16) as u32;
const COSINES: u32 = memory.data(16, 16) as u32;
/** The scores of the last four vectors, where fewer are asked for. */
const SCORES: u32 = memory.data(16, 16) as u32;

/**
 * Writes the score (f32; smaller is nearer) of each of `count` vectors. `list` has their addresses (u32).
 *
 * - L2: the squared distance. IP: 0 - dot. HAMMING: the bits that differ. JACCARD: 1 - |a and b| / |a or b|; 0 if both
 *   are empty.
 * - COSINE: 0 - cosine, within -1 and 1; 0 if either vector is shorter than 2^-126. Vectors may have any length: it is
 *   found in the same pass. An int8 query too; one of floats has length 1 (or 0).
 * - No score is -0. It is NaN where an operation on infinities or NaN gives NaN.
 *
 * `query` is padded with zeros to a multiple of 16 bytes; it is float32 for f16 and bf16, else of the vectors' type. Up
 * to 15 bytes behind each vector are read, and change nothing. A score depends on the two vectors alone; for int8 and
 * bits it is the same in both builds.
 */
export function distances(
  elements: u32, metric: u32, dimension: u32, query: u32, list: u32, count: u32, target: u32,
): void {
  if (elements == BITS) {
    if (metric == HAMMING) bitsHamming(dimension, query, list, count, target);
    else bitsJaccard(dimension, query, list, count, target);
  } else if (metric == L2) {
    if (elements == F32) f32L2(dimension, query, list, count, target);
    else if (elements == F16) f16L2(dimension, query, list, count, target);
    else if (elements == BF16) bf16L2(dimension, query, list, count, target);
    else int8L2(dimension, query, list, count, target);
  } else if (metric == IP) {
    if (elements == F32) f32IP(dimension, query, list, count, target);
    else if (elements == F16) f16IP(dimension, query, list, count, target);
    else if (elements == BF16) bf16IP(dimension, query, list, count, target);
    else int8IP(dimension, query, list, count, target);
  } else {
    if (elements == F32) f32Cosine(dimension, query, list, count, target);
    else if (elements == F16) f16Cosine(dimension, query, list, count, target);
    else if (elements == BF16) bf16Cosine(dimension, query, list, count, target);
    else int8Cosine(dimension, query, list, count, target);
  }
}

function bitsHamming(dimension: u32, query: u32, list: u32, count: u32, target: u32): void {
  scoreList(BITS, HAMMING, dimension, query, list, count, target);
}

function bitsJaccard(dimension: u32, query: u32, list: u32, count: u32, target: u32): void {
  scoreList(BITS, JACCARD, dimension, query, list, count, target);
}

function f32L2(dimension: u32, query: u32, list: u32, count: u32, target: u32): void {
  scoreList(F32, L2, dimension, query, list, count, target);
}

function f16L2(dimension: u32, query: u32, list: u32, count: u32, target: u32): void {
  scoreList(F16, L2, dimension, query, list, count, target);
}

function bf16L2(dimension: u32, query: u32, list: u32, count: u32, target: u32): void {
  scoreList(BF16, L2, dimension, query, list, count, target);
}

function int8L2(dimension: u32, query: u32, list: u32, count: u32, target: u32): void {
  scoreList(INT8, L2, dimension, query, list, count, target);
}

function f32IP(dimension: u32, query: u32, list: u32, count: u32, target: u32): void {
  scoreList(F32, IP, dimension, query, list, count, target);
}

function f16IP(dimension: u32, query: u32, list: u32, count: u32, target: u32): void {
  scoreList(F16, IP, dimension, query, list, count, target);
}

function bf16IP(dimension: u32, query: u32, list: u32, count: u32, target: u32): void {
  scoreList(BF16, IP, dimension, query, list, count, target);
}

function int8IP(dimension: u32, query: u32, list: u32, count: u32, target: u32): void {
  scoreList(INT8, IP, dimension, query, list, count, target);
}

function f32Cosine(dimension: u32, query: u32, list: u32, count: u32, target: u32): void {
  scoreList(F32, COSINE, dimension, query, list, count, target);
}

function f16Cosine(dimension: u32, query: u32, list: u32, count: u32, target: u32): void {
  scoreList(F16, COSINE, dimension, query, list, count, target);
}

function bf16Cosine(dimension: u32, query: u32, list: u32, count: u32, target: u32): void {
  scoreList(BF16, COSINE, dimension, query, list, count, target);
}

function int8Cosine(dimension: u32, query: u32, list: u32, count: u32, target: u32): void {
  scoreList(INT8, COSINE, dimension, query, list, count, target);
}

/** The list in fours; its end is padded with vectors that are in it. */
// @ts-ignore: decorator
@inline
function scoreList(
  elements: u32, metric: u32, dimension: u32, query: u32, list: u32, count: u32, target: u32,
): void {
  const bytes = vectorBytes(elements, dimension);
  let length: f64 = 0;
  if (elements == INT8 && metric == COSINE) length = int8Length(query, dimension);
  while (count > 0) {
    const a = load<u32>(list);
    const b = count > 1 ? load<u32>(list, 4) : a;
    const c = count > 2 ? load<u32>(list, 8) : a;
    const d = count > 3 ? load<u32>(list, 12) : a;
    const isScan = count >= 8 && followEachOther(list, bytes);
    const ahead = isScan ? load<u32>(list, 16) : a;
    const pace: u32 = !isScan ? 0 : elements == BITS ? 32 : 64;
    const scores = scoresOf4(elements, metric, dimension, query, length, a, b, c, d, ahead, pace);
    if (count < 4) {
      v128.store(SCORES, scores);
      memory.copy(target, SCORES, count << 2);
      return;
    }
    v128.store(target, scores);
    list += 16;
    target += 16;
    count -= 4;
  }
}

/**
 * Whether eight vectors lie one behind the other, as in a scan: then the next four are touched from end to end while
 * the kernels read these, 64 bytes in each step (32 of bits). Elsewhere touching gave nothing.
 */
// @ts-ignore: decorator
@inline
function followEachOther(list: u32, bytes: u32): bool {
  const first = load<u32>(list);
  return load<u32>(list, 16) - first == bytes << 2 && load<u32>(list, 28) - first == bytes * 7;
}

// @ts-ignore: decorator
@inline
function scoresOf4(
  elements: u32, metric: u32, dimension: u32, query: u32, length: f64, a: u32, b: u32, c: u32, d: u32,
  ahead: u32, pace: u32,
): v128 {
  if (elements == BITS) {
    countBitsOf4(metric, query, a, b, c, d, dimension, ahead, pace);
    const differing = f32x4.convert_i32x4_u(v128.load(DIFFERING));
    if (metric == HAMMING) return differing;
    const either = v128.load(EITHER);
    // Two empty vectors: 0 / 1.
    const divisor = i32x4.max_u(either, i32x4.splat(1));
    return f32x4.div(differing, f32x4.convert_i32x4_u(divisor));
  }
  if (elements == INT8) {
    const sums = int8SumsOf4(metric, query, a, b, c, d, dimension, ahead, pace);
    if (metric == COSINE) return int8Cosines(sums, length);
    const values = f32x4.convert_i32x4_s(sums);
    return metric == L2 ? values : f32x4.sub(f32x4.splat(0), values);
  }
  if (elements == F32 && metric != COSINE) {
    const sums = gather4(metric == L2, dimension, query, a, b, c, d);
    return metric == L2 ? sums : f32x4.sub(f32x4.splat(0), sums);
  }
  const sums = sumsOf4(elements, metric, query, a, b, c, d, dimension, ahead, pace);
  if (metric == L2) return sums;
  if (metric == IP) return f32x4.sub(f32x4.splat(0), sums);
  const squares = v128.load(SQUARES);
  const small = f32x4.lt(squares, f32x4.splat(SQUARES_MIN));
  const isPlain = v128.not(v128.or(small, f32x4.ge(squares, f32x4.splat(SQUARES_MAX))));
  const cosines = f32x4.div(sums, f32x4.sqrt(squares));
  v128.store(COSINES, cosines);
  if (!i32x4.all_true(isPlain)) {
    if (!i32x4.extract_lane(isPlain, 0)) store<f32>(COSINES, wideCosine(elements, dimension, query, a));
    if (!i32x4.extract_lane(isPlain, 1)) store<f32>(COSINES, wideCosine(elements, dimension, query, b), 4);
    if (!i32x4.extract_lane(isPlain, 2)) store<f32>(COSINES, wideCosine(elements, dimension, query, c), 8);
    if (!i32x4.extract_lane(isPlain, 3)) store<f32>(COSINES, wideCosine(elements, dimension, query, d), 12);
  }
  return cosineScores(v128.load(COSINES));
}

/** Holds cosines within -1 and 1, which rounding may leave, and turns them into scores. */
// @ts-ignore: decorator
@inline
function cosineScores(cosines: v128): v128 {
  const held = f32x4.max(f32x4.min(cosines, f32x4.splat(1)), f32x4.splat(-1));
  return f32x4.sub(f32x4.splat(0), held);
}

/** Scores of four int8 vectors; their squares are in `INT8_SQUARES`. Float64, so that both builds agree. */
function int8Cosines(sums: v128, length: f64): v128 {
  v128.store(COSINES, sums);
  for (let lane: u32 = 0; lane < 16; lane += 4) {
    const lengths = length * Math.sqrt(load<i32>(INT8_SQUARES + lane) as f64);
    const cosine = lengths == 0 ? 0 : (load<i32>(COSINES + lane) as f64) / lengths;
    store<f32>(COSINES + lane, cosine as f32);
  }
  return cosineScores(v128.load(COSINES));
}

/** The cosine of a query of length 1 and a vector of floats whose sum of squares float32 cannot hold, in float64. */
function wideCosine(elements: u32, dimension: u32, query: u32, vector: u32): f32 {
  const shift: u32 = elements == F32 ? 2 : 1;
  let dot: f64 = 0;
  let squares: f64 = 0;
  for (let from: u32 = 0; from < dimension; from += 8) {
    const count = dimension - from < 8 ? dimension - from : 8;
    widen(elements, vector + (from << shift), count, WIDE);
    for (let index: u32 = 0; index < count; index++) {
      const value = load<f32>(WIDE + (index << 2)) as f64;
      dot += (load<f32>(query + ((from + index) << 2)) as f64) * value;
      squares += value * value;
    }
  }
  const length = Math.sqrt(squares);
  return length < LENGTH_MIN ? 0 : ((dot / length) as f32);
}
