/**
 * Distances of float32 vectors. A row is read from its beginning to its end before the next one: in a scan the memory
 * is then read in order, which the hardware fetches ahead (four rows side by side, each with one sum, gave half the
 * bandwidth at dimension 128). Four sums fill the adder's pipeline instead.
 *
 * Vectors lie without gaps and at any multiple of 4 bytes. The last one to three values are loaded as a whole v128 and
 * masked: what lies behind a vector never enters a sum, and may be anything. Queries are padded with zeros to a
 * multiple of 16 bytes.
 *
 * Each sum is made in one order that depends on the dimension alone: chain c (0 to 3), lane i adds the values 16 k +
 * 4 c + i; of what is left behind the last 16, whole fours go to chain 0 and the masked rest to chain 1; then the
 * chains are added as (0 + 1) + (2 + 3), and their lanes as (0 + 2) + (1 + 3). One query or two, the same two vectors
 * give the same bits. (The relaxed build fuses the multiplication with the addition, so its bits are others.)
 */

/** What is summed up; a constant wherever it is used, so that it costs nothing at run time. */
export const DOT: bool = false;
export const SQUARED: bool = true;

/** Loaded at (3 - rest) * 4, gives all ones in the first `rest` lanes. */
const TAIL_MASKS: u32 = memory.data<u32>([0xffffffff, 0xffffffff, 0xffffffff, 0, 0, 0]) as u32;
/** Where `addPair` leaves the second query's sum. */
const OTHER: u32 = memory.data(16, 16) as u32;

/** The sums of one query and four rows, by address: one row a lane. */
// @ts-ignore: decorator
@inline
export function sum4(squared: bool, query: u32, a: u32, b: u32, c: u32, d: u32, dimension: u32): v128 {
  return sumLanes(
    add(squared, query, a, dimension),
    add(squared, query, b, dimension),
    add(squared, query, c, dimension),
    add(squared, query, d, dimension),
  );
}

/** The same for two queries: each load of a row serves both. The second query's sums are stored at `second`. */
// @ts-ignore: decorator
@inline
export function sum4Of2(
  squared: bool, query: u32, other: u32, a: u32, b: u32, c: u32, d: u32, dimension: u32, second: u32,
): v128 {
  const sumA = addPair(squared, query, other, a, dimension);
  const otherA = v128.load(OTHER);
  const sumB = addPair(squared, query, other, b, dimension);
  const otherB = v128.load(OTHER);
  const sumC = addPair(squared, query, other, c, dimension);
  const otherC = v128.load(OTHER);
  const sumD = addPair(squared, query, other, d, dimension);
  v128.store(second, sumLanes(otherA, otherB, otherC, v128.load(OTHER)));
  return sumLanes(sumA, sumB, sumC, sumD);
}

/** The four lanes of one query's and one row's sum. */
// @ts-ignore: decorator
@inline
function add(squared: bool, query: u32, row: u32, dimension: u32): v128 {
  let sum0 = f32x4.splat(0);
  let sum1 = sum0;
  let sum2 = sum0;
  let sum3 = sum0;
  const end16 = query + ((dimension & ~15) << 2);
  const end4 = query + ((dimension & ~3) << 2);
  while (query < end16) {
    sum0 = accumulate(squared, v128.load(query), v128.load(row), sum0);
    sum1 = accumulate(squared, v128.load(query, 16), v128.load(row, 16), sum1);
    sum2 = accumulate(squared, v128.load(query, 32), v128.load(row, 32), sum2);
    sum3 = accumulate(squared, v128.load(query, 48), v128.load(row, 48), sum3);
    query += 64;
    row += 64;
  }
  while (query < end4) {
    sum0 = accumulate(squared, v128.load(query), v128.load(row), sum0);
    query += 16;
    row += 16;
  }
  if (dimension & 3) {
    sum1 = accumulate(squared, v128.load(query), v128.and(v128.load(row), tailMask(dimension)), sum1);
  }
  return f32x4.add(f32x4.add(sum0, sum1), f32x4.add(sum2, sum3));
}

/** `add` for two queries; the second one's lanes are stored at `OTHER`. */
// @ts-ignore: decorator
@inline
function addPair(squared: bool, query: u32, other: u32, row: u32, dimension: u32): v128 {
  let sum0 = f32x4.splat(0);
  let sum1 = sum0;
  let sum2 = sum0;
  let sum3 = sum0;
  let other0 = sum0;
  let other1 = sum0;
  let other2 = sum0;
  let other3 = sum0;
  const end16 = query + ((dimension & ~15) << 2);
  const end4 = query + ((dimension & ~3) << 2);
  while (query < end16) {
    let values = v128.load(row);
    sum0 = accumulate(squared, v128.load(query), values, sum0);
    other0 = accumulate(squared, v128.load(other), values, other0);
    values = v128.load(row, 16);
    sum1 = accumulate(squared, v128.load(query, 16), values, sum1);
    other1 = accumulate(squared, v128.load(other, 16), values, other1);
    values = v128.load(row, 32);
    sum2 = accumulate(squared, v128.load(query, 32), values, sum2);
    other2 = accumulate(squared, v128.load(other, 32), values, other2);
    values = v128.load(row, 48);
    sum3 = accumulate(squared, v128.load(query, 48), values, sum3);
    other3 = accumulate(squared, v128.load(other, 48), values, other3);
    query += 64;
    other += 64;
    row += 64;
  }
  while (query < end4) {
    const values = v128.load(row);
    sum0 = accumulate(squared, v128.load(query), values, sum0);
    other0 = accumulate(squared, v128.load(other), values, other0);
    query += 16;
    other += 16;
    row += 16;
  }
  if (dimension & 3) {
    const values = v128.and(v128.load(row), tailMask(dimension));
    sum1 = accumulate(squared, v128.load(query), values, sum1);
    other1 = accumulate(squared, v128.load(other), values, other1);
  }
  v128.store(OTHER, f32x4.add(f32x4.add(other0, other1), f32x4.add(other2, other3)));
  return f32x4.add(f32x4.add(sum0, sum1), f32x4.add(sum2, sum3));
}

/** sum + a * b, or sum + (a - b) squared. */
// @ts-ignore: decorator
@inline
export function accumulate(squared: bool, a: v128, b: v128, sum: v128): v128 {
  if (squared) {
    const difference = f32x4.sub(a, b);
    return multiplyAdd(difference, difference, sum);
  }
  return multiplyAdd(a, b, sum);
}

// @ts-ignore: decorator
@inline
export function multiplyAdd(a: v128, b: v128, sum: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, sum);
  return f32x4.add(sum, f32x4.mul(a, b));
}

/** Ones in the first `dimension % 4` lanes, which must be at least one. */
// @ts-ignore: decorator
@inline
export function tailMask(dimension: u32): v128 {
  return v128.load(TAIL_MASKS + ((3 - (dimension & 3)) << 2));
}

/** The sum of each vector's lanes, one vector a lane. */
// @ts-ignore: decorator
@inline
export function sumLanes(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}
