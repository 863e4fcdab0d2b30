/** Numbers from a seed, the same on every machine. */

/**
 * The number at `index` of the sequence that `seed` begins.
 *
 * Source: SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
 */
export function randomAt(seed: u64, index: u64): u64 {
  let value = seed + (index + 1) * 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

/** The same as a number from 0 up to, not including, 1. */
export function uniformAt(seed: u64, index: u64): f64 {
  return ((randomAt(seed, index) >> 11) as f64) * (1.0 / 9007199254740992.0);
}
