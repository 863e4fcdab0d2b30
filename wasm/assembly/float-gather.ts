import { COSINE, F32, L2 } from './elements';
import { firstFour, lastFour, lowerHalves, mayBeInfinite, upperHalves, watch, widen } from './half';

/**
 * Sums over vectors of any float type that lie anywhere in memory, four side by side: the loads of all four are under
 * way at once, which hides most of the memory's latency.
 *
 * Eight values are taken at a time. The first four of them go to one sum of the vector, the last four to another; what
 * is left behind the last eight is widened, padded with zeros and added in the same way. So the order of the additions
 * depends on the dimension alone, and a vector has the same sums in each of the four places, and in f16 or bf16 the
 * same as in float32 (with the same values). Relaxed SIMD fuses multiplication and addition: its sums are others.
 */

/** Eight float32 of each of four vectors. */
const WIDE: u32 = memory.data(128, 16) as u32;
/** The four vectors' sums of squares. */
const SQUARES: u32 = memory.data(16, 16) as u32;

/**
 * The sums of one query (float32, padded with zeros to 16 bytes) and four vectors, one vector a lane: of the squared
 * differences for L2, else of the products. For COSINE, `squaresOf4` has the vectors' sums of squares afterwards.
 */
// @ts-ignore: decorator
@inline
export function sumsOf4(elements: u32, metric: u32, query: u32, a: u32, b: u32, c: u32, d: u32, dimension: u32): v128 {
  let a0 = f32x4.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
  let aa = a0, bb = a0, cc = a0, dd = a0;
  let seen = a0;
  const step: u32 = elements == F32 ? 32 : 16;
  const end = query + ((dimension & ~7) << 2);
  while (query < end) {
    const q0 = v128.load(query);
    const q1 = v128.load(query, 16);
    let v0: v128, v1: v128;
    if (elements == F32) {
      v0 = v128.load(a);
      v1 = v128.load(a, 16);
    } else {
      const halves = v128.load(a);
      const upper = upperHalves(elements, halves);
      const lower = lowerHalves(elements, halves);
      v0 = firstFour(elements, lower, upper);
      v1 = lastFour(elements, lower, upper);
      seen = watch(elements, halves, seen);
    }
    a0 = accumulate(metric, q0, v0, a0);
    a1 = accumulate(metric, q1, v1, a1);
    if (metric == COSINE) aa = multiplyAdd(v1, v1, multiplyAdd(v0, v0, aa));
    if (elements == F32) {
      v0 = v128.load(b);
      v1 = v128.load(b, 16);
    } else {
      const halves = v128.load(b);
      const upper = upperHalves(elements, halves);
      const lower = lowerHalves(elements, halves);
      v0 = firstFour(elements, lower, upper);
      v1 = lastFour(elements, lower, upper);
      seen = watch(elements, halves, seen);
    }
    b0 = accumulate(metric, q0, v0, b0);
    b1 = accumulate(metric, q1, v1, b1);
    if (metric == COSINE) bb = multiplyAdd(v1, v1, multiplyAdd(v0, v0, bb));
    if (elements == F32) {
      v0 = v128.load(c);
      v1 = v128.load(c, 16);
    } else {
      const halves = v128.load(c);
      const upper = upperHalves(elements, halves);
      const lower = lowerHalves(elements, halves);
      v0 = firstFour(elements, lower, upper);
      v1 = lastFour(elements, lower, upper);
      seen = watch(elements, halves, seen);
    }
    c0 = accumulate(metric, q0, v0, c0);
    c1 = accumulate(metric, q1, v1, c1);
    if (metric == COSINE) cc = multiplyAdd(v1, v1, multiplyAdd(v0, v0, cc));
    if (elements == F32) {
      v0 = v128.load(d);
      v1 = v128.load(d, 16);
    } else {
      const halves = v128.load(d);
      const upper = upperHalves(elements, halves);
      const lower = lowerHalves(elements, halves);
      v0 = firstFour(elements, lower, upper);
      v1 = lastFour(elements, lower, upper);
      seen = watch(elements, halves, seen);
    }
    d0 = accumulate(metric, q0, v0, d0);
    d1 = accumulate(metric, q1, v1, d1);
    if (metric == COSINE) dd = multiplyAdd(v1, v1, multiplyAdd(v0, v0, dd));
    query += 32;
    a += step;
    b += step;
    c += step;
    d += step;
  }
  return a0;
}
