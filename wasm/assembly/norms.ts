/**
 * Lengths of float32 vectors, in float64 and in the same order in both builds: no square overflows, and what depends
 * on a length is the same everywhere.
 */

/** Below it, 2^-126, a vector counts as zero: the inverse of a smaller length overflows float32. */
export const LENGTH_MIN: f64 = 1.1754943508222875e-38;

/** Writes 1 / length of each of `count` vectors, which lie without gaps; 0 for a zero vector. */
export function inverseNorms(rows: u32, count: u32, dimension: u32, target: u32): void {
  const bytes = dimension << 2;
  for (let row: u32 = 0; row < count; row++) {
    const length = Math.sqrt(squares(rows, dimension));
    store<f32>(target, length < LENGTH_MIN ? 0 : ((1 / length) as f32));
    rows += bytes;
    target += 4;
  }
}

/** Divides a vector by its length, in place; a zero vector becomes all zeros. */
export function normalize(vector: u32, dimension: u32): void {
  const length = Math.sqrt(squares(vector, dimension));
  const end = vector + (dimension << 2);
  for (; vector < end; vector += 4) {
    store<f32>(vector, length < LENGTH_MIN ? 0 : (((load<f32>(vector) as f64) / length) as f32));
  }
}

/** The sum of the squares. */
function squares(vector: u32, dimension: u32): f64 {
  let low = f64x2.splat(0);
  let high = low;
  const end = vector + (dimension << 2);
  const endWhole = vector + ((dimension & ~3) << 2);
  for (; vector < endWhole; vector += 16) {
    const values = v128.load(vector);
    const first = f64x2.promote_low_f32x4(values);
    const second = f64x2.promote_low_f32x4(v128.shuffle<i64>(values, values, 1, 1));
    low = f64x2.add(low, f64x2.mul(first, first));
    high = f64x2.add(high, f64x2.mul(second, second));
  }
  const sums = f64x2.add(low, high);
  let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  for (; vector < end; vector += 4) {
    const value = load<f32>(vector) as f64;
    sum += value * value;
  }
  return sum;
}
