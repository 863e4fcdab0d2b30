import { COSINE, L2 } from './elements';
import { keepTouched, touch } from './touch';


/**
 * Whole sums over int8 vectors that lie anywhere in memory, four side by side. Exact in both builds for every value
 * from -128 to 127 and every dimension: the largest, 32,768 * 255 * 255, is below 2^31. (The relaxed dot product takes
 * 7 bits on one side, so it is not used.)
 */

/** Loaded at 16 - n, gives all ones in the first n bytes. */
const MASKS: u32 = memory.data<u64>([-1, -1, 0, 0], 16) as u32;
/** The sum of squares (i32) of each of the four vectors of the last call, for COSINE. */
export const INT8_SQUARES: u32 = memory.data(16, 16) as u32;

/**
 * The sums (i32) of one query (int8, padded with zeros to 16 bytes) and four vectors, one vector a lane: of the squared
 * differences for L2, else of the products; for COSINE, also `INT8_SQUARES`. For every 16 values one byte is touched,
 * from `ahead` on, `pace` bytes apart.
 */
// @ts-ignore: decorator
@inline
export function int8SumsOf4(
  metric: u32, query: u32, a: u32, b: u32, c: u32, d: u32, dimension: u32, ahead: u32, pace: u32,
): v128 {
  let touched: u32 = 0;
  let sumA = i32x4.splat(0), sumB = sumA, sumC = sumA, sumD = sumA;
  let aa = sumA, bb = sumA, cc = sumA, dd = sumA;
  const end = query + (dimension & ~15);
  while (query < end) {
    const q = v128.load(query);
    const vectorA = v128.load(a);
    const vectorB = v128.load(b);
    const vectorC = v128.load(c);
    const vectorD = v128.load(d);
    sumA = add(metric, q, vectorA, sumA);
    sumB = add(metric, q, vectorB, sumB);
    sumC = add(metric, q, vectorC, sumC);
    sumD = add(metric, q, vectorD, sumD);
    if (metric == COSINE) {
      aa = add(metric, vectorA, vectorA, aa);
      bb = add(metric, vectorB, vectorB, bb);
      cc = add(metric, vectorC, vectorC, cc);
      dd = add(metric, vectorD, vectorD, dd);
    }
    touched += touch(ahead);
    ahead += pace;
    query += 16;
    a += 16;
    b += 16;
    c += 16;
    d += 16;
  }
  keepTouched(touched);
  if (dimension & 15) {
    const mask = v128.load(MASKS + 16 - (dimension & 15));
    const q = v128.load(query);
    const vectorA = v128.and(v128.load(a), mask);
    const vectorB = v128.and(v128.load(b), mask);
    const vectorC = v128.and(v128.load(c), mask);
    const vectorD = v128.and(v128.load(d), mask);
    sumA = add(metric, q, vectorA, sumA);
    sumB = add(metric, q, vectorB, sumB);
    sumC = add(metric, q, vectorC, sumC);
    sumD = add(metric, q, vectorD, sumD);
    if (metric == COSINE) {
      aa = add(metric, vectorA, vectorA, aa);
      bb = add(metric, vectorB, vectorB, bb);
      cc = add(metric, vectorC, vectorC, cc);
      dd = add(metric, vectorD, vectorD, dd);
    }
  }
  if (metric == COSINE) v128.store(INT8_SQUARES, sumIntegerLanes(aa, bb, cc, dd));
  return sumIntegerLanes(sumA, sumB, sumC, sumD);
}

/** The length of a vector, which is padded with zeros to 16 bytes. */
export function int8Length(vector: u32, dimension: u32): f64 {
  let squares = i32x4.splat(0);
  for (let at: u32 = 0; at < dimension; at += 16) {
    const values = v128.load(vector + at);
    squares = add(COSINE, values, values, squares);
  }
  const sum = sumIntegerLanes(squares, squares, squares, squares);
  return Math.sqrt(i32x4.extract_lane(sum, 0) as f64);
}

/** sum + the products of 16 values, or for L2 the squares of their differences, in four lanes. */
// @ts-ignore: decorator
@inline
function add(metric: u32, a: v128, b: v128, sum: v128): v128 {
  const lowA = i16x8.extend_low_i8x16_s(a);
  const lowB = i16x8.extend_low_i8x16_s(b);
  const highA = i16x8.extend_high_i8x16_s(a);
  const highB = i16x8.extend_high_i8x16_s(b);
  if (metric == L2) {
    const low = i16x8.sub(lowA, lowB);
    const high = i16x8.sub(highA, highB);
    return i32x4.add(i32x4.add(sum, i32x4.dot_i16x8_s(low, low)), i32x4.dot_i16x8_s(high, high));
  }
  return i32x4.add(i32x4.add(sum, i32x4.dot_i16x8_s(lowA, lowB)), i32x4.dot_i16x8_s(highA, highB));
}

/** The sum of each vector's lanes, one vector a lane. */
// @ts-ignore: decorator
@inline
function sumIntegerLanes(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = i32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  return i32x4.add(v128.shuffle<i32>(ab, cd, 0, 1, 4, 5), v128.shuffle<i32>(ab, cd, 2, 3, 6, 7));
}
