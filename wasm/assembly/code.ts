/**
 * Codes of a few bits a dimension. A vector x, without its centre and rotated, is kept as whole numbers c of 8 (7 of
 * them used), 4 or 1 bits, which stand for u = c - z with z = (2^bits - 1) / 2, and two factors:
 *
 *     codes | term (f32) | gain (f32)
 *
 * `gain` is |x|^2 / <x, u>, the factor that makes gain <q, u> an unbiased estimate of <q, x> under a random rotation;
 * `term` is what the metric needs of x alone. So with 1 bit this is RaBitQ, with 4 and 8 its extension to more bits:
 * each vector has its own scale, and no value is ever clipped by what other vectors look like.
 *
 * Dimensions are laid out so that shifts and masks alone bring each to its query value: with P = 8 / bits parts a byte,
 * block b of 16 bytes holds the dimensions from 16 P b on, and part j of its byte i the dimension 16 P b + 16 j + i.
 *
 * Sources: RaBitQ (Gao and Long, SIGMOD 2024) and extended RaBitQ (SIGMOD 2025); the scale of each vector's own as in
 * LVQ (Aguerrebere et al., VLDB 2023). Nothing here is fused: both builds make the same codes.
 */

/** The bytes of the two factors. */
const FACTORS: u32 = 8;
/** Steps of the search for the scale of 4 bits, from all of the largest value downwards. */
const SCALES: u32 = 12;

/** How many values a byte holds. */
// @ts-ignore: decorator
@inline
export function partsOf(bits: u32): u32 {
  return bits == 8 ? 1 : 8 / bits;
}

/** The largest code: 7 bits where a byte is used, since relaxed SIMD multiplies those alike everywhere. */
// @ts-ignore: decorator
@inline
function topOf(bits: u32): u32 {
  return bits == 8 ? 127 : (1 << bits) - 1;
}

/** Bytes of the codes alone. Behind them kernels read up to 12 bytes further, at query values that are zero. */
// @ts-ignore: decorator
@inline
export function codeBytes(bits: u32, dimension: u32): u32 {
  if (bits == 8) return (dimension + 3) & ~3;
  const inBlock = partsOf(bits) << 4;
  return ((dimension + inBlock - 1) / inBlock) << 4;
}

/** Bytes a vector: codes and factors. */
export function codeStride(bits: u32, dimension: u32): u32 {
  return codeBytes(bits, dimension) + FACTORS;
}

/** Dimensions of whole blocks: what a query's values are padded to, with zeros. */
// @ts-ignore: decorator
@inline
export function paddedDimension(bits: u32, dimension: u32): u32 {
  const inBlock = partsOf(bits) << 4;
  return ((dimension + inBlock - 1) / inBlock) * inBlock;
}

/**
 * Writes the code of `vector`, which is rotated, has its centre taken off, and is padded with zeros to
 * `paddedDimension`. `scratch` has as many bytes as that.
 */
export function encode(bits: u32, dimension: u32, vector: u32, term: f32, scratch: u32, target: u32): void {
  const padded = paddedDimension(bits, dimension);
  const end = vector + (padded << 2);
  let largest = f32x4.splat(0);
  let square = f32x4.splat(0);
  for (let at = vector; at < end; at += 16) {
    const value = v128.load(at);
    largest = f32x4.max(largest, f32x4.abs(value));
    square = f32x4.add(square, f32x4.mul(value, value));
  }
  const max = maxLane(largest);
  const top = topOf(bits);
  const z = (top as f32) * 0.5;
  let inverse: f32 = max > 0 ? z / max : 0;
  if (bits == 4) inverse = bestScale(dimension, vector, inverse);
  const product = round(vector, padded, dimension, inverse, top, scratch);
  pack(bits, dimension, scratch, target);
  const bytes = codeBytes(bits, dimension);
  store<f32>(target + bytes, term);
  store<f32>(target + bytes, product > 0 ? sumLane(square) / product : 0, 4);
}

/** Among finer and finer steps the one whose rounded vector points most nearly where the vector does. */
function bestScale(dimension: u32, vector: u32, inverse: f32): f32 {
  let best = inverse;
  let bestCosine: f32 = -1;
  const end = vector + ((dimension & ~3) << 2);
  const half = f32x4.splat(0.5);
  const low = f32x4.splat(-7.5);
  const high = f32x4.splat(7.5);
  for (let step: u32 = 0; step < SCALES; step++) {
    const candidate = inverse * (1 + (step as f32) * 0.125);
    const scale = f32x4.splat(candidate);
    let product = f32x4.splat(0);
    let square = f32x4.splat(0);
    for (let at = vector; at < end; at += 16) {
      const value = v128.load(at);
      const whole = f32x4.add(f32x4.floor(f32x4.mul(value, scale)), half);
      const u = f32x4.min(f32x4.max(whole, low), high);
      product = f32x4.add(product, f32x4.mul(value, u));
      square = f32x4.add(square, f32x4.mul(u, u));
    }
    const sum = sumLane(product);
    const squares = sumLane(square);
    const cosine: f32 = squares > 0 ? (sum * sum) / squares : 0;
    if (cosine > bestCosine) {
      bestCosine = cosine;
      best = candidate;
    }
  }
  return best;
}

/**
 * Writes the codes as one byte a dimension, zeros behind the last, and gives <x, u>. A value is rounded to the nearest
 * of the levels, which lie half-way between whole numbers: floor(x * inverse) + 1/2.
 */
function round(vector: u32, padded: u32, dimension: u32, inverse: f32, top: u32, target: u32): f32 {
  const z = (top as f32) * 0.5;
  const scale = f32x4.splat(inverse);
  const half = f32x4.splat(0.5);
  const low = f32x4.splat(-z);
  const high = f32x4.splat(z);
  let product = f32x4.splat(0);
  for (let index: u32 = 0; index < padded; index += 4) {
    const value = v128.load(vector + (index << 2));
    const whole = f32x4.add(f32x4.floor(f32x4.mul(value, scale)), half);
    const u = f32x4.min(f32x4.max(whole, low), high);
    // Padding is zero, so it adds nothing here, whatever its code.
    product = f32x4.add(product, f32x4.mul(value, u));
    const code = i32x4.trunc_sat_f32x4_u(f32x4.add(u, high));
    const bytes = v128.shuffle<i8>(code, code, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12);
    v128.store_lane<u32>(target + index, bytes, 0);
  }
  for (let index = dimension; index < padded; index++) store<u8>(target + index, 0);
  return sumLane(product);
}

/** Puts the codes, one byte each, into their places. */
function pack(bits: u32, dimension: u32, codes: u32, target: u32): void {
  const bytes = codeBytes(bits, dimension);
  if (bits == 8) {
    memory.copy(target, codes, bytes);
    return;
  }
  const parts = partsOf(bits);
  for (let block: u32 = 0; block < bytes; block += 16) {
    let packed = i8x16.splat(0);
    for (let part: u32 = 0; part < parts; part++) {
      packed = v128.or(packed, i8x16.shl(v128.load(codes + (part << 4)), part * bits));
    }
    v128.store(target + block, packed);
    codes += parts << 4;
  }
}

// @ts-ignore: decorator
@inline
function maxLane(value: v128): f32 {
  const a = max(f32x4.extract_lane(value, 0), f32x4.extract_lane(value, 1));
  return max(a, max(f32x4.extract_lane(value, 2), f32x4.extract_lane(value, 3)));
}

// @ts-ignore: decorator
@inline
export function sumLane(value: v128): f32 {
  return f32x4.extract_lane(value, 0) + f32x4.extract_lane(value, 1)
    + (f32x4.extract_lane(value, 2) + f32x4.extract_lane(value, 3));
}
