import { BF16, F16, F32 } from './elements';

/**
 * 16-bit floats as float32, eight at a time. Every value is exact. bf16 is the upper half of a float32, whatever it is.
 *
 * f16 has 5 bits of exponent and 10 of fraction. Shifted to the places of a float32's, they are the value divided by
 * 2^112, and one multiplication puts that right. It leaves infinities and NaN finite, and a denormal float32, which a
 * denormal f16 is in between, costs some processors a hundred cycles (embeddings have a few in a thousand). So hot
 * loops ask `anyUnusual` first, and leave those to `widen`.
 *
 * Constants are loaded: V8 builds a v128 constant anew wherever it is used, by three instructions or more, even in a
 * loop. (Measured: f16 took 1.7 times as long with them.)
 */

const CONSTANTS: u32 = memory.data<u32>([
  // All but the bits that a shift fills with copies of the sign.
  0x8fff8fff, 0x8fff8fff, 0x8fff8fff, 0x8fff8fff,
  // 2^112.
  0x77800000, 0x77800000, 0x77800000, 0x77800000,
  // The middle of 16-bit integers, and how far from it the first unusual value lies.
  0x80008000, 0x80008000, 0x80008000, 0x80008000, 0x77ff77ff, 0x77ff77ff, 0x77ff77ff, 0x77ff77ff,
], 16) as u32;

/** Loaded at 32 - n, gives all ones in the first n bytes; 16 more follow at + 16. */
const MASKS: u32 = memory.data<u64>([-1, -1, -1, -1, 0, 0, 0, 0], 16) as u32;

/** The first four of eight values, none of them unusual. */
// @ts-ignore: decorator
@inline
export function firstFour(elements: u32, halves: v128): v128 {
  if (elements == BF16) return low(i64x2.splat(0), halves);
  return f32x4.mul(low(i16x8.shl(halves, 13), upper(halves)), v128.load(CONSTANTS, 16));
}

/** The last four. */
// @ts-ignore: decorator
@inline
export function lastFour(elements: u32, halves: v128): v128 {
  if (elements == BF16) return high(i64x2.splat(0), halves);
  return f32x4.mul(high(i16x8.shl(halves, 13), upper(halves)), v128.load(CONSTANTS, 16));
}

/** The upper 16 bits of eight f16, shifted. */
// @ts-ignore: decorator
@inline
function upper(halves: v128): v128 {
  return v128.and(i16x8.shr_s(halves, 3), v128.load(CONSTANTS));
}

/** Words from the lower 16 bits and the upper 16 bits of the first four. */
// @ts-ignore: decorator
@inline
function low(lower: v128, upper: v128): v128 {
  return v128.shuffle<i16>(lower, upper, 0, 8, 1, 9, 2, 10, 3, 11);
}

// @ts-ignore: decorator
@inline
function high(lower: v128, upper: v128): v128 {
  return v128.shuffle<i16>(lower, upper, 4, 12, 5, 13, 6, 14, 7, 15);
}

/** Whether one of 32 f16 is infinite, NaN or denormal. Zeros are not; 2^-14 is taken for one of them. */
// @ts-ignore: decorator
@inline
export function anyUnusual(a: v128, b: v128, c: v128, d: v128): bool {
  const ab = i16x8.max_s(fromMiddle(a), fromMiddle(b));
  const cd = i16x8.max_s(fromMiddle(c), fromMiddle(d));
  return v128.any_true(i16x8.gt_s(i16x8.max_s(ab, cd), v128.load(CONSTANTS, 48)));
}

/**
 * How far the doubled value, without its sign, lies from the middle: 0x7800 and more for unusual ones on either side.
 * Zero is 0x8000 away, which is no int16, and wraps around to the smallest.
 */
// @ts-ignore: decorator
@inline
function fromMiddle(halves: v128): v128 {
  return i16x8.abs(v128.xor(i16x8.add(halves, halves), v128.load(CONSTANTS, 32)));
}

/** Writes `count` (1 to 8) values of a vector of floats, of whatever kind, as eight float32: zeros follow them. */
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
  if (elements == F16) {
    widenF16(halves, target);
    return;
  }
  v128.store(target, firstFour(BF16, halves));
  v128.store(target, lastFour(BF16, halves), 16);
}

/** Without a denormal in between. */
function widenF16(halves: v128, target: u32): void {
  const magnitude = v128.and(halves, i16x8.splat(0x7fff));
  const sign = v128.xor(halves, magnitude);
  // The exponent moves by 112; by 224, to all ones, for infinities and NaN.
  const most = v128.and(i16x8.gt_s(magnitude, i16x8.splat(0x7bff)), i16x8.splat(112 << 7));
  const moved = i16x8.add(i16x8.add(i16x8.shr_u(magnitude, 3), i16x8.splat(112 << 7)), most);
  const lower = i16x8.shl(magnitude, 13);
  const zero = i64x2.splat(0);
  v128.store(target, v128.or(smallest(low(lower, moved)), low(zero, sign)));
  v128.store(target, v128.or(smallest(high(lower, moved)), high(zero, sign)), 16);
}

/**
 * The value, from one with a moved exponent. That is right where the exponent was not 0, and then twice itself less
 * 2^-14 is not smaller; else that is right, and smaller. (NaN stays.)
 */
// @ts-ignore: decorator
@inline
function smallest(moved: v128): v128 {
  return f32x4.pmin(moved, f32x4.sub(f32x4.add(moved, moved), f32x4.splat(6.103515625e-5)));
}
