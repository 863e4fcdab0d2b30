import { accumulate, sumLanes, tailMask } from './float32';

/**
 * Distances of one float32 query to four rows anywhere in memory, side by side: the four rows' cache misses overlap,
 * which on random access counts for more than all arithmetic (measured: four to five times one row at a time).
 *
 * Rows may lie at any multiple of 4; the query is padded with zeros to a multiple of 16 bytes. What lies behind a row
 * is loaded and masked. Sums are made in one order that depends on the dimension alone.
 */

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
    const mask = tailMask(dimension);
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
    const mask = tailMask(dimension);
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
