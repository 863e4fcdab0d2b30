import { codeBytes, paddedDimension, partsOf, sumLane } from './code';

/**
 * A query against codes: its values as signed bytes q with one scale, and estimates of its distance to four codes at
 * a time. The product with whole numbers is exact, so both builds give the same estimates.
 *
 *     estimate = base + term - weight * scale * gain * (<q, c> - shift),  shift = z * sum(q)
 *
 * The metric decides `base`, the code's `term` and `weight`: L2 |q|^2, |x|^2, 2; IP what centres add, and 1.
 */

// @ts-ignore: decorator
@unmanaged
class CodeQuery {
  base: f32;
  /** weight * scale. */
  factor: f32;
  shift: f32;
  unused: f32;
}

/** Where the values begin. */
// @ts-ignore: decorator
@inline
const VALUES: u32 = 16;

/** Masks of the lowest bits of each byte. Loaded where they are used: V8 makes a constant anew in each round of a loop. */
export const LOW_BITS_4: u32 = memory.data<u64>([0x0f0f0f0f0f0f0f0f, 0x0f0f0f0f0f0f0f0f], 16) as u32;
const LOW_BITS_1: u32 = memory.data<u64>([0x0101010101010101, 0x0101010101010101], 16) as u32;

/** Bytes of a query. */
export function codeQueryBytes(bits: u32, dimension: u32): u32 {
  return VALUES + paddedDimension(bits, dimension);
}

/** Prepares a query from a vector that is rotated, has its centre taken off and is padded with zeros. */
export function prepareQuery(bits: u32, dimension: u32, vector: u32, base: f32, weight: f32, query: u32): void {
  const padded = paddedDimension(bits, dimension);
  let largest: f32 = 0;
  const end = vector + (padded << 2);
  let maxima = f32x4.splat(0);
  for (let at = vector; at < end; at += 16) maxima = f32x4.max(maxima, f32x4.abs(v128.load(at)));
  for (let pass = 0; pass < 4; pass++) {
    largest = max(largest, f32x4.extract_lane(maxima, 0));
    maxima = v128.shuffle<f32>(maxima, maxima, 1, 2, 3, 0);
  }
  const inverse = f32x4.splat(largest > 0 ? 127 / largest : 0);
  let total = i32x4.splat(0);
  for (let index: u32 = 0; index < padded; index += 16) {
    const from = vector + (index << 2);
    const low = i16x8.narrow_i32x4_s(whole4(from, inverse), whole4(from + 16, inverse));
    const high = i16x8.narrow_i32x4_s(whole4(from + 32, inverse), whole4(from + 48, inverse));
    total = i32x4.add(total, i32x4.extadd_pairwise_i16x8_s(i16x8.add(low, high)));
    v128.store(query + VALUES + index, i8x16.narrow_i16x8_s(low, high));
  }
  const to = changetype<CodeQuery>(query);
  to.base = base;
  to.factor = (weight * largest) / 127;
  to.shift = sumLane(f32x4.convert_i32x4_s(total)) * zOf(bits);
}

// @ts-ignore: decorator
@inline
function whole4(values: u32, inverse: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(values), inverse)));
}

/** Prepares a query from a code: exactly what the code stands for, so distances between codes are symmetric. */
export function prepareQueryOfCode(bits: u32, dimension: u32, code: u32, weight: f32, query: u32): void {
  const bytes = codeBytes(bits, dimension);
  const parts = partsOf(bits);
  const largest: u32 = bits == 8 ? 127 : (1 << bits) - 1;
  const mask = i8x16.splat(largest as i8);
  let at = query + VALUES;
  for (let block: u32 = 0; block < bytes; block += 16) {
    const packed = v128.load(code + block);
    for (let part: u32 = 0; part < parts; part++) {
      const value = v128.and(i16x8.shr_u(packed, part * bits), mask);
      v128.store(at, i8x16.sub(i8x16.shl(value, 1), mask));
      at += 16;
    }
  }
  const padded = paddedDimension(bits, dimension);
  for (let index = dimension; index < padded; index++) store<u8>(query + VALUES + index, 0);
  let total = i32x4.splat(0);
  for (let index: u32 = 0; index < padded; index += 16) {
    total = i32x4.add(total, i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_s(v128.load(query + VALUES + index))));
  }
  const to = changetype<CodeQuery>(query);
  to.base = load<f32>(code + bytes);
  to.factor = weight * load<f32>(code + bytes, 4) * 0.5;
  to.shift = (sumLane(f32x4.convert_i32x4_s(total))) * zOf(bits);
}

/** The estimates of four codes, one a lane; smaller is nearer. */
// @ts-ignore: decorator
@inline
export function estimate4(bits: u32, dimension: u32, query: u32, a: u32, b: u32, c: u32, d: u32): v128 {
  const bytes = codeBytes(bits, dimension);
  let factors = v128.load64_zero(a + bytes);
  factors = v128.load_lane<u64>(b + bytes, factors, 1);
  let others = v128.load64_zero(c + bytes);
  others = v128.load_lane<u64>(d + bytes, others, 1);
  const terms = v128.shuffle<f32>(factors, others, 0, 2, 4, 6);
  const gains = v128.shuffle<f32>(factors, others, 1, 3, 5, 7);
  const from = changetype<CodeQuery>(query);
  const products = f32x4.convert_i32x4_s(products4(bits, bytes, query + VALUES, a, b, c, d));
  return f32x4.sub(
    f32x4.add(f32x4.splat(from.base), terms),
    f32x4.mul(f32x4.mul(f32x4.splat(from.factor), gains), f32x4.sub(products, f32x4.splat(from.shift))),
  );
}

/** <q, c> of four codes. The four rows are read side by side, so that their cache misses overlap. */
// @ts-ignore: decorator
@inline
function products4(bits: u32, bytes: u32, values: u32, a: u32, b: u32, c: u32, d: u32): v128 {
  let sumA = i32x4.splat(0);
  let sumB = sumA;
  let sumC = sumA;
  let sumD = sumA;
  if (bits == 8) {
    for (let at: u32 = 0; at < bytes; at += 16) {
      const query = v128.load(values + at);
      sumA = addProducts(query, v128.load(a + at), sumA);
      sumB = addProducts(query, v128.load(b + at), sumB);
      sumC = addProducts(query, v128.load(c + at), sumC);
      sumD = addProducts(query, v128.load(d + at), sumD);
    }
  } else {
    for (let at: u32 = 0; at < bytes; at += 16) {
      const blockA = v128.load(a + at);
      const blockB = v128.load(b + at);
      const blockC = v128.load(c + at);
      const blockD = v128.load(d + at);
      if (bits == 4) {
        const mask = v128.load(LOW_BITS_4);
        let query = v128.load(values);
        sumA = addProducts(query, v128.and(blockA, mask), sumA);
        sumB = addProducts(query, v128.and(blockB, mask), sumB);
        sumC = addProducts(query, v128.and(blockC, mask), sumC);
        sumD = addProducts(query, v128.and(blockD, mask), sumD);
        query = v128.load(values, 16);
        sumA = addProducts(query, v128.and(i16x8.shr_u(blockA, 4), mask), sumA);
        sumB = addProducts(query, v128.and(i16x8.shr_u(blockB, 4), mask), sumB);
        sumC = addProducts(query, v128.and(i16x8.shr_u(blockC, 4), mask), sumC);
        sumD = addProducts(query, v128.and(i16x8.shr_u(blockD, 4), mask), sumD);
        values += 32;
      } else {
        const mask = v128.load(LOW_BITS_1);
        for (let shift: u32 = 0; shift < 8; shift++) {
          const query = v128.load(values);
          sumA = addProducts(query, v128.and(i16x8.shr_u(blockA, shift), mask), sumA);
          sumB = addProducts(query, v128.and(i16x8.shr_u(blockB, shift), mask), sumB);
          sumC = addProducts(query, v128.and(i16x8.shr_u(blockC, shift), mask), sumC);
          sumD = addProducts(query, v128.and(i16x8.shr_u(blockD, shift), mask), sumD);
          values += 16;
        }
      }
    }
  }
  return sumLanes(sumA, sumB, sumC, sumD);
}

/** sum + products of 16 signed bytes with 16 of 0 to 127, four of them a lane. */
// @ts-ignore: decorator
@inline
function addProducts(query: v128, codes: v128, sum: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_dot_i8x16_i7x16_add_s(query, codes, sum);
  // Two products of at most 127 * 127 fit 16 bits.
  const pairs = i16x8.add(i16x8.extmul_low_i8x16_s(query, codes), i16x8.extmul_high_i8x16_s(query, codes));
  return i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(pairs));
}

/** The sum of each vector's lanes, one vector a lane. */
// @ts-ignore: decorator
@inline
function sumLanes(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = i32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  return i32x4.add(v128.shuffle<i32>(ab, cd, 0, 1, 4, 5), v128.shuffle<i32>(ab, cd, 2, 3, 6, 7));
}

// @ts-ignore: decorator
@inline
function zOf(bits: u32): f32 {
  return bits == 8 ? 63.5 : (((1 << bits) - 1) as f32) * 0.5;
}
