/**
 * Distances of one float32 query to four rows anywhere in memory, side by side: the four rows' cache misses overlap,
 * which on random access counts for more than all arithmetic (measured: four to five times one row at a time).
 *
 * Rows may lie at any multiple of 4; the query is padded with zeros to a multiple of 16 bytes. What lies behind a row
 * is loaded and masked. Sums are made in one order that depends on the dimension alone.
 */

/** Loaded at (3 - rest) * 4, gives all ones in the first `rest` lanes. */
const TAIL_MASKS: u32 = memory.data<u32>([0xffffffff, 0xffffffff, 0xffffffff, 0, 0, 0]) as u32;

/** The sums of (query - row)^2 or of query * row, one row a lane. `squared` is a constant where it is called. */
// @ts-ignore: decorator
@inline
export function gather4(squared: bool, dimension: u32, query: u32, a: u32, b: u32, c: u32, d: u32): v128 {
  let sumA = f32x4.splat(0);
  let sumB = sumA;
  let sumC = sumA;
  let sumD = sumA;
  let moreA = sumA;
  let moreB = sumA;
  let moreC = sumA;
  let moreD = sumA;
  const end8 = (dimension & ~7) << 2;
  let at: u32 = 0;
  for (; at < end8; at += 32) {
    let value = v128.load(query + at);
    sumA = accumulate(squared, value, v128.load(a + at), sumA);
    sumB = accumulate(squared, value, v128.load(b + at), sumB);
    sumC = accumulate(squared, value, v128.load(c + at), sumC);
    sumD = accumulate(squared, value, v128.load(d + at), sumD);
    value = v128.load(query + at, 16);
    moreA = accumulate(squared, value, v128.load(a + at, 16), moreA);
    moreB = accumulate(squared, value, v128.load(b + at, 16), moreB);
    moreC = accumulate(squared, value, v128.load(c + at, 16), moreC);
    moreD = accumulate(squared, value, v128.load(d + at, 16), moreD);
  }
  if (dimension & 4) {
    const value = v128.load(query + at);
    sumA = accumulate(squared, value, v128.load(a + at), sumA);
    sumB = accumulate(squared, value, v128.load(b + at), sumB);
    sumC = accumulate(squared, value, v128.load(c + at), sumC);
    sumD = accumulate(squared, value, v128.load(d + at), sumD);
    at += 16;
  }
  if (dimension & 3) {
    const value = v128.load(query + at);
    const mask = v128.load(TAIL_MASKS + ((3 - (dimension & 3)) << 2));
    moreA = accumulate(squared, value, v128.and(v128.load(a + at), mask), moreA);
    moreB = accumulate(squared, value, v128.and(v128.load(b + at), mask), moreB);
    moreC = accumulate(squared, value, v128.and(v128.load(c + at), mask), moreC);
    moreD = accumulate(squared, value, v128.and(v128.load(d + at), mask), moreD);
  }
  return sumLanes(
    f32x4.add(sumA, moreA), f32x4.add(sumB, moreB), f32x4.add(sumC, moreC), f32x4.add(sumD, moreD),
  );
}

/**
 * The same sums of eight rows, stored at `target`: more cache misses at once, which a traversal of large vectors gains 5
 * to 8 % by. Added up in another order than `gather4`, so the last bits differ.
 */
// @ts-ignore: decorator
@inline
export function gather8(
  squared: bool, dimension: u32, query: u32,
  a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32, h: u32, target: u32,
): void {
  let sumA = f32x4.splat(0);
  let sumB = sumA;
  let sumC = sumA;
  let sumD = sumA;
  let sumE = sumA;
  let sumF = sumA;
  let sumG = sumA;
  let sumH = sumA;
  const end4 = (dimension & ~3) << 2;
  let at: u32 = 0;
  for (; at < end4; at += 16) {
    const value = v128.load(query + at);
    sumA = accumulate(squared, value, v128.load(a + at), sumA);
    sumB = accumulate(squared, value, v128.load(b + at), sumB);
    sumC = accumulate(squared, value, v128.load(c + at), sumC);
    sumD = accumulate(squared, value, v128.load(d + at), sumD);
    sumE = accumulate(squared, value, v128.load(e + at), sumE);
    sumF = accumulate(squared, value, v128.load(f + at), sumF);
    sumG = accumulate(squared, value, v128.load(g + at), sumG);
    sumH = accumulate(squared, value, v128.load(h + at), sumH);
  }
  if (dimension & 3) {
    const value = v128.load(query + at);
    const mask = v128.load(TAIL_MASKS + ((3 - (dimension & 3)) << 2));
    sumA = accumulate(squared, value, v128.and(v128.load(a + at), mask), sumA);
    sumB = accumulate(squared, value, v128.and(v128.load(b + at), mask), sumB);
    sumC = accumulate(squared, value, v128.and(v128.load(c + at), mask), sumC);
    sumD = accumulate(squared, value, v128.and(v128.load(d + at), mask), sumD);
    sumE = accumulate(squared, value, v128.and(v128.load(e + at), mask), sumE);
    sumF = accumulate(squared, value, v128.and(v128.load(f + at), mask), sumF);
    sumG = accumulate(squared, value, v128.and(v128.load(g + at), mask), sumG);
    sumH = accumulate(squared, value, v128.and(v128.load(h + at), mask), sumH);
  }
  v128.store(target, sumLanes(sumA, sumB, sumC, sumD));
  v128.store(target, sumLanes(sumE, sumF, sumG, sumH), 16);
}

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

/** The sum of each vector's lanes, one vector a lane. */
// @ts-ignore: decorator
@inline
function sumLanes(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}
