/**
 * Distances of float32 vectors, four rows at a time: four loads are under way at once, which hides the memory's
 * latency where rows are scattered, and four sums fill the adder's pipeline where they are not.
 *
 * Vectors lie without gaps and at any multiple of 4 bytes. The last one to three values are loaded as a whole v128 and
 * masked: what lies behind a vector never enters a sum, and may be anything. Queries are padded with zeros to a
 * multiple of 16 bytes.
 *
 * Each sum is made in one order that depends on the dimension alone: lane i adds the values i, i + 4, i + 8 and so on,
 * then (0 + 2) + (1 + 3). One query or two, first row or last, the same two vectors give the same bits. (The relaxed
 * build fuses the multiplication with the addition, so its bits are others.)
 */

/** What is summed up; a constant wherever it is used, so that it costs nothing at run time. */
export const DOT: bool = false;
export const SQUARED: bool = true;

/** Loaded at (3 - rest) * 4, gives all ones in the first `rest` lanes. */
const TAIL_MASKS: u32 = memory.data<u32>([0xffffffff, 0xffffffff, 0xffffffff, 0, 0, 0]) as u32;

/** The sums of one query and four rows, by address: one row a lane. */
// @ts-ignore: decorator
@inline
export function sum4(squared: bool, query: u32, a: u32, b: u32, c: u32, d: u32, dimension: u32): v128 {
  let sumA = f32x4.splat(0);
  let sumB = sumA;
  let sumC = sumA;
  let sumD = sumA;
  const end = query + ((dimension & ~3) << 2);
  while (query < end) {
    const q = v128.load(query);
    sumA = accumulate(squared, q, v128.load(a), sumA);
    sumB = accumulate(squared, q, v128.load(b), sumB);
    sumC = accumulate(squared, q, v128.load(c), sumC);
    sumD = accumulate(squared, q, v128.load(d), sumD);
    query += 16;
    a += 16;
    b += 16;
    c += 16;
    d += 16;
  }
  if (dimension & 3) {
    const mask = tailMask(dimension);
    const q = v128.load(query);
    sumA = accumulate(squared, q, v128.and(v128.load(a), mask), sumA);
    sumB = accumulate(squared, q, v128.and(v128.load(b), mask), sumB);
    sumC = accumulate(squared, q, v128.and(v128.load(c), mask), sumC);
    sumD = accumulate(squared, q, v128.and(v128.load(d), mask), sumD);
  }
  return sumLanes(sumA, sumB, sumC, sumD);
}

/** The same for two queries: each load of a row serves both. The second query's sums are stored at `second`. */
// @ts-ignore: decorator
@inline
export function sum4Of2(
  squared: bool, query: u32, other: u32, a: u32, b: u32, c: u32, d: u32, dimension: u32, second: u32,
): v128 {
  let sumA = f32x4.splat(0);
  let sumB = sumA;
  let sumC = sumA;
  let sumD = sumA;
  let otherA = sumA;
  let otherB = sumA;
  let otherC = sumA;
  let otherD = sumA;
  const end = query + ((dimension & ~3) << 2);
  while (query < end) {
    const q = v128.load(query);
    const o = v128.load(other);
    let row = v128.load(a);
    sumA = accumulate(squared, q, row, sumA);
    otherA = accumulate(squared, o, row, otherA);
    row = v128.load(b);
    sumB = accumulate(squared, q, row, sumB);
    otherB = accumulate(squared, o, row, otherB);
    row = v128.load(c);
    sumC = accumulate(squared, q, row, sumC);
    otherC = accumulate(squared, o, row, otherC);
    row = v128.load(d);
    sumD = accumulate(squared, q, row, sumD);
    otherD = accumulate(squared, o, row, otherD);
    query += 16;
    other += 16;
    a += 16;
    b += 16;
    c += 16;
    d += 16;
  }
  if (dimension & 3) {
    const mask = tailMask(dimension);
    const q = v128.load(query);
    const o = v128.load(other);
    let row = v128.and(v128.load(a), mask);
    sumA = accumulate(squared, q, row, sumA);
    otherA = accumulate(squared, o, row, otherA);
    row = v128.and(v128.load(b), mask);
    sumB = accumulate(squared, q, row, sumB);
    otherB = accumulate(squared, o, row, otherB);
    row = v128.and(v128.load(c), mask);
    sumC = accumulate(squared, q, row, sumC);
    otherC = accumulate(squared, o, row, otherC);
    row = v128.and(v128.load(d), mask);
    sumD = accumulate(squared, q, row, sumD);
    otherD = accumulate(squared, o, row, otherD);
  }
  v128.store(second, sumLanes(otherA, otherB, otherC, otherD));
  return sumLanes(sumA, sumB, sumC, sumD);
}

/** sum + a * b, or sum + (a - b) squared. */
// @ts-ignore: decorator
@inline
function accumulate(squared: bool, a: v128, b: v128, sum: v128): v128 {
  if (squared) {
    const difference = f32x4.sub(a, b);
    return multiplyAdd(difference, difference, sum);
  }
  return multiplyAdd(a, b, sum);
}

// @ts-ignore: decorator
@inline
function multiplyAdd(a: v128, b: v128, sum: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, sum);
  return f32x4.add(sum, f32x4.mul(a, b));
}

/** Ones in the first `dimension % 4` lanes, which must be at least one. */
// @ts-ignore: decorator
@inline
function tailMask(dimension: u32): v128 {
  return v128.load(TAIL_MASKS + ((3 - (dimension & 3)) << 2));
}

/** The sum of each vector's lanes, one vector a lane. */
// @ts-ignore: decorator
@inline
function sumLanes(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}
