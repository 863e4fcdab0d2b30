import { randomAt } from './random';

/**
 * A random rotation in d log d steps and without a matrix: after it the values of a vector are spread evenly over the
 * dimensions, whatever they meant, so that a few bits hold each equally well.
 *
 * Two rounds of: random signs, a Walsh-Hadamard transform of the largest power of two of dimensions (the first ones,
 * then the last ones), and, where that leaves some out, one step of Kac's walk, which mixes the two halves. Every step
 * keeps lengths, so distances and inner products stay what they are.
 *
 * Source: the FHT-Kac rotator of the RaBitQ library (Gao and Long, 2024 and 2025), which makes four rounds; two measured
 * as good on real vectors with each code. Multiplications and additions are
 * never fused: both builds give the same bits.
 */

const ROUNDS: u32 = 2;
const HALF_ROOT: f32 = 0.70710678118654752;

/** Bytes of the signs that a rotation of `dimension` dimensions needs. */
export function signsBytes(dimension: u32): u32 {
  return ROUNDS * signsStride(dimension);
}

// @ts-ignore: decorator
@inline
function signsStride(dimension: u32): u32 {
  return ((dimension + 3) & ~3) << 2;
}

/** Draws the signs of all rounds: a bit that is flipped in each value, or none. */
export function drawSigns(signs: u32, dimension: u32, seed: u64): void {
  const stride = signsStride(dimension);
  for (let round: u32 = 0; round < ROUNDS; round++) {
    for (let index: u32 = 0; index < dimension; index++) {
      const bits = randomAt(seed, ((round as u64) << 32) | ((index >> 6) as u64));
      store<u32>(signs + round * stride + (index << 2), (((bits >> ((index & 63) as u64)) & 1) as u32) << 31);
    }
  }
}

/** Rotates `vector` in place by the signs that were drawn for it. It is padded with zeros to a multiple of 16 bytes. */
export function rotate(vector: u32, dimension: u32, signs: u32): void {
  if (dimension < 2) return;
  const transformed: u32 = 1 << (31 - clz<u32>(dimension));
  const rest = dimension - transformed;
  const stride = signsStride(dimension);
  const scale = (1 / Math.sqrt(transformed as f64)) as f32;
  for (let round: u32 = 0; round < ROUNDS; round++) {
    for (let at: u32 = 0; at < stride; at += 16) {
      v128.store(vector + at, v128.xor(v128.load(vector + at), v128.load(signs + at)));
    }
    signs += stride;
    const from = vector + ((round & 1 ? rest : 0) << 2);
    transform(from, transformed);
    multiply(from, transformed, scale);
    if (rest > 0) mixHalves(vector, dimension);
  }
}

/** The Walsh-Hadamard transform of `count` values, a power of two. */
function transform(values: u32, count: u32): void {
  const end = values + (count << 2);
  if (count < 4) {
    if (count == 2) butterfly(values);
    return;
  }
  for (let at = values; at < end; at += 16) {
    const value = v128.load(at);
    const pairs = f32x4.add(
      v128.shuffle<f32>(value, value, 0, 0, 2, 2),
      f32x4.mul(v128.shuffle<f32>(value, value, 1, 1, 3, 3), f32x4(1, -1, 1, -1)),
    );
    v128.store(at, f32x4.add(
      v128.shuffle<f32>(pairs, pairs, 0, 1, 0, 1),
      f32x4.mul(v128.shuffle<f32>(pairs, pairs, 2, 3, 2, 3), f32x4(1, 1, -1, -1)),
    ));
  }
  const bytes = count << 2;
  let step: u32 = 16;
  // Two steps at once while there are two: half as many loads and stores.
  for (; step << 1 < bytes; step <<= 2) {
    for (let block = values; block < end; block += step << 2) {
      const middle = block + step;
      for (let at = block; at < middle; at += 16) {
        const a = v128.load(at);
        const b = v128.load(at + step);
        const c = v128.load(at + 2 * step);
        const d = v128.load(at + 3 * step);
        const ab = f32x4.add(a, b);
        const cd = f32x4.add(c, d);
        const abDifference = f32x4.sub(a, b);
        const cdDifference = f32x4.sub(c, d);
        v128.store(at, f32x4.add(ab, cd));
        v128.store(at + step, f32x4.add(abDifference, cdDifference));
        v128.store(at + 2 * step, f32x4.sub(ab, cd));
        v128.store(at + 3 * step, f32x4.sub(abDifference, cdDifference));
      }
    }
  }
  if (step < bytes) {
    for (let at = values; at < values + step; at += 16) {
      const a = v128.load(at);
      const b = v128.load(at + step);
      v128.store(at, f32x4.add(a, b));
      v128.store(at + step, f32x4.sub(a, b));
    }
  }
}

function butterfly(values: u32): void {
  const a = load<f32>(values);
  const b = load<f32>(values, 4);
  store<f32>(values, a + b);
  store<f32>(values, a - b, 4);
}

function multiply(values: u32, count: u32, factor: f32): void {
  const end = values + (count << 2);
  const endWhole = values + ((count & ~3) << 2);
  const factors = f32x4.splat(factor);
  for (; values < endWhole; values += 16) v128.store(values, f32x4.mul(v128.load(values), factors));
  for (; values < end; values += 4) store<f32>(values, load<f32>(values) * factor);
}

/** Turns each pair of a value and the one half the dimensions further by 45 degrees; an odd last value stays. */
function mixHalves(vector: u32, dimension: u32): void {
  const half = dimension >> 1;
  const other = vector + (half << 2);
  const bytes = half << 2;
  const endWhole = (half & ~3) << 2;
  const factors = f32x4.splat(HALF_ROOT);
  let at: u32 = 0;
  for (; at < endWhole; at += 16) {
    const a = f32x4.mul(v128.load(vector + at), factors);
    const b = f32x4.mul(v128.load(other + at), factors);
    v128.store(vector + at, f32x4.add(a, b));
    v128.store(other + at, f32x4.sub(a, b));
  }
  for (; at < bytes; at += 4) {
    const a = load<f32>(vector + at) * HALF_ROOT;
    const b = load<f32>(other + at) * HALF_ROOT;
    store<f32>(vector + at, a + b);
    store<f32>(other + at, a - b);
  }
}
