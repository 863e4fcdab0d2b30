import { BF16, BITS, F16, INT8 } from './elements';
import { widen } from './half';

/**
 * Float32 values as a vector's stored elements, and back. Integer instructions and one addition: both builds write the
 * same bytes.
 */

/** Four values that are encoded, padded with zeros. */
const FOUR: u32 = memory.data(16, 16) as u32;
const EIGHT: u32 = memory.data(32, 16) as u32;

/**
 * Writes `count` float32 values as f16, bf16, int8 or bits; `source` and `target` may have any address, and do not
 * overlap.
 *
 * - f16, bf16: the nearest value, of two equally near the even one. Beyond the largest: infinity. Denormals are kept,
 *   and so is -0. NaN becomes a quiet NaN of the same sign.
 * - int8: values are whole, -128 to 127 (the host has checked that).
 * - bits: 1 where the value is not 0, bit i & 7 of byte i >> 3; the last byte is filled up with 0.
 */
export function encodeElements(elements: u32, source: u32, count: u32, target: u32): void {
  if (elements == BITS) {
    packBits(source, count, target);
    return;
  }
  const bytes: u32 = elements == INT8 ? 1 : 2;
  const end = source + ((count & ~3) << 2);
  for (; source < end; source += 16) {
    const four = encode4(elements, v128.load(source));
    if (elements == INT8) v128.store_lane<u32>(target, four, 0);
    else v128.store_lane<u64>(target, four, 0);
    target += bytes << 2;
  }
  const rest = count & 3;
  if (rest == 0) return;
  memory.copy(FOUR, source, rest << 2);
  v128.store(FOUR, encode4(elements, v128.load(FOUR)));
  memory.copy(target, FOUR, rest * bytes);
}

/** Writes `count` elements of a vector (not of bits) as float32, exactly. Up to 15 bytes behind the vector are read. */
export function decodeElements(elements: u32, source: u32, count: u32, target: u32): void {
  if (elements == INT8) {
    for (let index: u32 = 0; index < count; index++) {
      store<f32>(target + (index << 2), load<i8>(source + index) as f32);
    }
    return;
  }
  const bytes: u32 = elements == BF16 || elements == F16 ? 2 : 4;
  while (count > 0) {
    const some: u32 = count < 8 ? count : 8;
    widen(elements, source, some, EIGHT);
    memory.copy(target, EIGHT, some << 2);
    source += some * bytes;
    target += some << 2;
    count -= some;
  }
}

/** Four values in the lower bytes. */
function encode4(elements: u32, values: v128): v128 {
  if (elements == F16) return toF16(values);
  if (elements == BF16) return toBF16(values);
  const words = i32x4.trunc_sat_f32x4_s(values);
  const halves = i16x8.narrow_i32x4_s(words, words);
  return i8x16.narrow_i16x8_s(halves, halves);
}

/** After Fabian Giesen's `float_to_half_fast3_rtne` (public domain), four at a time. */
function toF16(values: v128): v128 {
  const sign = v128.and(values, i32x4.splat(i32(0x80000000)));
  const magnitude = v128.xor(values, sign);
  // Below 2^-14: added to 1/2, whose last bit is worth 2^-24, the value is rounded to a multiple of that.
  const half = i32x4.splat(0x3f000000);
  const small = i32x4.sub(f32x4.add(magnitude, half), half);
  // Else the exponent is moved by 112, and 13 bits are rounded away: half of the last place, less one if that is even.
  const odd = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1));
  const rounded = i32x4.add(i32x4.add(magnitude, i32x4.splat(0xfff - (112 << 23))), odd);
  const normal = i32x4.shr_u(rounded, 13);
  const finite = v128.bitselect(small, normal, i32x4.lt_s(magnitude, i32x4.splat(113 << 23)));
  // From 2^16 on: infinity, or NaN.
  const nan = v128.and(i32x4.gt_s(magnitude, i32x4.splat(0x7f800000)), i32x4.splat(0x200));
  const other = v128.or(i32x4.splat(0x7c00), nan);
  const result = v128.bitselect(finite, other, i32x4.lt_s(magnitude, i32x4.splat(143 << 23)));
  return evenHalves(v128.or(result, i32x4.shr_u(sign, 16)));
}

function toBF16(values: v128): v128 {
  const odd = v128.and(i32x4.shr_u(values, 16), i32x4.splat(1));
  const rounded = i32x4.add(i32x4.add(values, i32x4.splat(0x7fff)), odd);
  const nan = v128.or(values, i32x4.splat(0x400000));
  const result = v128.bitselect(nan, rounded, f32x4.ne(values, values));
  return evenHalves(i32x4.shr_u(result, 16));
}

/** The lower half of each lane, together. */
function evenHalves(words: v128): v128 {
  return v128.shuffle<i16>(words, words, 0, 2, 4, 6, 0, 2, 4, 6);
}

function packBits(source: u32, count: u32, target: u32): void {
  let byte: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    if (load<f32>(source + (index << 2)) != 0) byte |= 1 << (index & 7);
    if ((index & 7) == 7 || index + 1 == count) {
      store<u8>(target + (index >> 3), byte);
      byte = 0;
    }
  }
}
