import { JACCARD } from './elements';
import { keepTouched, touch } from './touch';

/**
 * Counts over vectors of bits that lie anywhere in memory, four side by side. Bit i of a vector is bit i & 7 of its
 * byte i >> 3; what the last byte has beyond the dimension is not looked at.
 */

/** Of each of the four vectors of the last call: the bits that differ from the query's. */
export const DIFFERING: u32 = memory.data(16, 16) as u32;
/** For JACCARD, the bits that are set in the vector or the query, or both. */
export const EITHER: u32 = memory.data(16, 16) as u32;

/**
 * Counts bits of one query (padded with zeros to 16 bytes) and four vectors, into `DIFFERING` and `EITHER`. For every
 * 64 bits one byte is touched, from `ahead` on, `pace` bytes apart.
 */
// @ts-ignore: decorator
@inline
export function countBitsOf4(
  metric: u32, query: u32, a: u32, b: u32, c: u32, d: u32, dimension: u32, ahead: u32, pace: u32,
): void {
  let touched: u32 = 0;
  let differA: u64 = 0, differB: u64 = 0, differC: u64 = 0, differD: u64 = 0;
  let eitherA: u64 = 0, eitherB: u64 = 0, eitherC: u64 = 0, eitherD: u64 = 0;
  const end = query + ((dimension >> 6) << 3);
  while (query < end) {
    const q = load<u64>(query);
    const vectorA = load<u64>(a);
    const vectorB = load<u64>(b);
    const vectorC = load<u64>(c);
    const vectorD = load<u64>(d);
    differA += popcnt(q ^ vectorA);
    differB += popcnt(q ^ vectorB);
    differC += popcnt(q ^ vectorC);
    differD += popcnt(q ^ vectorD);
    if (metric == JACCARD) {
      eitherA += popcnt(q | vectorA);
      eitherB += popcnt(q | vectorB);
      eitherC += popcnt(q | vectorC);
      eitherD += popcnt(q | vectorD);
    }
    touched += touch(ahead);
    ahead += pace;
    query += 8;
    a += 8;
    b += 8;
    c += 8;
    d += 8;
  }
  keepTouched(touched);
  const rest = dimension & 63;
  if (rest > 0) {
    const mask = ((1 as u64) << (rest as u64)) - 1;
    const q = load<u64>(query) & mask;
    const vectorA = load<u64>(a) & mask;
    const vectorB = load<u64>(b) & mask;
    const vectorC = load<u64>(c) & mask;
    const vectorD = load<u64>(d) & mask;
    differA += popcnt(q ^ vectorA);
    differB += popcnt(q ^ vectorB);
    differC += popcnt(q ^ vectorC);
    differD += popcnt(q ^ vectorD);
    if (metric == JACCARD) {
      eitherA += popcnt(q | vectorA);
      eitherB += popcnt(q | vectorB);
      eitherC += popcnt(q | vectorC);
      eitherD += popcnt(q | vectorD);
    }
  }
  store4(DIFFERING, differA, differB, differC, differD);
  if (metric == JACCARD) store4(EITHER, eitherA, eitherB, eitherC, eitherD);
}

// @ts-ignore: decorator
@inline
function store4(target: u32, a: u64, b: u64, c: u64, d: u64): void {
  store<u32>(target, a as u32);
  store<u32>(target, b as u32, 4);
  store<u32>(target, c as u32, 8);
  store<u32>(target, d as u32, 12);
}
