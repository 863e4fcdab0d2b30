import { BF16, F16, F32 } from './elements';

/**
 * 16-bit floats as float32, eight at a time.
 *
 * f16 has 5 bits of exponent and 10 of fraction. Shifted to the places of a float32's, they are the value divided by
 * 2^112, whether it is normal or not, and one multiplication puts that right: exactly, also for denormals. Infinities
 * and NaN alone come out wrong, as finite values from 65,536 on: `anyInfinite` finds them, and `widen` has them right.
 * bf16 is the upper half of a float32, whatever it is.
 */

/** All but the bits that the shift fills with copies of the sign. */
const SIGN_AND_MAGNITUDE: i16 = i16(0x8fff);
const SCALE: f32 = 5192296858534827628530496329220096.0; // 2^112

/** Loaded at 32 - n, gives all ones in the first n bytes; 16 more follow at + 16. */
const MASKS: u32 = memory.data<u64>([-1, -1, -1, -1, 0, 0, 0, 0], 16) as u32;

/** The first four of eight values. */
// @ts-ignore: decorator
@inline
export function firstFour(elements: u32, halves: v128): v128 {
  const values = v128.shuffle<i16>(lower(elements, halves), upper(elements, halves), 0, 8, 1, 9, 2, 10, 3, 11);
  return elements == BF16 ? values : f32x4.mul(values, f32x4.splat(SCALE));
}

/** The last four. */
// @ts-ignore: decorator
@inline
export function lastFour(elements: u32, halves: v128): v128 {
  const values = v128.shuffle<i16>(lower(elements, halves), upper(elements, halves), 4, 12, 5, 13, 6, 14, 7, 15);
  return elements == BF16 ? values : f32x4.mul(values, f32x4.splat(SCALE));
}

/** The upper 16 bits of eight values, f16 still divided. */
// @ts-ignore: decorator
@inline
function upper(elements: u32, halves: v128): v128 {
  if (elements == BF16) return halves;
  return v128.and(i16x8.shr_s(halves, 3), i16x8.splat(SIGN_AND_MAGNITUDE));
}

/** The lower 16 bits. */
// @ts-ignore: decorator
@inline
function lower(elements: u32, halves: v128): v128 {
  if (elements == BF16) return i64x2.splat(0);
  return i16x8.shl(halves, 13);
}

/** Whether one of 32 f16 is infinite or NaN. */
// @ts-ignore: decorator
@inline
export function anyInfinite(a: v128, b: v128, c: v128, d: v128): bool {
  const ab = i16x8.max_u(i16x8.add(a, a), i16x8.add(b, b));
  const cd = i16x8.max_u(i16x8.add(c, c), i16x8.add(d, d));
  return v128.any_true(i16x8.ge_u(i16x8.max_u(ab, cd), i16x8.splat(i16(0xf800))));
}

/** Writes `count` (1 to 8) values of a vector of floats as eight float32: zeros follow them. Every value is exact. */
export function widen(elements: u32, values: u32, count: u32, target: u32): void {
  if (elements == F32) {
    const masks = MASKS + 32 - (count << 2);
    v128.store(target, v128.and(v128.load(values), v128.load(masks)));
    // What lies more than 15 bytes behind the vector is not touched.
    const more = count > 4 ? v128.and(v128.load(values, 16), v128.load(masks, 16)) : i64x2.splat(0);
    v128.store(target, more, 16);
    return;
  }
  const halves = v128.and(v128.load(values), v128.load(MASKS + 32 - (count << 1)));
  if (elements == BF16) {
    v128.store(target, firstFour(BF16, halves));
    v128.store(target, lastFour(BF16, halves), 16);
    return;
  }
  const zero = i64x2.splat(0);
  const magnitude = v128.and(halves, i16x8.splat(0x7fff));
  const exponent = v128.and(i16x8.gt_s(magnitude, i16x8.splat(0x7bff)), i16x8.splat(0x7f80));
  const first = v128.shuffle<i16>(zero, exponent, 0, 8, 1, 9, 2, 10, 3, 11);
  const last = v128.shuffle<i16>(zero, exponent, 4, 12, 5, 13, 6, 14, 7, 15);
  v128.store(target, v128.or(firstFour(F16, halves), first));
  v128.store(target, v128.or(lastFour(F16, halves), last), 16);
}
