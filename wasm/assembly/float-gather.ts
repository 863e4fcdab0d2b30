import { COSINE, F16, F32, L2 } from './elements';
import { multiplyAdd, sumLanes } from './float32';
import { anyUnusual, firstFour, lastFour, widen } from './half';
import { keepTouched, touch } from './touch';

/**
 * Sums over vectors of any float type that lie anywhere in memory, four side by side: the loads of all four are under
 * way at once, which hides most of the memory's latency.
 *
 * Eight values are taken at a time: the first four of them go to one sum of the vector, the last four to another. What
 * is left at the end is padded with zeros. The order of the additions depends on the dimension alone, and is that of
 * `gather4`: a vector has the same sums in each of the four places, and in f16 or bf16 the same as in float32 (with the
 * same values). Relaxed SIMD fuses multiplication and addition: its sums are others.
 */

/** Eight float32 of each of four vectors. */
const WIDE: u32 = memory.data(128, 16) as u32;
/** The sum of squares of each of the four vectors of the last call, for COSINE. */
export const SQUARES: u32 = memory.data(16, 16) as u32;

/**
 * The sums of one query (float32, padded with zeros to 16 bytes) and four vectors, one vector a lane: of the squared
 * differences for L2, else of the products; for COSINE, also `SQUARES`. For every eight values one byte is touched,
 * from `ahead` on, `pace` bytes apart.
 */
// @ts-ignore: decorator
@inline
export function sumsOf4(
  elements: u32, metric: u32, query: u32, a: u32, b: u32, c: u32, d: u32, dimension: u32, ahead: u32, pace: u32,
): v128 {
  let touched: u32 = 0;
  let a0 = f32x4.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
  let aa = a0, bb = a0, cc = a0, dd = a0;
  const step: u32 = elements == F32 ? 32 : 16;
  for (let rest = dimension; rest > 0; ) {
    if (rest >= 8) {
      const halvesA = halvesAt(elements, a);
      const halvesB = halvesAt(elements, b);
      const halvesC = halvesAt(elements, c);
      const halvesD = halvesAt(elements, d);
      if (elements != F16 || !anyUnusual(halvesA, halvesB, halvesC, halvesD)) {
        const q0 = v128.load(query);
        const q1 = v128.load(query, 16);
        a0 = add(metric, q0, first(elements, a, halvesA), a0);
        b0 = add(metric, q0, first(elements, b, halvesB), b0);
        c0 = add(metric, q0, first(elements, c, halvesC), c0);
        d0 = add(metric, q0, first(elements, d, halvesD), d0);
        a1 = add(metric, q1, last(elements, a, halvesA), a1);
        b1 = add(metric, q1, last(elements, b, halvesB), b1);
        c1 = add(metric, q1, last(elements, c, halvesC), c1);
        d1 = add(metric, q1, last(elements, d, halvesD), d1);
        if (metric == COSINE) {
          aa = addSquares(first(elements, a, halvesA), last(elements, a, halvesA), aa);
          bb = addSquares(first(elements, b, halvesB), last(elements, b, halvesB), bb);
          cc = addSquares(first(elements, c, halvesC), last(elements, c, halvesC), cc);
          dd = addSquares(first(elements, d, halvesD), last(elements, d, halvesD), dd);
        }
        touched += touch(ahead);
        ahead += pace;
        query += 32;
        a += step;
        b += step;
        c += step;
        d += step;
        rest -= 8;
        continue;
      }
    }
    const count: u32 = rest < 8 ? rest : 8;
    widen(elements, a, count, WIDE);
    widen(elements, b, count, WIDE + 32);
    widen(elements, c, count, WIDE + 64);
    widen(elements, d, count, WIDE + 96);
    // One to three values go to the second sum, as in `gather4`.
    const low = WIDE + (count < 4 ? 16 : 0);
    const high = WIDE + (count < 4 ? 0 : 16);
    const q0 = count < 4 ? i64x2.splat(0) : v128.load(query);
    const q1 = count == 4 ? i64x2.splat(0) : v128.load(query + (count < 4 ? 0 : 16));
    a0 = add(metric, q0, v128.load(low), a0);
    b0 = add(metric, q0, v128.load(low, 32), b0);
    c0 = add(metric, q0, v128.load(low, 64), c0);
    d0 = add(metric, q0, v128.load(low, 96), d0);
    a1 = add(metric, q1, v128.load(high), a1);
    b1 = add(metric, q1, v128.load(high, 32), b1);
    c1 = add(metric, q1, v128.load(high, 64), c1);
    d1 = add(metric, q1, v128.load(high, 96), d1);
    if (metric == COSINE) {
      aa = addSquares(v128.load(WIDE), v128.load(WIDE, 16), aa);
      bb = addSquares(v128.load(WIDE, 32), v128.load(WIDE, 48), bb);
      cc = addSquares(v128.load(WIDE, 64), v128.load(WIDE, 80), cc);
      dd = addSquares(v128.load(WIDE, 96), v128.load(WIDE, 112), dd);
    }
    query += 32;
    a += step;
    b += step;
    c += step;
    d += step;
    rest -= count;
  }
  keepTouched(touched);
  if (metric == COSINE) v128.store(SQUARES, sumLanes(aa, bb, cc, dd));
  return sumLanes(f32x4.add(a0, a1), f32x4.add(b0, b1), f32x4.add(c0, c1), f32x4.add(d0, d1));
}

// @ts-ignore: decorator
@inline
function halvesAt(elements: u32, vector: u32): v128 {
  return elements == F32 ? i64x2.splat(0) : v128.load(vector);
}

// @ts-ignore: decorator
@inline
function first(elements: u32, vector: u32, halves: v128): v128 {
  return elements == F32 ? v128.load(vector) : firstFour(elements, halves);
}

// @ts-ignore: decorator
@inline
function last(elements: u32, vector: u32, halves: v128): v128 {
  return elements == F32 ? v128.load(vector, 16) : lastFour(elements, halves);
}

/** sum + a * b, or for L2 sum + (a - b) squared. */
// @ts-ignore: decorator
@inline
function add(metric: u32, a: v128, b: v128, sum: v128): v128 {
  if (metric == L2) {
    const difference = f32x4.sub(a, b);
    return multiplyAdd(difference, difference, sum);
  }
  return multiplyAdd(a, b, sum);
}

// @ts-ignore: decorator
@inline
function addSquares(a: v128, b: v128, sum: v128): v128 {
  return multiplyAdd(b, b, multiplyAdd(a, a, sum));
}
